"""The signals that read the code of the first candidates: phrases and callees."""

import numpy as np
import pytest
from conftest import RepositoryMaker
from hypothesis import given
from hypothesis import strategies as st

from repoqa.evidence.question import read
from repoqa.index.build import build
from repoqa.index.index import Index
from repoqa.index.store import Store
from repoqa.index.terms import count_terms, ordered_terms
from repoqa.protocols import Silent
from repoqa.ranking.candidates import Candidates, phrases, unit_callees, unit_phrases
from repoqa.ranking.query import understand
from repoqa.ranking.rank import rank
from repoqa.ranking.weights import UNIT_WEIGHTS
from repoqa.records import Ranking
from repoqa.repository.snapshot import open_snapshot

PARCEL = '''\
class ParcelError(Exception):
    """A parcel that cannot be sent."""


def weigh(parcel):
    if parcel.weight > LIMIT:
        raise ParcelError("the parcel is too heavy for this carrier")
    return round_up(parcel.weight)


def label(parcel):
    carrier = parcel.carrier
    heavy = parcel.weight > 5
    return f"parcel {carrier} {heavy} this is too for"
'''
ROUNDING = """\
def round_up(number):
    return number // 1


def halve(number):
    return number / 2
"""
FILES = {"post/parcel.py": PARCEL, "post/rounding.py": ROUNDING}


@pytest.fixture
def index(make_repository: RepositoryMaker) -> Index:
    return build(open_snapshot(make_repository(FILES)), Store(None), progress=Silent())


def reasons(ranking: Ranking) -> dict[str, dict[str, float]]:
    return {found.symbol.name: dict(found.reasons) for found in ranking.symbols}


def candidates(index: Index, **own: float) -> Candidates:
    scores = np.zeros(len(index.unit_file))
    for unit in range(len(scores)):
        scores[unit] = own.get(index.symbol(unit).name, 0.0)
    return Candidates(scores, scores)


def scored(scores: np.ndarray, index: Index) -> dict[str, float]:
    return {index.symbol(int(u)).name: float(scores[u]) for u in np.flatnonzero(scores)}


def test_words_that_stand_together_count_more_than_the_same_words_apart(index: Index) -> None:
    query = understand(read("it says the parcel is too heavy for this carrier"), index)
    found = scored(unit_phrases(query, index, candidates(index, weigh=1.0, label=2.0)), index)
    assert found == {"weigh": 1.0}


def test_phrases_are_read_in_candidates_alone(index: Index) -> None:
    query = understand(read("it says the parcel is too heavy for this carrier"), index)
    assert scored(unit_phrases(query, index, candidates(index, label=2.0)), index) == {}


def test_a_log_s_message_is_a_phrase(index: Index) -> None:
    log = "ParcelError: the parcel is too heavy for this carrier\n"
    found = reasons(rank(read("why?", log=log), index))["weigh"]
    assert found["phrases"] == pytest.approx(UNIT_WEIGHTS["phrases"])


def test_a_question_of_one_word_has_no_phrase(index: Index) -> None:
    assert not any("phrases" in found for found in reasons(rank(read("parcel"), index)).values())


def test_what_a_candidate_calls_is_a_candidate(index: Index) -> None:
    query = understand(read("?"), index)
    found = scored(unit_callees(query, index, candidates(index, weigh=2.0, label=1.0)), index)
    assert found == {"round_up": 1.0, "ParcelError": 1.0}


def test_a_callee_is_as_strong_as_its_best_caller(index: Index) -> None:
    query = understand(read("?"), index)
    found = scored(unit_callees(query, index, candidates(index, weigh=1.0, halve=4.0)), index)
    assert found == {"round_up": 1.0, "ParcelError": 1.0}  # scaled: the only ones there are


def test_a_name_defined_everywhere_has_no_callee(make_repository: RepositoryMaker) -> None:
    files = {f"part{n}.py": "def run():\n    pass\n" for n in range(21)}
    files["main.py"] = "def start():\n    run()\n"
    index = build(open_snapshot(make_repository(files)), Store(None), progress=Silent())
    query = understand(read("?"), index)
    assert not unit_callees(query, index, candidates(index, start=1.0)).any()


def test_a_callee_that_the_question_never_names_is_found(index: Index) -> None:
    found = reasons(rank(read("the parcel is too heavy when we weigh it"), index))
    assert found["round_up"]["callees"] > 0
    assert "callees" not in found["halve"]


def test_a_plain_word_of_the_title_can_be_a_name(index: Index) -> None:
    found = reasons(rank(read("cannot weigh\n\nlabel"), index))
    assert found["weigh"]["title_word"] == pytest.approx(0.5)
    assert "title_word" not in found["label"]


def test_phrases_of_words_that_say_nothing_are_none() -> None:
    assert phrases(ordered_terms("it is not when the")) == set()
    assert phrases(ordered_terms("getUserName fails")) == {
        ("get", "user"),
        ("user", "name"),
        ("name", "fail"),
        ("get", "user", "name"),
        ("user", "name", "fail"),
    }


@given(st.text())
def test_ordered_terms_are_those_counted_but_for_whole_words(text: str) -> None:
    counted = count_terms(text)
    assert all(counted[term] >= ordered_terms(text).count(term) for term in ordered_terms(text))
