"""One layer's keys and values, in memory taken once."""

from collections.abc import Sequence
from typing import Any

import torch

from repoqa.models.groups import Few, Groups, grouped
from repoqa.models.plan import FEW, Bits, Setting


class _Whole:
    """Numbers kept as they are computed: one tensor."""

    kinds = ("keys", "values")

    def apart(self, states: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (states,)

    def together(self, kept: Sequence[torch.Tensor], dtype: torch.dtype) -> torch.Tensor:
        return kept[0].to(dtype)


class _Few:
    """Numbers kept in few bits: codes and scales."""

    kinds = ("keys", "key scales", "values", "value scales")

    def __init__(self, bits: Bits) -> None:
        self._bits: Few = 8 if bits == 8 else 4

    def apart(self, states: torch.Tensor) -> tuple[torch.Tensor, ...]:
        groups = grouped(states, self._bits)
        return (groups.codes, groups.scales.flatten(-2))

    def together(self, kept: Sequence[torch.Tensor], dtype: torch.dtype) -> torch.Tensor:
        codes, scales = kept
        return Groups(codes, scales.view(*scales.shape[:-1], -1, 2), self._bits).numbers(dtype)


class ReservedLayer:
    """One layer's keys and values, in room for `tokens`: what is kept of the keys and then of the
    values, tensors whose last dimension but one are the tokens."""

    def __init__(self, tokens: int, setting: Setting) -> None:
        self._tokens = tokens
        self._form: _Few | _Whole = _Few(setting.cache) if setting.cache in FEW else _Whole()
        self._offloaded = setting.offloaded
        self._rooms: tuple[torch.Tensor, ...] = ()
        self._filled = 0

    def get_seq_length(self) -> int:
        """How many tokens are filled."""
        return self._filled

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Add what the layer computed for new tokens; return all of it so far."""
        dtype, device = key_states.dtype, key_states.device
        self.add((*self._form.apart(key_states), *self._form.apart(value_states)))
        kept = self.parts(self._filled)
        if self._offloaded:
            kept = tuple(part.to(device) for part in kept)
        half = len(kept) // 2
        return (
            self._form.together(kept[:half], dtype),
            self._form.together(kept[half:], dtype),
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of the parts that are kept."""
        return self._form.kinds

    def parts(self, tokens: int) -> tuple[torch.Tensor, ...]:
        """What is kept of the first `tokens`, as views."""
        return tuple(room[..., :tokens, :] for room in self._rooms)

    def add(self, parts: Sequence[torch.Tensor]) -> None:
        """Fill in what is kept of the tokens that follow."""
        if not self._rooms:
            self._rooms = tuple(map(self._reserve, parts))
        end = self._filled + parts[0].shape[-2]
        for room, part in zip(self._rooms, parts, strict=True):
            room[..., self._filled : end, :] = part
        self._filled = end

    def rewind(self, tokens: int) -> None:
        """Forget all but the first `tokens`, which stay where they are."""
        self._filled = min(tokens, self._filled)

    def make_room(self, tokens: int) -> None:
        """Hold `tokens` at least; what is filled moves to where there is room."""
        if tokens <= self._tokens:
            return
        self._tokens = tokens
        filled = self.parts(self._filled)
        self._rooms = tuple(map(self._reserve, filled))
        for room, part in zip(self._rooms, filled, strict=True):
            room[..., : self._filled, :] = part

    def _reserve(self, part: torch.Tensor) -> torch.Tensor:
        size = (*part.shape[:-2], self._tokens, part.shape[-1])
        return part.new_empty(size, device="cpu" if self._offloaded else part.device)
