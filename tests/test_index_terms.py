"""Identifiers as terms, and their hashes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repoqa.index.terms import (
    ITEM_BYTES,
    MARK,
    MOST_KEPT,
    WORD,
    WORD_HASHES,
    Field,
    Hashes,
    count_terms,
    hashed,
    marked_words,
    term_hash,
    terms_of,
    words_of,
)


@pytest.mark.parametrize(
    ("word", "terms"),
    [
        ("getUserName", ("get", "user", "name", "getusername")),
        ("user_names", ("user", "name", "user_names")),
        ("HTTPServer", ("http", "server", "httpserver")),
        ("MAX_AGE", ("max", "age", "max_age")),
        ("connections", ("connect",)),
        ("utf8", ("utf", "8", "utf8")),
        ("__init__", ("init",)),
        ("größe_kalt", ("größe", "kalt", "größe_kalt")),
        ("A" * 65, ()),
    ],
)
def test_terms_of_a_word(word: str, terms: tuple[str, ...]) -> None:
    assert terms_of(word) == terms


def test_counts_add_up_over_words() -> None:
    counts = count_terms("login(user_name); login_user")
    assert counts == {
        "login": 2,
        "user": 2,
        "name": 1,
        "user_name": 1,
        "login_user": 1,
    }


def test_the_hash_is_the_same_in_every_process() -> None:
    assert term_hash("login").to_bytes(5, "little").hex() == "22132bd821"  # b2sum -l 40
    assert hashed(Field.NAME, "login") != hashed(Field.TEXT, "login")


@given(st.text())
def test_any_text_has_terms_without_capitals(text: str) -> None:
    assert all(term == term.lower() for term in count_terms(text))


@given(st.text())
def test_words_are_what_the_pattern_finds(text: str) -> None:
    assert words_of(text) == WORD.findall(text)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_words_of_ascii_are_what_the_pattern_finds(text: str) -> None:
    assert words_of(text) == WORD.findall(text)


@pytest.mark.parametrize("alphabet", [st.characters(max_codepoint=127), st.characters()])
@given(data=st.data())
def test_marked_words_are_those_of_each_text(
    alphabet: st.SearchStrategy[str], data: st.DataObject
) -> None:
    texts = data.draw(st.lists(st.text(alphabet)))
    found: list[list[str]] = []
    for word in marked_words(texts):
        if word == MARK:
            found.append([])
        elif len(word) > 1:
            found[-1].append(word)
    assert found == [WORD.findall(text) for text in texts]


@given(st.from_regex(WORD, fullmatch=True))
def test_a_words_hashes_are_those_of_its_terms(word: str) -> None:
    hashes = b"".join(term_hash(term).to_bytes(ITEM_BYTES, "little") for term in terms_of(word))
    assert WORD_HASHES[word] == hashes


def test_no_hashes_of_what_is_no_word() -> None:
    assert WORD_HASHES["x"] == WORD_HASHES[MARK] == WORD_HASHES["__"] == b""


def test_kept_hashes_are_bounded_and_stay_right() -> None:
    hashes = Hashes(str.encode)
    assert all(hashes[str(number)] == b"%d" % number for number in range(MOST_KEPT + 10))
    assert len(hashes) == 10
    assert hashes["1"] == b"1"
