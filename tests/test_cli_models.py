"""`repoqa models`: what is listed, shown and planned."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from checkpoints import byte_level_tokenizer, write_checkpoint
from commands import repoqa

from repoqa.models.hardware import multiplies_bf16
from repoqa.models.profile import Dtype, Profile, load_profile, profile_names
from repoqa.models.survey import outlook, places, whereabouts, work_of
from repoqa.settings import profile_directory


def rows_of(text: str) -> list[list[str]]:
    """The cells of each row of the Markdown tables in a text."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_profile_is_listed_with_where_its_weights_are(tmp_path: Path) -> None:
    done = repoqa("models", "list", where=tmp_path)
    assert (done.code, done.stderr) == (0, "")
    listed = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert sorted(listed) == profile_names()
    assert "not fetched" in listed["codellama-34b"]
    assert "http://localhost:11434/v1" in listed["ollama"]
    for name, line in listed.items():
        assert line.endswith(load_profile(name).summary)


def test_a_profile_is_shown_with_what_it_inherits(tmp_path: Path) -> None:
    done = repoqa("models", "show", "codellama-13b-instruct", where=tmp_path)
    shown = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in done.stdout.splitlines())
    assert shown["format"] == "llama2"  # its own
    assert shown["maximum"] == "100000"  # codellama-7b's
    assert shown["weights"] == "codellama/CodeLlama-13b-Instruct-hf"
    assert shown["where"] == "not fetched"
    wrong = repoqa("models", "show", "codellama-13b-instrct", where=tmp_path)
    assert (wrong.code, "Did you mean codellama-13b-instruct" in wrong.stderr) == (2, True)


def test_weights_that_are_here_are_counted_from_their_files(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "weights", byte_level_tokenizer())
    profile_directory().mkdir(parents=True)
    (profile_directory() / "tiny.toml").write_text(
        f'engine = "transformers"\nformat = "chatml"\nsummary = ""\nweights = "{checkpoint}"\n'
    )
    profile = load_profile("tiny", directories=(profile_directory(),))
    size = (checkpoint / "model.safetensors").stat().st_size
    assert whereabouts(profile, cache=tmp_path) == f"here, {size / 1e6:,.0f} MB"
    work = work_of(profile, 1000, cache=tmp_path)
    assert work.tokens == 1000 + profile.answer
    # The shape that the config gives counts the same weights as the files hold.
    assert work.parameters == work.shape.parameters
    assert size == pytest.approx(4 * work.parameters, rel=0.2)
    (checkpoint / "model.safetensors").unlink()
    assert whereabouts(profile, cache=tmp_path) == "half fetched"


def test_the_plan_for_100k_tokens_of_code_llama(tmp_path: Path) -> None:
    done = repoqa("models", "plan", "codellama-7b-instruct", "--budget", "100k", where=tmp_path)
    assert done.code == 0, done.stderr
    rows = rows_of(done.stdout)
    assert ["16-bit", "16-bit", "12.6", "49.3", "61.9"] in rows
    assert ["8-bit", "4-bit", "6.7", "13.9", "20.5"] in rows
    by_place = {row[0]: row for row in rows}
    assert by_place["GPU of 80 GB"][3] == "16-bit weights, 16-bit keys and values"
    assert by_place["GPU of 80 GB"][4] == "100,000"
    assert by_place["GPU of 24 GB"][3] == "4-bit weights, 4-bit keys and values"
    assert by_place["GPU of 24 GB"][4] == "100,000"
    assert "this CPU" in by_place


def test_what_fits_nowhere_is_said(tmp_path: Path) -> None:
    done = repoqa("models", "plan", "codellama-70b", "--budget", "100k", where=tmp_path)
    by_place = {row[0]: row for row in rows_of(done.stdout)}
    assert by_place["GPU of 24 GB"][2:] == ["-", "does not fit", "0"]


def test_the_longest_prompt_named_fits_and_one_more_token_does_not(tmp_path: Path) -> None:
    profile = load_profile("codellama-13b")
    place = next(
        place for place in places(profile, cache=tmp_path) if place.words == "GPU of 24 GB"
    )
    found = outlook(work_of(profile, 1, cache=tmp_path), place, most=100_000).longest
    answer = profile.answer
    fits = outlook(work_of(profile, found - answer, cache=tmp_path), place, most=100_000)
    over = outlook(work_of(profile, found - answer + 1, cache=tmp_path), place, most=100_000)
    assert fits.choice is not None
    assert over.choice is None


def test_a_servers_memory_is_not_planned_here(tmp_path: Path) -> None:
    for command in ("plan", "pull"):
        done = repoqa("models", command, "ollama", where=tmp_path)
        assert (done.code, "does not run on this machine" in done.stderr) == (2, True)


def test_a_profile_without_sizes_asks_for_them(tmp_path: Path) -> None:
    profile_directory().mkdir(parents=True)
    (profile_directory() / "mine.toml").write_text(
        'engine = "transformers"\nformat = "llama2"\nsummary = ""\nweights = "owner/name"\n'
    )
    done = repoqa("models", "plan", "mine", where=tmp_path)
    assert (done.code, "[shape]" in done.stderr) == (2, True)


@pytest.mark.parametrize("stored", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("wanted", ["auto", "float32", "bfloat16"])
def test_the_plan_is_for_the_numbers_that_a_question_is_computed_in(
    tmp_path: Path, stored: str, wanted: Dtype
) -> None:
    import torch

    from repoqa.models.device import choose_device, place_of

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("a question would not be computed by the CPU here")
    write_checkpoint(tmp_path, byte_level_tokenizer())
    config = tmp_path / "config.json"
    said = {**json.loads(config.read_text()), "dtype": stored}
    config.write_text(json.dumps(said))
    profile = Profile("tiny", "transformers", "chatml", "", weights=str(tmp_path), dtype=wanted)
    planned = places(profile, cache=tmp_path)[0]
    taken = place_of(choose_device(stored=stored, wanted=wanted, packs=True))
    assert replace(planned, words="", free=None) == replace(taken, words="", free=None)


def test_the_cpus_numbers_are_those_that_torch_would_compute_with() -> None:
    import torch

    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    assert multiplies_bf16() == bool(native)
