"""Reads a long text once and answers about it on the way: how well each stretch was foreseen, and
what the model says next.

Nothing here samples or streams; that is generation's work. For measurements.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from repoqa.models.adapter import adapter_of
from repoqa.models.causal_mask import causal_mask
from repoqa.models.checkpoint import read_config
from repoqa.models.device import choose_device, chunk_for, place_of
from repoqa.models.key_values import WHOLE, key_values, rewind
from repoqa.models.load import can_shrink, load
from repoqa.models.memory import parameters
from repoqa.models.plan import Setting, Work, choose
from repoqa.models.profile import Profile
from repoqa.models.rope import RopePlan, plan
from repoqa.models.weights import weight_files

Told = Callable[[int], None]


class Reader:
    """A model and what it has read so far; `told` hears of each chunk's tokens."""

    def __init__(self, model: Any, tokens: int, *, told: Told, setting: Setting = WHOLE) -> None:
        self._model = model
        self._cache = key_values(model.config, tokens=tokens, setting=setting)
        self._chunk = chunk_for(model.device.type)
        self._masks = causal_mask(model, chunk=self._chunk, tokens=tokens)
        self._told = told
        self._read = 0
        self._next: torch.Tensor | None = None  # the logits behind what was read

    def read(self, ids: Sequence[int]) -> None:
        """Read on, without asking how well."""
        for start in range(0, len(ids), self._chunk):
            chunk = ids[start : start + self._chunk]
            self._next = self._forward(chunk, keep=1)[-1]
            self._told(len(chunk))

    def surprise(self, ids: Sequence[int]) -> float:
        """Read on, and return the mean negative log-probability (in nats) of these tokens."""
        total = 0.0
        for start in range(0, len(ids), self._chunk):
            chunk = ids[start : start + self._chunk]
            before = self._next
            logits = self._forward(chunk, keep=len(chunk))
            foreseen = logits[:-1] if before is None else torch.cat([before[None], logits[:-1]])
            targets = torch.tensor(chunk[-len(foreseen) :], device=foreseen.device)
            total += float(torch.nn.functional.cross_entropy(foreseen, targets, reduction="sum"))
            self._next = logits[-1]
            self._told(len(chunk))
        return total / len(ids)

    def continuation(self, ids: Sequence[int], *, limit: int) -> list[int]:
        """The likeliest `limit` tokens behind `ids`, which are forgotten again."""
        start, before = self._read, self._next
        answer: list[int] = []
        logits = self._forward(ids, keep=1)[-1]
        while len(answer) < limit:
            answer.append(int(logits.argmax()))
            logits = self._forward(answer[-1:], keep=1)[-1]
        rewind(self._cache, start)
        self._read, self._next = start, before
        return answer

    def _forward(self, ids: Sequence[int], *, keep: int) -> torch.Tensor:
        mask = self._masks.of(self._read, len(ids)) if self._masks else None
        with torch.inference_mode():
            output = self._model(
                input_ids=torch.tensor([list(ids)], device=self._model.device),
                attention_mask=mask,
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=keep,
            )
            self._read += len(ids)
            logits: torch.Tensor = output.logits[0].float()
        return logits


def open_reader(
    profile: Profile, checkpoint: Path, *, tokens: int, told: Told
) -> tuple[Reader, RopePlan]:
    """A reader of up to `tokens`, its positions scaled as the profile's `rope` says.

    Raises ModelError where it does not fit in memory or the weights do not load.
    """
    config = read_config(profile, checkpoint)
    trained = config.trained(profile.trained_window)
    rope = plan(trained, tokens, kind=profile.rope, factor=profile.rope_factor)
    adapter = adapter_of(profile, checkpoint)
    device = choose_device(stored=config.stored, wanted=profile.dtype, packs=adapter is None)
    numbers = parameters(weight_files(checkpoint))
    work = Work(config, numbers, tokens, can_shrink=can_shrink(config, adapter))
    setting = choose(work, place_of(device)).setting
    device = replace(device, bits=setting.weights)
    model = load(checkpoint, config, device, rope=rope.parameters, adapter=adapter)
    return Reader(model, tokens, told=told, setting=setting), rope
