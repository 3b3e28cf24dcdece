"""Weights in 8 or 4 bits under a computation in 16 or 32, for models that fit in no other way.

In 8 bits, the weights of one output share a scale; in 4 bits, groups of 64 do (`models/groups.py`).
A CPU multiplies them as they are, by PyTorch's own products, which take bf16; elsewhere one layer
at a time is unpacked. What that loses and how fast it is: docs/decisions/few-bits.md.
"""

from collections.abc import Iterator
from typing import TypeAlias

import torch
from torch import nn

from repoqa.models.groups import Few, Groups, group_size, grouped, neighbours

_LEVELS = 127
# Numbers that are worked on at once, so that a layer's passing copies are small beside it, and the
# outputs that PyTorch lays out together.
_AT_ONCE = 1 << 22
_OUTPUTS_AT_ONCE = 64
# What PyTorch's products take: they read past the end of rows of other sizes.
_MULTIPLE_OF_INPUTS = 32
_MULTIPLE_OF_OUTPUTS = 16
_INNER_TILES = 8  # means nothing on a CPU


class Rows(nn.Module):
    """A matrix `[outputs, inputs]` in 8 bits, each row with a scale of its own."""

    codes: torch.Tensor
    scales: torch.Tensor

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self._as_it_is = _is_multiplied(weight)
        self.register_buffer("codes", torch.empty_like(weight, dtype=torch.int8))
        self.register_buffer("scales", weight.new_empty(len(weight), dtype=torch.bfloat16))
        for rows in _slices(weight):
            values = weight[rows].float()
            scales = (values.abs().amax(-1) / _LEVELS).bfloat16()
            apart = torch.where(scales == 0, 1, scales).float()
            self.codes[rows] = (values / apart[:, None]).round_().clamp_(-_LEVELS, _LEVELS)
            self.scales[rows] = scales

    def product(self, values: torch.Tensor) -> torch.Tensor:
        """`[n, inputs]` by the matrix: `[n, outputs]`."""
        if self._as_it_is:
            found = torch._weight_int8pack_mm(values.bfloat16(), self.codes, self.scales)
            return found.to(values.dtype)
        return (values @ self.codes.to(values.dtype).T).mul_(self.scales)

    def chosen(self, rows: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """The numbers of these rows."""
        return self.codes[rows].to(dtype).mul_(self.scales[rows].unsqueeze(-1))


class Quarters(nn.Module):
    """A matrix `[outputs, inputs]` in 4 bits, one layer of which is unpacked for a product."""

    codes: torch.Tensor
    scales: torch.Tensor

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        parts = [grouped(weight[rows], 4) for rows in _slices(weight)]
        self.register_buffer("codes", torch.cat([part.codes for part in parts]))
        self.register_buffer("scales", torch.cat([part.scales for part in parts]))

    def product(self, values: torch.Tensor) -> torch.Tensor:
        """`[n, inputs]` by the matrix: `[n, outputs]`."""
        return values @ Groups(self.codes, self.scales, 4).numbers(values.dtype).T

    def chosen(self, rows: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """The numbers of these rows."""
        return Groups(self.codes[rows], self.scales[rows], 4).numbers(dtype)


class PackedQuarters(nn.Module):
    """The same laid out for the CPU's product, from which rows cannot be chosen."""

    codes: torch.Tensor
    scales: torch.Tensor

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self._group = group_size(weight.shape[1])
        codes, scales = [], []
        for rows in _slices(weight):
            part = grouped(weight[rows], 4)
            apart = neighbours(part.codes).int()
            codes.append(torch._convert_weight_to_int4pack_for_cpu(apart, _INNER_TILES))
            scales.append(part.scales.transpose(0, 1))
        self.register_buffer("codes", torch.cat(codes))
        self.register_buffer("scales", torch.cat(scales, 1).contiguous())

    def product(self, values: torch.Tensor) -> torch.Tensor:
        """`[n, inputs]` by the matrix: `[n, outputs]`."""
        found = torch._weight_int4pack_mm_for_cpu(
            values.bfloat16(), self.codes, self._group, self.scales
        )
        return found.to(values.dtype)


Chosen: TypeAlias = Rows | Quarters
Matrix: TypeAlias = Chosen | PackedQuarters


def matrix(weight: torch.Tensor, bits: Few) -> Matrix:
    """The weights of a linear layer, `[outputs, inputs]`, in so many bits."""
    packs = _is_multiplied(weight) and len(weight) % _MULTIPLE_OF_OUTPUTS == 0
    return Rows(weight) if bits == 8 else PackedQuarters(weight) if packs else Quarters(weight)


def table(weight: torch.Tensor, bits: Few) -> Chosen:
    """The weights of an embedding, `[tokens, size]`, in so many bits."""
    return Rows(weight) if bits == 8 else Quarters(weight)


class FewBitsLinear(nn.Module):
    """A linear layer over a matrix in few bits."""

    bias: torch.Tensor | None

    def __init__(self, weights: Matrix, bias: torch.Tensor | None = None) -> None:
        super().__init__()
        self.weights = weights
        self.register_buffer("bias", bias)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """The layer's output for each row of `values`, in their type of number."""
        product: torch.Tensor = self.weights.product(values.flatten(0, -2))
        found = product.view(*values.shape[:-1], -1)
        return found if self.bias is None else found + self.bias


class FewBitsEmbedding(nn.Module):
    """An embedding over a matrix in few bits, whose numbers come out as `dtype`."""

    def __init__(self, weights: Chosen, dtype: torch.dtype) -> None:
        super().__init__()
        self.weights = weights
        self._dtype = dtype

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """The row of each id."""
        return self.weights.chosen(ids, self._dtype)


def _is_multiplied(weight: torch.Tensor) -> bool:
    """Whether the product takes it as it is."""
    return weight.device.type == "cpu" and weight.shape[1] % _MULTIPLE_OF_INPUTS == 0


def _slices(weight: torch.Tensor) -> Iterator[slice]:
    outputs, inputs = weight.shape
    size = max(_AT_ONCE // inputs // _OUTPUTS_AT_ONCE, 1) * _OUTPUTS_AT_ONCE
    return (slice(start, start + size) for start in range(0, outputs, size))
