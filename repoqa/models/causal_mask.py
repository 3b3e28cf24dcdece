"""Which tokens each token of a chunk sees, as one table for all chunks of a prompt.

transformers makes the table anew for each chunk, as truth values, which each layer's attention then
turns into numbers: for one head of 64 numbers behind 50,000 tokens, 70 ms of attention become 42
without. Seen are all tokens before the chunk and, in it, those that are not later; so the table of
a chunk is a part of the prompt's last one, moved by what comes before it.
"""

from typing import Any

import torch


class CausalMask:
    """Tables for chunks of up to `chunk` tokens that end within the first `tokens`."""

    def __init__(self, chunk: int, tokens: int, dtype: torch.dtype) -> None:
        self._before = tokens
        self._table = torch.zeros(1, 1, chunk, tokens + chunk, dtype=dtype)
        later = torch.full((chunk, chunk), -torch.inf, dtype=dtype).triu(1)
        self._table[..., tokens:] = later

    def of(self, before: int, tokens: int) -> torch.Tensor:
        """The table, `[1, 1, tokens, before + tokens]`, of a chunk behind so many others: what is
        added to the scores."""
        return self._table[..., :tokens, self._before - before : self._before + tokens]


def causal_mask(model: Any, *, chunk: int, tokens: int) -> CausalMask | None:
    """The tables for `tokens` read in chunks; None where transformers makes its own, which is for
    other models than Llamas, and for devices whose attention wants its table aligned."""
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    if type(model) is not LlamaForCausalLM or model.device.type != "cpu":
        return None
    return CausalMask(chunk, tokens, model.dtype)
