"""A file as units: every line that is not blank stands in exactly one of them."""

from hypothesis import given
from hypothesis import strategies as st

from repoqa.index.units import SECTION_LINES, split
from repoqa.parsing.parse import parse
from repoqa.parsing.text import decode, split_lines
from repoqa.records import Span

SOURCE = '''\
"""A module."""
import os

LIMIT = 3


class Cart:
    """Holds items."""

    size = 0

    @property
    def total(self):
        def add(item):
            return item
        return add(self.size)

    rate = 2


def main():
    return Cart()


main()
'''


def units_of(path: str, text: str) -> list[tuple[str, str, list[Span]]]:
    parsed = parse(path, text.encode())
    return [
        (unit.symbol.name, unit.symbol.kind, list(unit.spans))
        for unit in split(parsed, split_lines(text))
    ]


def test_functions_classes_without_their_methods_and_what_is_left() -> None:
    assert units_of("cart.py", SOURCE) == [
        ("L1-4", "section", [Span(1, 4)]),
        ("Cart", "class", [Span(7, 11), Span(17, 18)]),
        ("Cart.total", "method", [Span(12, 16)]),
        ("main", "function", [Span(21, 22)]),
        ("L25-25", "section", [Span(25, 25)]),
    ]


def test_long_text_is_cut_into_chunks() -> None:
    text = "".join(f"line {number}\n" for number in range(1, 131))
    assert [name for name, _, _ in units_of("notes.txt", text)] == ["L1-60", "L61-120", "L121-130"]


@given(st.lists(st.sampled_from(SOURCE.splitlines()), max_size=2 * SECTION_LINES))
def test_every_line_that_is_not_blank_is_in_one_unit(lines: list[str]) -> None:
    text = "\n".join(lines)
    owners = [0] * (len(lines) + 1)
    assert decode(text.encode()) == text
    for _, _, spans in units_of("any.py", text):
        for span in spans:
            for line in range(span.start, span.end + 1):
                owners[line] += 1
    for number, content in enumerate(split_lines(text), 1):
        assert owners[number] <= 1
        assert owners[number] == 1 or not content.strip()
