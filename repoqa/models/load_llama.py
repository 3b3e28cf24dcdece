"""Brings a Llama's weights into memory in the numbers they are computed with, a matrix or two at a
time: the whole of them, as they are stored, is never there."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors import safe_open
from torch.nn.functional import embedding, linear

from repoqa.models.checkpoint import Config
from repoqa.models.device import Device
from repoqa.models.few_bits import FewBitsEmbedding, FewBitsLinear, matrix, table
from repoqa.models.groups import Few
from repoqa.models.half_linear import HalfLinear
from repoqa.models.llama import Layer, Llama, Product
from repoqa.models.plan import FEW
from repoqa.models.rotary import Rotary

# fbgemm packs a matrix in one thread, which has its fp32 numbers in memory meanwhile.
_PACKED_AT_ONCE = 2

_Part: TypeAlias = Callable[["_Stored"], Any]
"""A part of a model, made of what is stored."""


def load_llama(
    files: Sequence[Path],
    config: Config,
    device: Device,
    *,
    rotary: Rotary,
    told: Callable[[int], None],
) -> Llama:
    """The model of `config` with its weights from safetensors `files`; `told` hears how many have
    come.

    Raises ValueError for a tensor that no file has or that has another shape, and what safetensors
    raises for a damaged file.
    """
    with ExitStack() as opened:
        opened_files = [
            opened.enter_context(safe_open(path, framework="pt", device=device.name))
            for path in files
        ]
        places = {name: file for file in opened_files for name in file.keys()}  # noqa: SIM118 - no mapping
        stored = _Stored(places, config, device)
        parts: list[_Part] = [
            _Stored.vocabulary,
            lambda stored: stored.numbers("model.norm.weight", config.hidden_size),
            *(partial(_Stored.layer, number=each) for each in range(config.num_hidden_layers)),
        ]
        (looked_up, head), norm, *layers = _loaded(stored, parts, told)
        return Llama(
            config,
            torch.device(device.name),
            device.dtype,
            embedding=looked_up,
            rotary=rotary,
            layers=layers,
            norm=norm,
            head=head,
        )


def _loaded(stored: "_Stored", parts: Sequence[_Part], told: Callable[[int], None]) -> list[Any]:
    """The parts of a model, in order; `told` hears of each in the caller's thread. Where one fails,
    or the caller is interrupted, those that have not begun are left."""

    def load(part: _Part) -> tuple[Any, int]:
        came: list[int] = []
        return part(replace(stored, told=came.append)), sum(came)

    at_once = stored.device.keeps_half and torch.get_num_threads() > 1
    with ThreadPoolExecutor(_PACKED_AT_ONCE if at_once else 1) as packing:
        try:
            loaded = []
            for future in [packing.submit(load, part) for part in parts]:
                made, numbers = future.result()
                told(numbers)
                loaded.append(made)
        except BaseException:
            packing.shutdown(cancel_futures=True)
            raise
    return loaded


def _unheard(numbers: int) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """What opened files hold, by the tensors' names; `told` hears of each how many numbers came."""

    places: Mapping[str, Any]
    config: Config
    device: Device
    told: Callable[[int], None] = _unheard

    def layer(self, number: int) -> Layer:
        config, path = self.config, f"model.layers.{number}"
        hidden, inner = config.hidden_size, config.intermediate_size
        queries = config.num_attention_heads * config.head_size
        shared = config.key_value_heads * config.head_size
        attention, feed = f"{path}.self_attn", f"{path}.mlp"
        heads = {f"{attention}.q_proj": queries}
        heads |= {f"{attention}.{name}_proj": shared for name in "kv"}
        gate_and_up = {f"{feed}.{name}_proj": inner for name in ("gate", "up")}
        biased, feed_biased = config.attention_bias, config.mlp_bias
        return Layer(
            attention_norm=self.numbers(f"{path}.input_layernorm.weight", hidden),
            heads=self._product(heads, hidden, biased=biased),
            attended=self._product({f"{attention}.o_proj": hidden}, queries, biased=biased),
            feed_norm=self.numbers(f"{path}.post_attention_layernorm.weight", hidden),
            gate_and_up=self._product(gate_and_up, hidden, biased=feed_biased),
            down=self._product({f"{feed}.down_proj": hidden}, inner, biased=feed_biased),
        )

    def vocabulary(self) -> tuple[Product, Product]:
        """The embedding, and the head that may share its numbers."""
        config, device = self.config, self.device
        tied = config.tie_word_embeddings
        sizes = (config.vocab_size, config.hidden_size)
        weight = self._tensor("model.embed_tokens.weight", *sizes)
        head = None if tied else self._product({"lm_head": sizes[0]}, sizes[1], biased=False)
        if device.bits not in FEW:
            rows = partial(embedding, weight=weight.to(device.dtype))
            return rows, head or self._packed(weight, None)
        # A head that shares the numbers needs them as rows, which 4 bits do not lie in.
        kept = table(weight, 8 if tied else self._few)
        return FewBitsEmbedding(kept, device.dtype), head or FewBitsLinear(kept)

    def numbers(self, name: str, *shape: int) -> torch.Tensor:
        """A tensor as it is, in the numbers that are computed with."""
        return self._tensor(name, *shape).to(self.device.dtype)

    def _product(self, outputs: Mapping[str, int], inputs: int, *, biased: bool) -> Product:
        """The layers of these names, each with so many outputs, as one."""
        weights = [self._tensor(f"{name}.weight", size, inputs) for name, size in outputs.items()]
        biases = [self.numbers(f"{name}.bias", size) for name, size in outputs.items() if biased]
        return self._packed(
            torch.cat(weights) if weights[1:] else weights[0],
            torch.cat(biases) if biases else None,
        )

    def _packed(self, weight: torch.Tensor, bias: torch.Tensor | None) -> Product:
        if self.device.bits in FEW:
            return FewBitsLinear(matrix(weight, self._few), bias)
        if self.device.keeps_half:
            return HalfLinear(weight, bias)
        return partial(linear, weight=weight.to(self.device.dtype), bias=bias)

    @property
    def _few(self) -> Few:
        return 8 if self.device.bits == 8 else 4

    def _tensor(self, name: str, *shape: int) -> torch.Tensor:
        if name not in self.places:
            raise ValueError(f"{name} is missing")
        tensor: torch.Tensor = self.places[name].get_tensor(name)
        if tensor.shape != shape:
            raise ValueError(f"{name} has the shape {list(tensor.shape)}, not {list(shape)}")
        self.told(tensor.numel())
        return tensor
