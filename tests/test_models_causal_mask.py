"""The table of which tokens are seen: that of every chunk, from one."""

import pytest


@pytest.mark.parametrize(("before", "tokens"), [(0, 1), (0, 4), (3, 4), (6, 4), (9, 1), (7, 3)])
def test_a_chunk_sees_what_is_not_later(before: int, tokens: int) -> None:
    import torch

    from repoqa.models.causal_mask import CausalMask

    found = CausalMask(4, 10, like=torch.zeros(0)).of(before, tokens)
    place = torch.arange(before + tokens)
    later = place[None, :] > place[before:, None]
    expected = torch.zeros(later.shape).masked_fill(later, -torch.inf)
    assert torch.equal(found, expected[None, None])


def test_other_models_make_their_own() -> None:
    from transformers.models.mistral.configuration_mistral import MistralConfig
    from transformers.models.mistral.modeling_mistral import MistralForCausalLM

    from repoqa.models.causal_mask import causal_mask

    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "vocab_size": 9}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    model = MistralForCausalLM(MistralConfig(**sizes, **heads))
    assert causal_mask(model, chunk=4, tokens=10) is None
