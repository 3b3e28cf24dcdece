"""The outline: imports, the headers of types, signatures."""

from pathlib import Path

import pytest

from repoqa.parsing.outline import outline
from repoqa.parsing.parse import parse
from repoqa.records import Span

FILES = sorted((Path(__file__).parent / "languages").glob("*.source"))
SOURCE = b'''import a
import b

LIMIT = 3


@decorated
class Store(
    Base,
):
    """Keeps things."""

    def take(
        self,
    ):
        def inner():
            pass
        return inner

    def give(self): pass


def main():
    class Local:
        def method(self): pass
'''


def test_imports_class_headers_and_signatures() -> None:
    spans = outline(parse("a.py", SOURCE))
    assert spans == (Span(1, 2), Span(7, 10), Span(13, 15), Span(20, 20), Span(23, 23))


def test_within_a_class() -> None:
    spans = outline(parse("a.py", SOURCE), within=Span(7, 20))
    assert spans == (Span(7, 10), Span(13, 15), Span(20, 20))


def test_text_has_no_outline() -> None:
    assert outline(parse("a.md", b"text\n" * 100)) == ()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_spans_are_sorted_apart_and_inside_the_file(file: Path) -> None:
    parsed = parse(file.name.removesuffix(".source"), file.read_bytes())
    spans = outline(parsed)
    assert spans
    assert all(left.end + 1 < right.start for left, right in zip(spans, spans[1:], strict=False))
    assert spans[0].start >= 1
    assert spans[-1].end <= parsed.lines
    shown = {line for span in spans for line in range(span.start, span.end + 1)}
    assert len(shown) < parsed.lines * 0.8
    for symbol in parsed.symbols:
        if symbol.kind in ("class", "type", "module"):
            inside = [other for other in parsed.symbols if other.kind in ("function", "method")]
            if not any(o.start < symbol.start and symbol.end <= o.end for o in inside):
                assert set(range(symbol.start, symbol.header_end + 1)) <= shown
