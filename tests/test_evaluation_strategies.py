"""One long prompt against a sweep: where bugs are planted, what counts as found, what is kept."""

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from commands import repoqa, write_profile
from memory_code import Counter
from sweep_code import FUNCTIONS, MODULES, module

from repoqa.api.trial import attempt
from repoqa.diagnosis.prepare import Setup
from repoqa.diagnosis.windows import cut
from repoqa.errors import UsageError
from repoqa.evaluation.bugs import BUGS
from repoqa.evaluation.charts import found_chart
from repoqa.evaluation.strategies import (
    POSITIONS,
    Outcome,
    Trial,
    cites,
    functions,
    planted,
    trials,
)
from repoqa.models.profile import Profile
from repoqa.protocols import Silent
from repoqa.settings import Settings, profile_directory, read_settings
from repoqa.terminal.strategies import outcome_line, outcome_table

RELIABLE, LENGTH = 1200, 4000
KEYS = {"reliable_window": RELIABLE, "maximum": 20_000}
PROFILE = Profile("test", "scripted", "chatml", "", reliable_window=RELIABLE, maximum=20_000)
SETUP = Setup(PROFILE, Counter(), LENGTH, None)
TEXT = "\n\n".join(module(number) for number in range(MODULES))
TRIAL = Trial("test", ("rates.py",), "late_fee", LENGTH, 0.5, "single")
AROUND = functions([("rates.py", TEXT)])


def cause(bug: str) -> str:
    """An answer that cites the bug's line, and no other."""
    return f"rates/{bug}.py:{wrong_line(bug)}: it is the wrong way round\n"


def wrong_line(bug: str) -> int:
    [code] = [each.code for each in BUGS if each.name == bug]
    return len(code.splitlines())


# --- the bugs -----------------------------------------------------------------------------------


def run(name: str, code: str, *arguments: object) -> object:
    names: dict[str, object] = {}
    exec(code, names)
    function = names[name]
    assert callable(function)
    return function(*arguments)


def test_each_function_is_wrong_as_its_question_says() -> None:
    codes = {bug.name: bug.code for bug in BUGS}

    def said(name: str, *arguments: object) -> object:
        return run(name, codes[name], *arguments)

    assert said("late_fee", 1, 2) == 20
    assert said("boiling_point", "water") == 324
    assert said("seats_left", 2, 10, [{"seats": 4}]) == 24
    assert said("mean_rainfall", [{"rain": 1.0}, {"rain": 2.0}]) == 3.0
    with pytest.raises(ZeroDivisionError):
        said("mean_rainfall", [{"rain": 1.0}])
    assert said("fastest_runner", [("Ada", 10), ("Bob", 12)]) == "Bob"


def test_no_question_names_its_function() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    for bug in BUGS:
        assert bug.name not in bug.question
        assert bug.code.startswith(f"def {bug.name}(")


# --- where they stand ---------------------------------------------------------------------------


def test_a_text_is_parted_into_its_functions() -> None:
    assert len(AROUND) == MODULES * FUNCTIONS
    assert AROUND[0].path == "rates/rate_0_0.py"
    assert AROUND[0].code.startswith("def rate_0_0(amount, invoice):\n    ")
    method = (
        "class A:\n    def go(self):\n        return 1\n\n    def go(self):\n        return 2\n"
    )
    long = "def long():\n" + "    x = 1\n" * 40
    [only] = functions([("a/my b.py", method + long)])
    assert (only.path, only.code) == ("my_b/A.go.py", "def go(self):\n    return 1\n")


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("bug", [bug.name for bug in BUGS[:2]])
def test_the_bug_stands_where_it_is_to(bug: str, position: float) -> None:
    trial = msgspec.structs.replace(TRIAL, bug=bug, position=position)
    with planted(trial, AROUND, SETUP, progress=Silent()) as preparation:
        excerpts = preparation.context.excerpts
        assert LENGTH * 0.9 < preparation.prompt.tokens <= LENGTH
        assert {excerpt.form for excerpt in excerpts} == {"full"}
        [place] = [n for n, each in enumerate(excerpts) if each.path == trial.path]
        before = sum(excerpt.tokens for excerpt in excerpts[:place])
        share = before / (preparation.context.tokens - excerpts[place].tokens)
        assert (excerpts[place].start, excerpts[place].end) == (1, wrong_line(bug))
        # The sweep's windows begin with the best code, and its last prompt falls back on it.
        windows = cut(preparation).windows
        [holding] = [w for w in windows if any(e.path == trial.path for e in w.excerpts)]
        ranked = [symbol.path for symbol in preparation.ranking.symbols]
    if position == 0.5:
        assert 0.4 < share < 0.6
        assert 1 < holding.number < holding.of
    else:
        first = position == 0.0
        assert place == (0 if first else len(excerpts) - 1)
        assert holding.number == (holding.of if first else 1)
        assert ranked.index(trial.path) == (len(ranked) - 1 if first else 0)


def test_each_bug_stands_among_other_functions() -> None:
    shown = []
    for bug in BUGS[:2]:
        trial = msgspec.structs.replace(TRIAL, bug=bug.name)
        with planted(trial, AROUND, SETUP, progress=Silent()) as preparation:
            shown.append({each.path for each in preparation.context.excerpts})
    assert len(shown[0] & shown[1]) < len(shown[0]) * 0.7


def test_texts_that_are_too_short_and_lengths_that_are_too_short_are_refused() -> None:
    with (
        pytest.raises(UsageError, match="a prompt of 4,000 has room for"),
        planted(TRIAL, AROUND[:10], SETUP, progress=Silent()),
    ):
        pass
    trial = msgspec.structs.replace(TRIAL, length=260)
    with (
        pytest.raises(UsageError, match="260 tokens are too few to plant a bug"),
        planted(trial, AROUND, replace(SETUP, budget=260), progress=Silent()),
    ):
        pass


def test_neighbouring_trials_share_neither_bug_nor_reading() -> None:
    found = list(trials("m", ["a"], lengths=[1, 2], strategies=["single", "sweep"], bugs=2))
    assert len(found) == len(set(found)) == 2 * len(POSITIONS) * 2 * 2
    for one, other in zip(found, found[1:], strict=False):
        assert (one.bug, one.strategy) != (other.bug, other.strategy)


# --- what counts --------------------------------------------------------------------------------


def test_an_answer_counts_where_it_cites_a_line_of_the_function() -> None:
    last = wrong_line("late_fee")
    with planted(TRIAL, AROUND, SETUP, progress=Silent()) as preparation:
        for text, is_found in (
            (f"rates/late_fee.py:{last}: max", True),
            ("See `late_fee()`.", True),
            (f"late_fee.py, line {last}", True),
            ("The cause is in rates/late_fee.py.", False),
            (f"rates/late_fee.py:{last + 1}", False),
            ("rates/rate_0_0.py:2", False),
            ("late_fee compares the wrong way round", False),
        ):
            assert cites(text, TRIAL, preparation) is is_found, text


@pytest.fixture
def settings() -> Settings:
    return read_settings(environment={}, flags={"model": "test"})


@pytest.mark.parametrize("position", POSITIONS)
def test_a_sweep_finds_it_in_one_window(
    position: float, settings: Settings, tmp_path: Path
) -> None:
    script = tmp_path / "script.txt"
    script.write_text(cause("late_fee"))
    profile = replace(PROFILE, weights=str(script))
    outcomes = {
        strategy: attempt(
            msgspec.structs.replace(TRIAL, position=position, strategy=strategy),
            AROUND,
            settings=settings,
            profile=profile,
            progress=Silent(),
        )
        for strategy in ("single", "sweep", "auto")
    }
    single, sweep = outcomes["single"], outcomes["sweep"]
    assert (single.found, single.named, single.windows) == (True, None, 0)
    assert (sweep.found, sweep.named) == (True, True)
    assert sweep.windows > 2
    assert single.tokens <= LENGTH < sweep.tokens
    assert outcomes["auto"].windows == sweep.windows


def test_an_answer_that_cites_elsewhere_does_not_count(settings: Settings, tmp_path: Path) -> None:
    with planted(TRIAL, AROUND, SETUP, progress=Silent()) as preparation:
        count = len(cut(preparation).windows)
        elsewhere = f"{preparation.context.excerpts[0].path}:2: it rounds\n"
    script = tmp_path / "script.txt"
    for text, expected in (
        (elsewhere, (False, False)),
        ("NONE", (False, False)),
        # Named by a window, not by the answer; and the other way round.
        (f"{cause('late_fee')}\f" * count + elsewhere, (False, True)),
        (f"{elsewhere}\f" * count + cause("late_fee"), (True, False)),
    ):
        script.write_text(text)
        outcome = attempt(
            msgspec.structs.replace(TRIAL, strategy="sweep"),
            AROUND,
            settings=settings,
            profile=replace(PROFILE, weights=str(script)),
            progress=Silent(),
        )
        assert (outcome.found, outcome.named) == expected


# --- the table ----------------------------------------------------------------------------------


def outcome(bug: str, position: float, strategy: str, *, found: bool) -> Outcome:
    trial = Trial("m", ("a.py",), bug, 8000, position, strategy)
    swept = strategy == "sweep"
    return Outcome(
        trial, found, named=True if swept else None, windows=3, tokens=7900, seconds=20.4
    )


OUTCOMES = [
    outcome(bug, position, strategy, found=strategy == "sweep" or position == 1.0)
    for position in POSITIONS
    for bug in ("late_fee", "seats_left")
    for strategy in ("single", "sweep")
]


def test_the_table() -> None:
    assert outcome_table(OUTCOMES) == (
        "| found, planted at |   0.00 |   0.50 |   1.00 | named by a window | prompt tokens"
        " | seconds |\n"
        "| ----------------- | -----: | -----: | -----: | ----------------: | ------------:"
        " | ------: |\n"
        "| single, 8,000     | 0 of 2 | 0 of 2 | 2 of 2 |                 - |         7,900"
        " |      20 |\n"
        "| sweep, 8,000      | 2 of 2 | 2 of 2 | 2 of 2 |            6 of 6 |         7,900"
        " |      20 |\n"
        "\n"
        "Tokens and seconds are the median question's.\n"
    )
    assert outcome_table([]) == "Nothing was measured.\n"
    assert outcome_line(OUTCOMES[0]) == "late_fee at 0.00 of 8,000 tokens, single: not found, 20 s"


def test_the_chart() -> None:
    lines = {line.name: line.points for line in found_chart(OUTCOMES).lines}
    assert lines == {
        "single, 8,000 tokens": ((0.0, 0.0), (0.5, 0.0), (1.0, 100.0)),
        "sweep, 8,000 tokens": ((0.0, 100.0), (0.5, 100.0), (1.0, 100.0)),
    }


# --- the command --------------------------------------------------------------------------------


COMMAND = ("eval", "longcontext", "rates.py", "--model", "planter")


def test_the_command_goes_on_from_what_was_kept(tmp_path: Path) -> None:
    write_profile("planter", cause("late_fee"), **KEYS)
    (tmp_path / "rates.py").write_text(TEXT)
    command = (*COMMAND, "--strategy", "single,sweep", "--bugs", "1", "--out", "kept.jsonl")
    done = repoqa(*command, where=tmp_path)
    assert done.code == 0, done.stderr
    assert "1 of 6: late_fee at 0.00 of 2,400 tokens, single: found, 0 s" in done.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()]
    assert rows[2][:5] == ["single, 2,400", "1 of 1", "1 of 1", "1 of 1", "-"]
    assert rows[3][:5] == ["sweep, 2,400", "1 of 1", "1 of 1", "1 of 1", "3 of 3"]
    lines = [json.loads(line) for line in (tmp_path / "kept.jsonl").read_text().splitlines()]
    assert len(lines) == 6
    lines[0]["found"] = False
    (tmp_path / "kept.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in lines[:5]))
    again = repoqa(*command, "--plot", "p.png", where=tmp_path)
    assert again.code == 0, again.stderr
    assert again.stderr.count(" of 6: ") == again.stderr.count("6 of 6: late_fee at 1.00") == 1
    assert "| single, 2,400     | 0 of 1 | 1 of 1 |" in again.stdout
    assert len((tmp_path / "kept.jsonl").read_text().splitlines()) == 6
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    (profile_directory() / "planter.txt").unlink()
    whole = repoqa(*command, where=tmp_path)
    assert (whole.code, whole.stdout) == (0, again.stdout)
    assert " of 6: " not in whole.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--strategy", "single,swep"], "there is no strategy 'swep'"),
        (["--strategy", "sweep", "--rope", "yarn"], "Give one of the two."),
        (["--strategy", "single", "--lengths", "30k"], "or --strategy sweep alone."),
        (["--strategy", "sweep", "--lengths", "30k"], "Give more or longer texts"),
        (["--strategy", "sweep", "--bugs", "99"], f"99 is not in the range 1<=x<={len(BUGS)}"),
        (["--strategy", "sweep", "--out", "rates.py"], "a file that holds something else"),
        (["--strategy", "sweep", "--out", "no/such.jsonl"], "no/such.jsonl cannot be written"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    write_profile("planter", "NONE", **KEYS)
    (tmp_path / "rates.py").write_text(TEXT)
    done = repoqa(*COMMAND, *arguments, where=tmp_path)
    assert done.code == 2
    assert said in done.stderr
    assert done.stdout == ""
