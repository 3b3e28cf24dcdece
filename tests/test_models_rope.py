"""RoPE scaling: the plan, and that transformers computes with it what each kind is defined as."""

import math
from pathlib import Path
from typing import Any

import pytest
from checkpoints import CODE, byte_level_tokenizer, write_checkpoint
from commands import repoqa
from conftest import RepositoryMaker
from hypothesis import given
from hypothesis import strategies as st

from repoqa.api.job import chosen_profile
from repoqa.errors import ModelError, UsageError
from repoqa.models import generation, rope
from repoqa.models.key_values import key_values
from repoqa.models.local import LocalModel
from repoqa.models.profile import Profile, Rope
from repoqa.models.rope import KINDS, RopePlan, Trained, chosen_kind, plan
from repoqa.protocols import Silent
from repoqa.records import Prompt, Segment
from repoqa.settings import read_settings

SMALL = Trained(window=8192, theta=100_000.0, head_size=64)
WINDOW = 64
ANSWER = 40
TINY = Trained(window=WINDOW, theta=10_000.0, head_size=8)


# --- the plan -----------------------------------------------------------------------------------


@given(tokens=st.integers(1, 8192), kind=st.sampled_from(KINDS), factor=st.sampled_from([0, 4]))
def test_nothing_is_scaled_inside_the_trained_window(
    tokens: int, kind: Rope, factor: float
) -> None:
    assert plan(SMALL, tokens, kind=kind, factor=factor) == RopePlan("none")


def test_an_unknown_window_is_never_past() -> None:
    assert plan(Trained(0, 1e4, 64), 10**6, kind="yarn") == RopePlan("none")


@given(tokens=st.integers(8193, 200_000), kind=st.sampled_from(KINDS))
def test_past_the_window_the_whole_prompt_is_reached(tokens: int, kind: Rope) -> None:
    made = plan(SMALL, tokens, kind=kind)
    assert made.kind == kind
    assert f"{tokens:,}" in made.reason
    if kind == "none":
        assert made.parameters is None
        return
    assert made.parameters is not None
    assert made.parameters["rope_theta"] >= SMALL.theta  # transformers would take 10,000
    assert made.factor * SMALL.window >= tokens
    assert (made.factor - 1) * SMALL.window < tokens


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (
            "yarn",
            {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 8192},
        ),
        ("theta", {"rope_type": "default", "rope_theta": 100_000.0 * 2 ** (64 / 62)}),
        ("linear", {"rope_type": "linear", "factor": 2.0}),
        (
            "llama3",
            {
                **{"rope_type": "llama3", "factor": 2.0, "low_freq_factor": 1.0},
                **{"high_freq_factor": 4.0, "original_max_position_embeddings": 8192},
            },
        ),
        # factor x tokens / window - (factor - 1), at 12,288 tokens.
        ("dynamic", {"rope_type": "default", "rope_theta": 100_000.0 * 2 ** (64 / 62)}),
    ],
)
def test_each_kinds_parameters(kind: Rope, parameters: dict[str, Any]) -> None:
    made = plan(SMALL, 12_288, kind=kind)
    assert made.parameters == {"rope_theta": 100_000.0} | parameters


def test_a_factor_that_does_not_reach_is_refused_and_a_larger_one_taken() -> None:
    with pytest.raises(UsageError, match="reaches 16,384 tokens, prompt and answer have 20,000"):
        plan(SMALL, 20_000, kind="yarn", factor=2)
    assert plan(SMALL, 20_000, kind="yarn", factor=8).factor == 8


def test_a_scaling_of_the_checkpoints_own_is_kept() -> None:
    own = Trained(16_384, 100_000.0, 128, {"rope_type": "linear", "factor": 4.0})
    made = plan(own, 20_000, kind="yarn")
    assert (made.kind, made.parameters) == ("none", None)
    assert "linear" in made.reason
    dynamic = Trained(8192, 1e4, 64, {"rope_type": "dynamic", "factor": 2.0})
    made = plan(dynamic, 16_384, kind="none")
    assert made.parameters == {"rope_type": "default", "rope_theta": 1e4 * 3 ** (64 / 62)}


def test_names() -> None:
    assert chosen_kind("auto") is None
    assert [chosen_kind(kind) for kind in KINDS] == list(KINDS)
    with pytest.raises(UsageError) as caught:
        chosen_kind("yarm")
    assert "Did you mean yarn?" in caught.value.remedy


# --- what is computed with it -------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    return write_checkpoint(folder, byte_level_tokenizer(), max_position_embeddings=WINDOW)


def loaded(checkpoint: Path, parameters: Any) -> Any:
    import torch
    from transformers.models.llama.configuration_llama import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    config = LlamaConfig.from_pretrained(checkpoint)
    config.rope_parameters = dict(parameters)
    model = LlamaForCausalLM.from_pretrained(checkpoint, config=config, dtype=torch.float32)
    return model.eval()


def own(profile: Profile, checkpoint: Path) -> Any:
    """The model as the engine loads it for 200 tokens."""
    return LocalModel(profile, checkpoint).loaded(200, progress=Silent())


def profile_for(kind: Rope) -> Profile:
    return Profile(
        "tiny", "transformers", "chatml", "", trained_window=WINDOW, rope=kind, answer=ANSWER
    )


def frequencies(model: Any) -> tuple[list[float], float]:
    """By how much a position turns each pair of numbers, and what all of them are stretched by."""
    import torch

    cosines, sines = (each[0, :4] for each in model.rotary(torch.tensor([1])))
    turns = torch.atan2(sines, cosines).tolist()
    return turns, float(torch.hypot(sines, cosines).mean())


@pytest.mark.parametrize(
    ("kind", "stretched"),
    [
        ("none", [1, 1, 1, 1]),
        ("linear", [4, 4, 4, 4]),
        # The fastest rotation stays, the slowest is stretched by the whole factor.
        ("theta", [1, 4 ** (1 / 3), 4 ** (2 / 3), 4]),
    ],
)
def test_the_engine_rotates_as_the_kind_is_defined(
    kind: Rope, stretched: list[float], checkpoint: Path
) -> None:
    turns, stretch = frequencies(own(profile_for(kind), checkpoint))
    expected = [10_000 ** (-pair / 4) / by for pair, by in enumerate(stretched)]
    assert turns == pytest.approx(expected, rel=1e-5)
    assert stretch == pytest.approx(1)


def test_yarn_leaves_the_fast_rotations_and_sharpens_attention(checkpoint: Path) -> None:
    turns, stretch = frequencies(own(profile_for("yarn"), checkpoint))
    assert stretch == pytest.approx(0.1 * math.log(4) + 1)
    assert turns[0] == pytest.approx(1.0)
    assert turns[-1] == pytest.approx(10_000 ** (-3 / 4) / 4, rel=1e-5)


def test_dynamic_ntk_in_chunks_is_dynamic_ntk_at_once(checkpoint: Path) -> None:
    """transformers' own, read at once, knows the whole length; read in chunks it goes wrong."""
    import torch

    ids = byte_level_tokenizer().encode(CODE).ids[:200]
    theirs = loaded(checkpoint, {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 1e4})
    with torch.inference_mode():
        whole = theirs(torch.tensor([ids])).logits[0, -1]
    planned = rope.plan(TINY, len(ids), kind="dynamic", factor=4.0)
    model = loaded(checkpoint, planned.parameters)
    cache = key_values(model.config, tokens=len(ids))
    ours = generation.read(model, ids, cache, chunk=16, progress=Silent())
    torch.testing.assert_close(ours, whole, rtol=1e-3, atol=1e-3)
    cache = key_values(theirs.config, tokens=len(ids))
    fresh = loaded(checkpoint, {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 1e4})
    broken = generation.read(fresh, ids, cache, chunk=16, progress=Silent())
    assert (broken - whole).abs().max() > 0.1


def test_a_second_prompt_that_is_longer_is_read_with_its_own_plan(checkpoint: Path) -> None:
    model = LocalModel(profile_for("yarn"), checkpoint)
    first = model.loaded(10, progress=Silent())
    assert frequencies(first)[1] == pytest.approx(1)
    assert model.loaded(20, progress=Silent()) is first
    longer = model.loaded(200, progress=Silent())
    assert frequencies(longer)[1] > 1.1


def test_the_user_hears_of_it_before_the_weights_are_loaded(checkpoint: Path) -> None:
    said: list[str] = []
    profile = profile_for("yarn")
    prompt = Prompt((), (Segment(CODE),), 0, exact=True)
    model = LocalModel(profile, checkpoint, note=said.append)
    next(model.stream(prompt, progress=Silent()), None)
    assert any("past the 64 it was trained on: positions are scaled by yarn" in s for s in said)


def test_a_code_llama_that_lost_its_base_is_refused(tmp_path: Path) -> None:
    from repoqa.models.profile import load_profile

    write_checkpoint(tmp_path, byte_level_tokenizer())
    with pytest.raises(ModelError, match="RoPE base of 10000, codellama-7b has 1e"):
        LocalModel(load_profile("codellama-7b"), tmp_path)


# --- how it is asked for ------------------------------------------------------------------------


def test_the_settings_name_a_scaling_and_how_far() -> None:
    read = read_settings(environment={"REPOQA_ROPE_FACTOR": "2"}, flags={"rope": "theta"})
    assert (read.rope, read.rope_factor) == ("theta", 2.0)
    assert chosen_profile(read).rope == "theta"
    assert chosen_profile(read_settings(environment={}, flags={})).rope == "yarn"
    for wrong in ("0.5", "much", "inf", "nan"):
        with pytest.raises(UsageError, match="not a number of at least 1"):
            read_settings(environment={"REPOQA_ROPE_FACTOR": wrong}, flags={})


def test_a_repository_does_not_choose_how_a_model_is_run() -> None:
    with pytest.raises(UsageError, match="may not set `rope`"):
        read_settings(environment={}, flags={}, repository_file=b'rope = "none"')


def test_a_scaling_misspelt_is_told_before_anything_is_read(
    make_repository: RepositoryMaker,
) -> None:
    where = make_repository({"cart.py": b"TOTAL = 0\n"})
    done = repoqa("pack", "why", "--rope", "yarm", "--log", "missing.log", where=where)
    assert done.code == 2
    assert "Did you mean yarn?" in done.stderr
