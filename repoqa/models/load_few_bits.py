"""Brings a Llama's weights into memory in 8 or 4 bits, one matrix at a time: the whole of them, as
they are stored, is never there."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import nn
from transformers.models.llama.modeling_llama import LlamaForCausalLM, LlamaRotaryEmbedding

from repoqa.models.device import Device
from repoqa.models.few_bits import FewBitsEmbedding, FewBitsLinear, matrix, table
from repoqa.models.groups import Few

_HEAD = "lm_head"


def load_few_bits(
    files: Sequence[Path],
    settings: Any,
    device: Device,
    *,
    told: Callable[[int], None],
) -> Any:
    """The model of transformers' `settings` with its weights from safetensors `files`, in the bits
    of the device; `told` hears how many have come.

    Raises KeyError for a tensor that no file has, ValueError for one of another shape, and what
    safetensors raises for a damaged file.
    """
    with torch.device("meta"):
        model = LlamaForCausalLM(settings)
    model.model.rotary_emb = LlamaRotaryEmbedding(settings).to(device.name)
    tied = settings.tie_word_embeddings
    with ExitStack() as opened, torch.no_grad():
        each = [
            opened.enter_context(safe_open(path, framework="pt", device=device.name))
            for path in files
        ]
        places = {name: file for file in each for name in file.keys()}  # noqa: SIM118 - no mapping
        stored = _Stored(places, device, told)
        for path, module in list(model.named_modules()):
            if path == _HEAD and tied:
                model.set_submodule(path, FewBitsLinear(model.model.embed_tokens.weights))
            elif isinstance(module, nn.Embedding):
                # A head that shares the numbers needs them as rows, which 4 bits do not lie in.
                model.set_submodule(path, stored.embedding(path, module, as_rows=tied))
            elif isinstance(module, nn.Linear):
                model.set_submodule(path, stored.linear(path, module))
            else:
                stored.fill(path, module)
    return model.eval()


@dataclass(frozen=True, slots=True)
class _Stored:
    """What opened files hold, by the tensors' names."""

    places: Mapping[str, Any]
    device: Device
    told: Callable[[int], None]

    @property
    def bits(self) -> Few:
        return 8 if self.device.bits == 8 else 4

    def embedding(self, path: str, module: nn.Embedding, *, as_rows: bool) -> FewBitsEmbedding:
        weight = self._tensor(f"{path}.weight", module.weight)
        return FewBitsEmbedding(table(weight, 8 if as_rows else self.bits), self.device.dtype)

    def linear(self, path: str, module: nn.Linear) -> FewBitsLinear:
        weights = matrix(self._tensor(f"{path}.weight", module.weight), self.bits)
        empty: torch.Tensor | None = module.bias
        if empty is None:
            return FewBitsLinear(weights)
        return FewBitsLinear(weights, self._tensor(f"{path}.bias", empty).to(self.device.dtype))

    def fill(self, path: str, module: nn.Module) -> None:
        """Give a module the parameters of its own, whole."""
        for name, empty in list(module.named_parameters(recurse=False)):
            whole = self._tensor(f"{path}.{name}", empty).to(self.device.dtype)
            setattr(module, name, nn.Parameter(whole, requires_grad=False))

    def _tensor(self, name: str, empty: torch.Tensor) -> torch.Tensor:
        tensor: torch.Tensor = self.places[name].get_tensor(name)
        if tensor.shape != empty.shape:
            raise ValueError(f"{name} has the shape {list(tensor.shape)}, not {list(empty.shape)}")
        self.told(tensor.numel())
        return tensor
