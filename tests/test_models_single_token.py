"""One token at a time: the numbers of transformers' own pass, and where that is taken instead."""

from pathlib import Path
from typing import Any

import pytest
from checkpoints import byte_level_tokenizer, write_checkpoint

from repoqa.models.profile import Profile
from repoqa.protocols import Silent

YARN = {
    "rope_type": "yarn",
    "factor": 4.0,
    "original_max_position_embeddings": 64,
    "rope_theta": 10_000.0,
}
PLAIN: dict[str, Any] = {"rope_type": "default", "rope_theta": 10_000.0}


def opened(folder: Path, **changes: Any) -> Any:
    from repoqa.models.checkpoint import read_config
    from repoqa.models.device import choose_device
    from repoqa.models.load import load

    checkpoint = write_checkpoint(folder, byte_level_tokenizer(), **changes)
    profile = Profile("tiny", "transformers", "chatml", "")
    device = choose_device(stored="float32", wanted="float32")
    return load(checkpoint, read_config(profile, checkpoint), device)


@pytest.mark.parametrize("shared", [1, 2, 4])
@pytest.mark.parametrize("rope", [PLAIN, YARN])
def test_the_logits_are_transformers_own(
    *, tmp_path: Path, shared: int, rope: dict[str, Any]
) -> None:
    import torch

    from repoqa.models import generation
    from repoqa.models.key_values import key_values
    from repoqa.models.single_token import single_token_step

    model = opened(tmp_path, num_key_value_heads=shared, rope_parameters=rope)
    step = single_token_step(model)
    assert step is not None
    ids = list(range(40, 120))
    cache = key_values(model.config, tokens=len(ids) + 5)
    generation.read(model, ids, cache, chunk=32, progress=Silent())
    for token in (7, 300, 41, 41, 399):
        with torch.inference_mode():
            found = step(token, cache)
            ids.append(token)
            expected = model(torch.tensor([ids]), logits_to_keep=1).logits[0, -1]
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert cache.get_seq_length() == len(ids)


def test_other_models_and_numbers_are_left_to_transformers(tmp_path: Path) -> None:
    import torch

    from repoqa.models.single_token import single_token_step

    assert single_token_step(opened(tmp_path / "gelu", hidden_act="gelu")) is None
    assert single_token_step(opened(tmp_path / "half").to(torch.bfloat16)) is None
