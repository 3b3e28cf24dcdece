"""Weights kept in fp16 under a computation in fp32, for CPUs that do not multiply bf16.

A token waits for all of the weights to come from memory: half the bytes are half the wait. fbgemm,
which PyTorch carries for x86, unpacks them inside its matrix product, and sums in fp32. What is
lost is the rounding of the weights to fp16, 1 part in 2,000 at most; weights stored in fp16 lose
nothing. Prompts are read no slower (`benchmarks/engines.py`).
"""

from typing import Any

import torch
from torch import nn

_ENGINE = "fbgemm"
_CAPABLE = ("AVX2", "AVX512")


def is_possible() -> bool:
    """Whether PyTorch here has the matrix product, and the CPU what it needs."""
    capability = torch.backends.cpu.get_cpu_capability()
    return _ENGINE in torch.backends.quantized.supported_engines and capability in _CAPABLE


class HalfLinear(nn.Module):
    """A linear layer of fp32 numbers whose weights are packed in fp16."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        super().__init__()
        offset = None if bias is None else bias.detach().float()
        whole = weight.detach().float()
        self._packed = torch.ops.quantized.linear_prepack_fp16(whole, offset)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """The layer's output for each row of `values`, in fp32."""
        product: torch.Tensor = torch.ops.quantized.linear_dynamic_fp16(values, self._packed)
        return product


def keep_half(model: Any) -> Any:
    """The model with its linear layers' weights in fp16, all else in fp32. It is changed in place.

    One layer at a time is in memory twice.
    """
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:
                setattr(module, name, HalfLinear(child.weight, child.bias))
    return model.float()
