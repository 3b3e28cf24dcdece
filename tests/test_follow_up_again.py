"""A follow-up begins as the prompt before it, byte for byte, as far as the code is the same."""

import json
import os
from pathlib import Path

import pytest
from commands import repoqa, write_profile
from conftest import RepositoryMaker
from hypothesis import given
from hypothesis import strategies as st
from memory_code import Counter
from sweep_code import BANK, BANK_QUESTION, module

from repoqa.diagnosis.again import GROWTH, drawn
from repoqa.diagnosis.kept import _shown
from repoqa.packing.render import draw
from repoqa.records import Excerpt

# Enough for outlines and signatures beside the code in full, and less than all of the code.
BUDGET = 9000
LOG = b"".join(b"step %d of the invoice run\n" % n for n in range(90)) + b"Error: a rate below 0\n"


@pytest.fixture
def bank(make_repository: RepositoryMaker) -> Path:
    write_profile("banker", "The cause is in bank/rates3.py:7.\n", **window(BUDGET))
    return make_repository(BANK)


def window(tokens: int) -> dict[str, object]:
    return {"reliable_window": tokens, "maximum": 40_000, "tokens_per_cl100k": 1.0}


def prompt(*arguments: str, where: Path, stdin: bytes | None = None) -> str:
    done = repoqa(
        "ask", "--model", "banker", "--dry-run", "--json", *arguments, where=where, stdin=stdin
    )
    assert done.code == 0, done.stderr
    text: str = json.loads(done.stdout)["messages"][-1]["content"]
    return text


def asked(*arguments: str, where: Path, stdin: bytes | None = None) -> str:
    """The prompt of a question that is then asked."""
    text = prompt(*arguments, where=where, stdin=stdin)
    done = repoqa("ask", "--model", "banker", *arguments, where=where, stdin=stdin)
    assert done.code == 0, done.stderr
    assert "window 1 of" not in done.stderr, "what has been read is not read in windows again"
    return text


def test_follow_ups_begin_with_the_code_and_the_log_of_the_first_question(bank: Path) -> None:
    first = asked(BANK_QUESTION, where=bank, stdin=LOG)
    whole = first.partition("\n\nQuestion:\n")[0]
    assert "(outline)" in whole
    assert "Error: a rate below 0" in whole
    for question in ("and how do I fix it?", "where is rate_7_3 rounded?", "and where else?"):
        following = asked("-c", question, where=bank)
        assert following.startswith(f"{whole}\n\nEarlier question:\n")
        assert f"Question:\n{question}\n" in following
        assert Counter().count(following) <= BUDGET + BUDGET // GROWTH


def test_code_that_was_not_shown_and_now_matters_is_shown_before_the_question(bank: Path) -> None:
    only = ("--include", "bank/rates1.py")
    first = asked(*only, BANK_QUESTION, where=bank)
    assert "rate_7_3" not in first
    _, _, new = prompt("-c", "why is rate_7_3 wrong", where=bank).partition("More code, with line")
    assert "def rate_7_3(amount, invoice):" in new
    assert "def rate_1_2(amount, invoice):" not in new, "what was shown is not shown twice"


def test_what_has_changed_since_is_shown_as_it_is_now(bank: Path) -> None:
    first = asked(BANK_QUESTION, where=bank)
    file = bank / "bank" / "rates3.py"
    file.write_text(module(3).replace("invoice kind 4", "invoice kind four"))
    following = prompt("-c", "and now", where=bank)
    assert "invoice kind four" in following
    shared = os.path.commonprefix([first, following])
    assert "invoice kind 4" not in following.partition("Earlier question")[0].split("rates3")[1]
    assert shared.endswith("The rate of invoice kind ") or "bank/rates3.py" not in shared


def test_where_a_file_is_gone_the_code_is_packed_anew(bank: Path) -> None:
    asked(BANK_QUESTION, where=bank)
    (bank / "bank" / "rates3.py").unlink()
    following = prompt("-c", "and now", where=bank)
    assert "bank/rates3.py" not in following.partition("Earlier question")[0]
    assert Counter().count(following) <= BUDGET


def test_a_budget_that_is_given_is_the_whole_prompts(bank: Path) -> None:
    asked(BANK_QUESTION, where=bank)
    following = prompt("-c", "--budget", "5000", "and now", where=bank)
    assert Counter().count(following) <= 5000


@given(st.lists(st.sampled_from(["", "x = 1", "    return 2", "\t"]), min_size=1), st.data())
def test_an_excerpt_is_drawn_again_from_what_is_kept_of_it(
    lines: list[str], data: st.DataObject
) -> None:
    numbers = sorted(data.draw(st.sets(st.integers(1, len(lines)), min_size=1)))
    full = data.draw(st.booleans())
    if full:
        numbers = list(range(numbers[0], numbers[-1] + 1))
    form = "full" if full else "outline"
    text = draw("a.py", numbers, lines, form=form)  # type: ignore[arg-type]
    excerpt = Excerpt("a.py", numbers[0], numbers[-1], form, 1, text)  # type: ignore[arg-type]
    again = _shown(excerpt).drawn
    assert again == drawn(excerpt)
    if full:
        assert draw("a.py", again.numbers, lines, form="full") == text
