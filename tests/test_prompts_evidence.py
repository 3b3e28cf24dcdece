"""Evidence is trimmed to its share of the budget, by tokens, and never silently."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_code import Counter

from repoqa.errors import BudgetError
from repoqa.models.profile import Profile
from repoqa.prompts.evidence import fit, smallest_budget, trim_ends, trim_log
from repoqa.prompts.neutralize import neutralize
from repoqa.prompts.render import fixed_tokens
from repoqa.records import Question

PROFILE = Profile(name="test", engine="scripted", format="chatml", summary="")
COUNT = Counter().count
LOG = "\n".join(
    [
        *(f"collecting module {n}" for n in range(300)),
        "Traceback (most recent call last):",
        '  File "app/login.py", line 12, in login',
        "    return users[name]",
        "KeyError: 'ada'",
        *(f"passed {n}" for n in range(300)),
        "FAILED tests/test_login.py::test_twice - KeyError: 'ada'",
        *(f"teardown {n}" for n in range(30)),
        "1 failed, 300 passed in 2.31s",
    ]
)


def test_a_log_keeps_its_first_error_its_failures_and_its_end() -> None:
    shown = trim_log(LOG, 200, tokenizer=Counter())
    assert COUNT(shown) <= 200
    for kept in (
        "Traceback (most recent call last):\n"
        '  File "app/login.py", line 12, in login\n'
        "    return users[name]\n"
        "KeyError: 'ada'",
        "FAILED tests/test_login.py::test_twice - KeyError: 'ada'",
        "1 failed, 300 passed in 2.31s",
    ):
        assert kept in shown
    assert shown.startswith("[298 lines left out]\ncollecting module 298\n")


def test_a_question_keeps_its_beginning_and_end() -> None:
    text = "\n".join(f"line {n}" for n in range(1000))
    shown = trim_ends(text, 120, tokenizer=Counter())
    lines = shown.split("\n")
    marks = [line for line in lines if line.startswith("[")]
    assert lines[0] == "line 0"
    assert lines[-1] == "line 999"
    assert marks == [f"[{1000 - len(lines) + 1} lines left out]"]
    assert 100 < COUNT(shown) <= 120


def test_a_single_endless_line_keeps_its_beginning_and_end() -> None:
    shown = trim_ends("start " + "x" * 1_000_000 + " end", 60, tokenizer=Counter())
    assert shown.startswith("start xxx")
    assert shown.endswith("xxx end")
    assert "characters left out]" in shown
    assert COUNT(shown) <= 60


@settings(max_examples=150, deadline=None)
@given(
    pieces=st.lists(
        st.text(max_size=40) | st.sampled_from(["\n", "Error: x\n", "<s>"]), max_size=40
    ),
    limit=st.integers(0, 120),
    trim=st.sampled_from([trim_ends, trim_log]),
)
def test_trimmed_text_fits_and_says_what_is_missing(pieces, limit, trim) -> None:  # type: ignore[no-untyped-def]
    text = "".join(pieces)
    shown = trim(text, limit, tokenizer=Counter())
    assert COUNT(neutralize(shown)) <= limit
    assert shown == text or "left out]" in shown or not shown


def test_a_log_of_megabytes_is_trimmed_quickly() -> None:
    log = "\n".join(f"{n} some line of a long log, nothing in it" for n in range(200_000))
    shown = trim_log(log, 1000, tokenizer=Counter())
    assert 800 < COUNT(shown) <= 1000
    assert shown.endswith("199999 some line of a long log, nothing in it")


def test_each_kind_of_evidence_takes_at_most_a_quarter() -> None:
    long = "some words of a report\n" * 2000
    question = Question(text=long, title="t", log=long, diff=long)
    shown = fit(question, 2000, profile=PROFILE, tokenizer=Counter())
    assert all(0 < COUNT(part) <= 500 for part in (shown.text, shown.log, shown.diff))
    assert fixed_tokens(shown, profile=PROFILE, tokenizer=Counter()) < 1700
    short = Question(text="why", title="why", log="boom")
    assert fit(short, 2000, profile=PROFILE, tokenizer=Counter()) == short


def test_a_budget_below_the_fixed_parts_names_the_smallest() -> None:
    least = smallest_budget(profile=PROFILE, tokenizer=Counter())
    assert least < 500
    with pytest.raises(BudgetError, match=f"--budget {least}"):
        fit(Question(text="x", title="x"), least - 1, profile=PROFILE, tokenizer=Counter())
    long = "some words of a report\n" * 2000
    shown = fit(
        Question(text=long, title="", log=long, diff=long),
        least,
        profile=PROFILE,
        tokenizer=Counter(),
    )
    assert fixed_tokens(shown, profile=PROFILE, tokenizer=Counter()) < least
