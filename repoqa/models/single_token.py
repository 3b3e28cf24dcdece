"""One token through a Llama on a CPU, without what transformers does for batches and training.

Some 1,200 calls into PyTorch a token become 500, none of which copies keys for the heads that share
them. Only decoding goes this way: in a chunk of a prompt those calls do not count. The numbers are
those of transformers' own pass (tests/test_models_single_token.py).
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch.nn.functional import rms_norm, scaled_dot_product_attention, silu

Step: TypeAlias = Callable[[int, Any], torch.Tensor]


def single_token_step(model: Any) -> Step | None:
    """A function from a token and the cache of what stands before it to the logits behind it, in
    fp32; None where the model is not of the kind that this is written for."""
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    plain = type(model) is LlamaForCausalLM and model.config.hidden_act == "silu"
    if not plain or model.device.type != "cpu" or model.dtype != torch.float32:
        return None
    return _Llama(model).step


class _Llama:
    def __init__(self, model: Any) -> None:
        config, self._body, self._head = model.config, model.model, model.lm_head
        self._layers = [(each, each.self_attn, each.mlp) for each in self._body.layers]
        self._query_heads: int = config.num_attention_heads
        self._shared_heads: int = config.num_key_value_heads
        self._sharing = self._query_heads // self._shared_heads

    def step(self, token: int, cache: Any) -> torch.Tensor:
        position = torch.tensor([[cache.get_seq_length()]])
        state = self._body.embed_tokens(torch.tensor([token]))
        cosines, sines = self._body.rotary_emb(state, position)
        for number, (layer, attention, mlp) in enumerate(self._layers):
            normed = _normed(state, layer.input_layernorm)
            query = _turned(_heads(attention.q_proj(normed), self._query_heads), cosines, sines)
            key = _turned(_heads(attention.k_proj(normed), self._shared_heads), cosines, sines)
            value = _heads(attention.v_proj(normed), self._shared_heads)
            keys, values = cache.update(key, value, number)
            # The queries that share a head's keys are rows of one product.
            rows = query.view(1, self._shared_heads, self._sharing, -1)
            seen = scaled_dot_product_attention(rows, keys, values, scale=attention.scaling)
            state = state + attention.o_proj(seen.reshape(1, -1))
            normed = _normed(state, layer.post_attention_layernorm)
            state = state + mlp.down_proj(silu(mlp.gate_proj(normed)).mul_(mlp.up_proj(normed)))
        logits: torch.Tensor = self._head(_normed(state, self._body.norm))[0]
        return logits


def _normed(state: torch.Tensor, norm: Any) -> torch.Tensor:
    return rms_norm(state, norm.weight.shape, norm.weight, norm.variance_epsilon)


def _heads(values: torch.Tensor, count: int) -> torch.Tensor:
    return values.view(1, count, 1, -1)


def _turned(values: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor) -> torch.Tensor:
    """`values` at their rotary position: its second half of numbers is turned against the first."""
    first, second = values.chunk(2, -1)
    return values * cosines + torch.cat((-second, first), -1) * sines
