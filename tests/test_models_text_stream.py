"""Stop strings that lie across pieces."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repoqa.models.text_stream import until


@pytest.mark.parametrize(
    ("pieces", "stops", "expected"),
    [
        (["a", "b"], (), ["a", "b"]),
        (["a<", "step", ">b"], ("<step>",), ["a"]),
        (["a<", "stop"], ("<step>",), ["a", "<stop"]),
        (["a<st"], ("<step>",), ["a", "<st"]),
        (["<step>"], ("<step>",), []),
        (["ab</s>c</x>"], ("</x>", "</s>"), ["ab"]),
        (["<", "<", "step>x"], ("<step>",), ["<"]),
    ],
)
def test_known_streams(pieces: list[str], stops: tuple[str, ...], expected: list[str]) -> None:
    assert list(until(pieces, stops)) == expected


@given(
    pieces=st.lists(st.text(alphabet="ab", max_size=4)),
    stops=st.lists(st.text(alphabet="ab", min_size=1, max_size=4), max_size=3),
)
def test_the_text_ends_where_the_first_stop_string_begins(
    pieces: list[str], stops: list[str]
) -> None:
    text = "".join(pieces)
    # A stop counts as soon as it is whole, so one that ends earlier wins.
    ends = [end for end in range(len(text) + 1) if any(stop in text[:end] for stop in stops)]
    given_out = "".join(until(pieces, stops))
    assert text.startswith(given_out)
    assert not any(stop in given_out for stop in stops)
    if not ends:
        assert given_out == text


def test_nothing_is_asked_for_behind_a_stop_string() -> None:
    asked = []

    def pieces() -> Iterator[str]:
        for piece in ("a", "STOP", "never"):
            asked.append(piece)
            yield piece

    assert "".join(until(pieces(), ("STOP",))) == "a"
    assert asked == ["a", "STOP"]
