"""Llama's pass over the tokens of one prompt: transformers' own without what that does for batches
and training, and without its import, which takes longer than PyTorch's.

Query, key and value come from one product, and so do the two halves of the feed-forward part; keys
are not copied for the heads that share them. The numbers are transformers' (test_models_llama.py).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch.nn.functional import scaled_dot_product_attention, silu

from repoqa.models.causal_mask import CausalMask, later
from repoqa.models.checkpoint import Config
from repoqa.models.rotary import Rotary

Product: TypeAlias = Callable[[torch.Tensor], torch.Tensor]
"""Values `[n, inputs]` by a matrix of weights: `[n, outputs]`."""
Turns: TypeAlias = tuple[torch.Tensor, torch.Tensor]
"""Cosines and sines of each token's rotary position, `[n, 1, head size]`; the sines that belong to
the first half of a head's numbers are negative."""

# So many tokens attend sooner by plain products than by PyTorch's attention.
_FEW = 8
_NOTHING = torch.zeros(())


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's weights. `heads` gives all queries, then all keys, then all values."""

    attention_norm: torch.Tensor
    heads: Product
    attended: Product
    feed_norm: torch.Tensor
    gate_and_up: Product
    down: Product


@dataclass(frozen=True, slots=True)
class Output:
    """The `logits` of a pass, `[1, kept, vocabulary]`."""

    logits: torch.Tensor


@dataclass(frozen=True)
class Llama:
    """A Llama in memory, which is called as transformers' models are."""

    config: Config
    device: torch.device
    dtype: torch.dtype
    embedding: Callable[[torch.Tensor], torch.Tensor]
    rotary: Rotary
    layers: Sequence[Layer]
    norm: torch.Tensor
    head: Product

    @property
    def is_exact(self) -> bool:
        """Whether it computes in fp32, on a CPU."""
        return self.dtype == torch.float32 and self.device.type == "cpu"

    @property
    def products(self) -> Iterator[Product]:
        """All of them."""
        for layer in self.layers:
            yield from (layer.heads, layer.attended, layer.gate_and_up, layer.down)
        yield self.head

    def __call__(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        *,
        past_key_values: Any = None,
        logits_to_keep: int = 0,
        **_: Any,
    ) -> Output:
        """The logits behind each of the tokens, `[1, n]`, or behind the last `logits_to_keep`.

        They stand behind those that the cache has, which grows by them. No token sees those behind
        it: the mask, `[1, 1, n, all]`, is what is added to the scores for that, if it is at hand.
        """
        (ids,) = input_ids
        before = past_key_values.get_seq_length() if past_key_values else 0
        turns = self._turns(torch.arange(before, before + len(ids), device=self.device))
        state = self.embedding(ids)
        mask = attention_mask
        if mask is None and not self._is_small(len(ids)):
            mask = CausalMask(len(ids), before, like=state).of(before, len(ids))
        for number, layer in enumerate(self.layers):
            update = past_key_values.layers[number].update if past_key_values else _unkept
            heads = layer.heads(self._normed(state, layer.attention_norm))
            query, keys, values = self._placed(heads, turns, update)
            state = state + layer.attended(self._attention(query, keys, values, mask=mask))
            gate, up = layer.gate_and_up(self._normed(state, layer.feed_norm)).chunk(2, -1)
            state = state + layer.down(silu(gate).mul_(up))
        return Output(self.head(self._normed(state[-logits_to_keep:], self.norm))[None])

    def _normed(self, state: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        smallest = self.config.rms_norm_eps
        if len(state) == 1 and self._is_small(1):
            # Three calls in place of seven, for an answer's every token.
            numbers = state[0]
            square = float(numbers.dot(numbers)) / len(numbers)
            return torch.addcmul(_NOTHING, state, weight, value=(square + smallest) ** -0.5)
        whole = state.float()
        squares = whole.square().mean(-1, keepdim=True)
        return whole.mul(squares.add_(smallest).rsqrt_()).to(self.dtype).mul_(weight)

    def _turns(self, positions: torch.Tensor) -> Turns:
        cosines, sines = (each[:, None].to(self.dtype) for each in self.rotary(positions))
        half = self.config.head_size // 2
        return cosines, torch.cat((-sines[..., :half], sines[..., half:]), -1)

    def _placed(
        self, heads: torch.Tensor, turns: Turns, update: Callable[..., Any]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The tokens' queries, `[n, heads, head size]`, at their places, and the keys and values of
        all tokens so far, `[1, shared heads, all, head size]`."""
        queries = self.config.num_attention_heads
        turned = queries + self.config.key_value_heads
        split = heads.view(len(heads), -1, self.config.head_size)
        cosines, sines = turns
        first = split[:, :turned]
        placed = torch.addcmul(first * cosines, first.roll(self.config.head_size // 2, -1), sines)
        keys, values = (
            each.transpose(0, 1)[None] for each in (placed[:, queries:], split[:, turned:])
        )
        return (placed[:, :queries], *update(keys, values))

    def _is_small(self, tokens: int) -> bool:
        """Whether a pass over so many tokens waits for the calls more than for the numbers."""
        return tokens <= _FEW and self.is_exact

    def _attention(
        self,
        query: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        *,
        mask: torch.Tensor | None,
    ) -> torch.Tensor:
        """What each token sees of the others, `[n, heads * head size]`."""
        tokens, _, size = query.shape
        scale = size**-0.5
        if not self._is_small(tokens):
            seen = scaled_dot_product_attention(
                query.transpose(0, 1)[None], keys, values, mask, scale=scale, enable_gqa=True
            )
            return seen[0].transpose(0, 1).reshape(tokens, -1)
        # The queries that share a head's keys are rows of one product.
        shared = keys.shape[1]
        rows = query.view(tokens, shared, -1, size).transpose(0, 1)
        flat, across = rows.reshape(shared, -1, size), keys[0].transpose(1, 2)
        scores = torch.baddbmm(_NOTHING, flat, across, beta=0, alpha=scale)
        if tokens > 1:
            table = later(tokens, like=scores)[:, None]
            scores.view(shared, tokens, -1, keys.shape[2])[..., -tokens:] += table
        seen = torch.bmm(scores.softmax(-1), values[0])
        return seen.view(rows.shape).transpose(0, 1).reshape(tokens, -1)


def _unkept(keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """For tokens that none will stand behind."""
    return keys, values
