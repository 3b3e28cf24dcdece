"""How far a model reads: the numbers against transformers' own, and what is planted and asked."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from checkpoints import CODE, byte_level_tokenizer, write_checkpoint
from commands import repoqa

from repoqa.errors import UsageError
from repoqa.evaluation.longcontext import (
    POSITIONS,
    Asked,
    Planted,
    Reading,
    Task,
    best,
    measure,
    planted,
    with_planted,
)
from repoqa.models.profile import Profile
from repoqa.models.tokens import codec_of
from repoqa.protocols import Silent
from repoqa.settings import profile_directory
from repoqa.terminal.longcontext import reading_tables

TEXT = CODE * 12
LENGTHS = (600, 1200)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    return write_checkpoint(folder, byte_level_tokenizer(), max_position_embeddings=1024)


@pytest.fixture
def task(checkpoint: Path) -> Task:
    profile = Profile("tiny", "transformers", "chatml", "", weights=str(checkpoint))
    return Task(profile, checkpoint, LENGTHS)


def test_functions_are_planted_where_they_are_asked_for(checkpoint: Path) -> None:
    codec = codec_of(checkpoint, name="tiny")
    functions = planted(LENGTHS, seed=2)
    assert [(each.length, each.position) for each in functions] == [
        (length, position) for length in LENGTHS for position in POSITIONS
    ]
    assert len({each.name for each in functions}) == len(functions)
    ids = with_planted(TEXT, functions, codec)
    decoder = codec.decoder()
    text = "".join(map(decoder.push, ids))
    for each in functions:
        assert text.count(each.code) == 1
        before = len(codec.encode(text[: text.index(each.code)]))
        assert 0 <= before - each.length * each.position < 300  # by the next block of code
    for each in functions:
        text = text.replace(each.code, "")
    assert text == TEXT


def test_perplexity_is_transformers_own(task: Task) -> None:
    import torch
    from transformers.models.llama.modeling_llama import LlamaForCausalLM

    reading = measure(
        ("code.py", TEXT), replace(task, lengths=(600, 1150)), kind="none", progress=Silent()
    )
    codec = codec_of(task.checkpoint, name="tiny")
    ids = with_planted(TEXT, planted((600, 1150), seed=2), codec)[:1150]
    model = LlamaForCausalLM.from_pretrained(task.checkpoint, dtype=torch.float32)
    with torch.inference_mode():
        logits = model(torch.tensor([ids])).logits[0]
    for length in (600, 1150):
        window = slice(length - 512, length)
        before = logits[length - 513 : length - 1]
        expected = torch.nn.functional.cross_entropy(before, torch.tensor(ids[window]))
        assert reading.surprise[length] == pytest.approx(float(expected), rel=1e-4)
    assert (reading.rope, reading.factor) == ("none", 1.0)
    assert len(reading.asked) == 2 * len(POSITIONS)


def test_questions_leave_no_trace(task: Task) -> None:
    """The second length's perplexity does not depend on what was asked at the first."""
    both = measure(("a", TEXT), task, kind="yarn", progress=Silent())
    again = measure(("a", TEXT), task, kind="yarn", progress=Silent())
    assert both == again
    assert both.factor == 2.0


def test_an_answer_counts_when_it_begins_with_the_number() -> None:
    each = Planted("amber_harbor", "4821", 600, 0.5)
    assert each.code == "def amber_harbor():\n    return 4821\n\n\n"
    assert each.question.endswith("assert amber_harbor() == ")


def test_a_text_that_is_too_short_and_too_many_lengths_are_refused(task: Task) -> None:
    with pytest.raises(UsageError, match="short.py has"):
        measure(("short.py", CODE), task, kind="none", progress=Silent())
    with pytest.raises(UsageError, match="20 lengths are too many"):
        planted(range(1000, 21_000, 1000), seed=1)


READINGS = [
    Reading(
        "a", "none", 1.0, {100: 1.0, 200: 3.0}, (Asked(100, 0.0, True), Asked(200, 0.0, False))
    ),
    Reading("a", "yarn", 2.0, {100: 1.1, 200: 1.2}, (Asked(100, 0.0, True), Asked(200, 0.5, True))),
    Reading("b", "none", 1.0, {100: 1.0, 200: 3.0}, ()),
    Reading("b", "yarn", 2.0, {100: 1.3, 200: 1.4}, ()),
]


def test_the_tables() -> None:
    assert reading_tables(READINGS, window=150, chosen="yarn") == (
        "| perplexity, 2 texts |  100 |   200 |\n"
        "| ------------------- | ---: | ----: |\n"
        "| none                | 2.72 | 20.09 |\n"
        "| yarn                | 3.32 |  3.67 |\n"
        "\n"
        "| found, %, at | 100 | 200 |\n"
        "| ------------ | --: | --: |\n"
        "| none         | 100 |   0 |\n"
        "| yarn         | 100 | 100 |\n"
        "\n"
        "| found, %, planted at | 0.00 | 0.25 | 0.50 | 0.75 | 0.95 |\n"
        "| -------------------- | ---: | ---: | ---: | ---: | ---: |\n"
        "| none                 |   50 |    - |    - |    - |    - |\n"
        "| yarn                 |  100 |    - |  100 |    - |    - |\n"
        "\n"
        "Past the trained window of 150 tokens the lowest perplexity is that of yarn, which `auto` "
        "takes.\n"
    )
    assert best(READINGS, window=50) == "yarn"
    assert best(READINGS, window=200) is None
    assert 'rope = "yarn"' in reading_tables(READINGS, window=150, chosen="none")


def test_the_command_goes_on_from_what_was_kept(checkpoint: Path, tmp_path: Path) -> None:
    profile_directory().mkdir(parents=True)
    (profile_directory() / "tiny.toml").write_text(
        'engine = "transformers"\nformat = "chatml"\nsummary = ""\n'
        f'weights = "{checkpoint}"\ntrained_window = 1024\n'
    )
    (tmp_path / "code.py").write_text(TEXT)
    command = ("eval", "longcontext", "code.py", "--model", "tiny", "--lengths", "600,1200")
    done = repoqa(*command, "--rope", "none", "--out", "kept.jsonl", where=tmp_path)
    assert done.code == 0, done.stderr
    kept = json.loads((tmp_path / "kept.jsonl").read_text())
    kept["surprise"] = {"600": 1.0, "1200": 2.0}
    (tmp_path / "kept.jsonl").write_text(json.dumps(kept) + "\n")
    done = repoqa(
        *command, "--rope", "none,yarn", "--out", "kept.jsonl", "--plot", "p.png", where=tmp_path
    )
    assert done.stderr.endswith("repoqa: drawn: p.png\n")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    row = next(line for line in done.stdout.splitlines() if line.startswith("| none"))
    assert row.split() == ["|", "none", "|", "2.72", "|", "7.39", "|"]
    assert "trained window of 1,024 tokens" in done.stdout
    assert len((tmp_path / "kept.jsonl").read_text().splitlines()) == 2
    wrong = repoqa(*command, "--lengths", "600,700", where=tmp_path)
    assert (wrong.code, "closer than 512 tokens" in wrong.stderr) == (2, True)
    remote = repoqa("eval", "longcontext", "--model", "server", where=tmp_path)
    assert (remote.code, "does not run on this machine" in remote.stderr) == (2, True)
