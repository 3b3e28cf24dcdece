"""A model's stream is printable, ends where it loops, and does not depend on how it is cut."""

import itertools
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repoqa.answers.clean import STEP, STOPPED, STOPPED_BLANK, clean, loops


def whole(*pieces: str) -> str:
    return "".join(clean(pieces))


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("plain\ttext\n", "plain\ttext"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9d0;title\x9ctext", "text"),
        ("\x1bPq#0\x1b\\text", "text"),
        ("\x1b]never ended\ntext", "\ntext"),
        ("\x1b7a\x1b(Bb\x1bcc", "abc"),
        ("a\x1b", "a"),
        ("a\x1b[31", "a[31"),
        ("a\x00\x07\x08\x7f\rb", "ab"),
        ("user\u202etxt.exe", "usertxt.exe"),
        ("a\udc80b", "a\ufffdb"),
        ("a\n\n\n\n\n\nb", "a\n\n\nb"),
        ("\n\n  first", "  first"),
        ("last\n\n\n", "last"),
        ("", ""),
    ],
)
def test_what_is_shown(sent: str, shown: str) -> None:
    assert whole(sent).removeprefix("\n") == shown.removeprefix("\n")
    assert whole(*sent).removeprefix("\n") == shown.removeprefix("\n")


def test_an_unterminated_control_string_hides_little() -> None:
    text = "".join(random.Random(0).choices("abcdefgh", k=600))
    assert whole("\x1b]" + text).endswith(text)


def test_endless_blank_lines_end_the_stream() -> None:
    stream = itertools.chain(["The cause.\n"], itertools.repeat("\n"))
    assert "".join(clean(stream)) == "The cause." + STOPPED_BLANK


@pytest.mark.parametrize(
    "block",
    [
        "the same line again and again\n",
        "a ",
        "- `login()` calls `check()`\n- `check()` calls `login()`\n",
        "one long block that says a lot of things and then says all of them over and over\n" * 2,
        "ha",
    ],
)
def test_a_loop_ends_the_stream(block: str) -> None:
    stream = itertools.chain(["The cause is this.\n"], itertools.repeat(block))
    answer = "".join(clean(stream))
    assert answer.startswith("The cause is this.\n")
    assert answer.endswith(STOPPED)
    assert len(answer) < 1200


def test_a_loop_that_counts_ends_the_stream() -> None:
    answer = "".join(clean(f"{n}. The user is not logged in.\n" for n in itertools.count()))
    assert answer.endswith(STOPPED)
    assert len(answer) < 1200


@pytest.mark.parametrize(
    "text",
    [
        "=" * 120,
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "".join(f"- src/auth/session.py:{n}\n" for n in range(8)),
        "x = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]\n",
        " " * 2000,
        "def a():\n    return 1\n\n\ndef b():\n    return 2\n\n\ndef c():\n    return 3\n",
    ],
)
def test_what_only_looks_like_a_loop_goes_through(text: str) -> None:
    assert not loops(text)


def test_the_stream_is_shown_as_it_comes() -> None:
    seen: list[str] = []

    def model() -> Iterator[str]:
        for word in ("one ", "two ", "three"):
            seen.append(word)
            yield word

    shown = clean(model())
    assert next(shown) == "one"
    assert seen == ["one "]
    assert "".join(shown) == " two three"


PIECES = st.sampled_from(
    ["a", " ", "\n", "\n\n\n", "\x1b", "[", "]", "31m", "\x07", "\x9b", "\x1b\\", "word", "0;", "é"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.text(max_size=6), max_size=60), st.integers(1, STEP))
def test_how_the_stream_is_cut_changes_nothing(pieces: list[str], size: int) -> None:
    text = "".join(pieces)
    cut = [text[start : start + size] for start in range(0, len(text), size)]
    assert whole(*cut) == whole(text) == whole(*pieces)
    assert not any(ord(char) < 32 and char not in "\n\t" for char in whole(text))
    assert "\x9b" not in whole(text)
