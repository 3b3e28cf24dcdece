"""Which tokens each token of a chunk sees, as one table for all chunks of a prompt.

transformers makes the table anew for each chunk, as truth values, which each layer's attention then
turns into numbers: for one head of 64 numbers behind 50,000 tokens, 70 ms of attention become 42
without. Seen are all tokens before the chunk and, in it, those that are not later; so the table of
a chunk is a part of the prompt's last one, moved by what comes before it.
"""

from typing import Any

import torch


class CausalMask:
    """Tables for chunks of up to `chunk` tokens behind `before` others at most, of the type and on
    the device of `like`."""

    def __init__(self, chunk: int, before: int, *, like: torch.Tensor) -> None:
        self._before = before
        self._table = like.new_zeros(1, 1, chunk, before + chunk)
        self._table[..., before:] = later(chunk, like=like)

    def of(self, before: int, tokens: int) -> torch.Tensor:
        """The table, `[1, 1, tokens, before + tokens]`, of a chunk behind so many others: what is
        added to the scores."""
        return self._table[..., :tokens, self._before - before : self._before + tokens]


def later(tokens: int, *, like: torch.Tensor) -> torch.Tensor:
    """What keeps each token of a chunk, `[tokens, tokens]`, from seeing those behind it."""
    return like.new_full((tokens, tokens), -torch.inf).triu(1)


def causal_mask(model: Any, *, chunk: int, tokens: int) -> CausalMask | None:
    """The tables for `tokens` read in chunks; None where the model makes its own, which is for
    others than Llamas, and for devices whose attention wants its table aligned."""
    if model.config.architectures != ["LlamaForCausalLM"] or model.device.type != "cpu":
        return None
    return CausalMask(chunk, tokens, like=torch.empty(0, dtype=model.dtype))
