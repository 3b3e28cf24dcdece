"""Numbers in 8 or 4 bits: neighbours share the step from one code to the next and the number that
the middle code stands for, in bf16 both.

A group of 64 takes 8.5 or 4.5 bits a number, as `plan.stored` counts them. The code of a number is
worked out from the step and the middle as they were rounded, so that no number is further off than
half a step, but for the ends of the group's range.
"""

from dataclasses import dataclass
from math import gcd
from typing import Literal, TypeAlias

import torch

from repoqa.models.plan import GROUP

Few: TypeAlias = Literal[8, 4]
_NIBBLE = 4


@dataclass(frozen=True, slots=True)
class Groups:
    """Numbers in groups along their last dimension: `codes` are bytes, of one number each or, in
    4 bits, of two neighbours, the first one low; `scales` hold each group's step and middle."""

    codes: torch.Tensor
    scales: torch.Tensor
    bits: Few

    def numbers(self, dtype: torch.dtype) -> torch.Tensor:
        """All of them, as they are computed with."""
        codes = self.codes if self.bits == 8 else neighbours(self.codes)
        values = codes.to(dtype).reshape(*self.scales.shape[:-1], -1)
        step, middle = self.scales.to(dtype).unsqueeze(-2).unbind(-1)
        return values.sub_(_middle(self.bits)).mul_(step).add_(middle).flatten(-2)


def grouped(numbers: torch.Tensor, bits: Few) -> Groups:
    """The numbers, `[..., n]`, in so many bits; n is even where that is 4."""
    *outer, last = numbers.shape
    values = numbers.float().reshape(*outer, -1, group_size(last))
    low, high = values.aminmax(dim=-1, keepdim=True)
    step = ((high - low) / (2**bits - 1)).bfloat16()
    middle = (low + step.float() * _middle(bits)).bfloat16()
    apart = torch.where(step == 0, 1, step).float()  # a group of equal numbers
    codes = ((values - middle.float()) / apart).round_().add_(_middle(bits))
    codes = codes.clamp_(0, 2**bits - 1).to(torch.uint8).flatten(-2)
    if bits == _NIBBLE:
        codes = codes[..., ::2] | codes[..., 1::2] << _NIBBLE
    return Groups(codes, torch.cat((step, middle), -1), bits)


def group_size(numbers: int) -> int:
    """How many of so many numbers share a scale: 64, or what divides them evenly."""
    return gcd(numbers, GROUP)


def _middle(bits: Few) -> int:
    return 1 << (bits - 1)


def neighbours(pairs: torch.Tensor) -> torch.Tensor:
    """The two codes of 4 bits in each byte, side by side."""
    return torch.stack((pairs & 15, pairs >> _NIBBLE), -1).flatten(-2)
