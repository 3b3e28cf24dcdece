"""This package's own pass over a Llama: the numbers of transformers', and no import of it."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import get_ident
from typing import Any

import pytest
from checkpoints import byte_level_tokenizer, write_checkpoint

from repoqa.errors import ModelError
from repoqa.models.profile import Profile

YARN = {
    "rope_type": "yarn",
    "factor": 4.0,
    "original_max_position_embeddings": 64,
    "rope_theta": 10_000.0,
}
LAYERS = 30
PLAIN: dict[str, Any] = {"rope_type": "default", "rope_theta": 10_000.0}


def opened(folder: Path, *, dtype: str = "float32", **changes: Any) -> tuple[Any, Any]:
    """A random Llama as it is loaded here, and as transformers loads it, in fp32."""
    import torch
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    from repoqa.models.checkpoint import read_config
    from repoqa.models.device import Device
    from repoqa.models.load import load

    checkpoint = write_checkpoint(folder, byte_level_tokenizer(), **changes)
    profile = Profile("tiny", "transformers", "chatml", "")
    device = Device("cpu", "this machine", getattr(torch, dtype))
    model = load(checkpoint, read_config(profile, checkpoint), device)
    return model, LlamaForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()


@pytest.mark.parametrize(
    "changes",
    [
        {"num_key_value_heads": 1},
        {"num_key_value_heads": 2, "rope_parameters": YARN},
        {"num_key_value_heads": 4, "rope_parameters": PLAIN},
        {"attention_bias": True, "mlp_bias": True},
        {"tie_word_embeddings": False, "rms_norm_eps": 0.1},
    ],
)
def test_the_logits_are_transformers_own(tmp_path: Path, changes: dict[str, Any]) -> None:
    """At once, and in pieces of many tokens, of few and of one."""
    import torch

    from repoqa.models.key_values import key_values

    model, theirs = opened(tmp_path, **changes)
    ids = torch.tensor([range(40, 120)])
    cache = key_values(model.config, tokens=ids.shape[1])
    with torch.inference_mode():
        expected = theirs(ids).logits
        torch.testing.assert_close(model(ids).logits, expected, rtol=1e-4, atol=1e-4)
        pieces = [
            model(piece, past_key_values=cache).logits
            for piece in torch.split(ids, [32, 1, 1, 5, 2, 20, 8, 9, 2], dim=1)
        ]
        last = model(ids, logits_to_keep=3).logits
    torch.testing.assert_close(torch.cat(pieces, 1), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(last, expected[:, -3:], rtol=1e-4, atol=1e-4)
    assert cache.get_seq_length() == ids.shape[1]


def test_in_bf16_no_more_is_lost_than_transformers_loses(tmp_path: Path) -> None:
    import torch

    model, theirs = opened(tmp_path, dtype="bfloat16", num_key_value_heads=2)
    ids = torch.tensor([range(40, 120)])
    with torch.inference_mode():
        expected = theirs(ids).logits
        found = (model(ids).logits.float() - expected).norm()
        allowed = (theirs.to(torch.bfloat16)(ids).logits.float() - expected).norm()
    assert 0 < float(found) < 1.1 * float(allowed)


def test_other_activations_are_left_to_transformers(tmp_path: Path) -> None:
    model, _ = opened(tmp_path, hidden_act="gelu")
    assert type(model).__name__ == "LlamaForCausalLM"


def _load(
    checkpoint: Path, told: Callable[[int], None], *, without: Callable[[str], bool] | None = None
) -> Any:
    """Load a checkpoint, of whose tensors some are taken away first."""
    import torch
    from safetensors.torch import load_file, save_file

    from repoqa.models.checkpoint import read_config
    from repoqa.models.device import Device
    from repoqa.models.load import load

    if without:
        weights = checkpoint / "model.safetensors"
        kept = {name: tensor for name, tensor in load_file(weights).items() if not without(name)}
        save_file(kept, weights, {"format": "pt"})
    config = read_config(Profile("tiny", "transformers", "chatml", ""), checkpoint)
    device = Device("cpu", "this machine", torch.float32, keeps_half=True)
    return load(checkpoint, config, device, told=told)


def test_loading_tells_of_every_number_once_in_the_callers_thread(tmp_path: Path) -> None:
    from repoqa.models.memory import parameters

    checkpoint = write_checkpoint(tmp_path, byte_level_tokenizer(), num_hidden_layers=7)
    heard: list[int] = []
    threads: set[int] = set()

    def told(numbers: int) -> None:
        heard.append(numbers)
        threads.add(get_ident())

    _load(checkpoint, told)
    assert sum(heard) == parameters([checkpoint / "model.safetensors"])
    assert threads == {get_ident()}


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The layers whose loading has begun; each takes a while."""
    from repoqa.models.load_llama import _Stored

    load_layer = _Stored.layer
    numbers: list[int] = []

    def layer(stored: _Stored, number: int) -> Any:
        numbers.append(number)
        time.sleep(0.05)
        return load_layer(stored, number)

    monkeypatch.setattr(_Stored, "layer", layer)
    return numbers


@pytest.mark.parametrize("part", ["model.embed_tokens", "model.norm", "model.layers.3"])
def test_a_missing_tensor_is_named_and_the_last_layers_are_not_loaded(
    tmp_path: Path, begun: list[int], part: str
) -> None:
    checkpoint = write_checkpoint(tmp_path, byte_level_tokenizer(), num_hidden_layers=LAYERS)
    heard: list[int] = []
    with pytest.raises(ModelError, match=re.escape(f"{part}.")):
        _load(checkpoint, heard.append, without=lambda name: name.startswith(f"{part}."))
    parts = ["model.embed_tokens", "model.norm", *(f"model.layers.{n}" for n in range(LAYERS))]
    assert len(heard) == parts.index(part)
    assert LAYERS - 1 not in begun


def test_loading_ends_where_it_is_interrupted(tmp_path: Path, begun: list[int]) -> None:
    checkpoint = write_checkpoint(tmp_path, byte_level_tokenizer(), num_hidden_layers=LAYERS)

    def interrupted(numbers: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _load(checkpoint, interrupted)
    assert LAYERS - 1 not in begun


ANSWERED = """\
import sys
from pathlib import Path
from repoqa.models.local import LocalModel
from repoqa.models.profile import Profile
from repoqa.protocols import Silent

profile = Profile("tiny", "transformers", "chatml", "", weights=sys.argv[1], answer=5)
model = LocalModel(profile, Path(sys.argv[1]))
assert list(model.continued([40, 41, 42], progress=Silent()))
print("transformers" in sys.modules)
"""


def test_an_answer_waits_for_no_import_of_transformers(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path, byte_level_tokenizer())
    command = [sys.executable, "-c", ANSWERED, str(checkpoint)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
