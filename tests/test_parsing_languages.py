"""Known answers: for each language a realistic file, and by hand all that it defines and uses.

`languages/NAME.expected` lists, for `languages/NAME.source`, every symbol with its lines, the end
of its header, kind and qualified name, its doc and bases; every reference; every import.
"""

from pathlib import Path

import pytest

from repoqa.parsing import grammar
from repoqa.parsing.languages import LANGUAGES, query_source
from repoqa.parsing.parse import parse
from repoqa.records import ParsedFile, Span, Symbol

FILES = sorted((Path(__file__).parent / "languages").glob("*.source"))
NAMES = [file.name.removesuffix(".source") for file in FILES]


def describe(symbol: Symbol) -> str:
    line = f"{symbol.start}-{symbol.end} {symbol.header_end} {symbol.kind} {symbol.name}"
    if symbol.doc is not None:
        line += f" | doc {symbol.doc.start}-{symbol.doc.end}"
    return line + (f" | bases {' '.join(symbol.bases)}" if symbol.bases else "")


def lines_of(spans: tuple[Span, ...]) -> list[str]:
    return [f"{span.start}-{span.end}" for span in spans]


def parsed(file: Path) -> ParsedFile:
    return parse(file.name.removesuffix(".source"), file.read_bytes())


def expected(file: Path) -> dict[str, list[str]]:
    """The sections of the expectation: a title up to its colon, then a line per entry."""
    sections: dict[str, list[str]] = {}
    for block in file.with_suffix(".expected").read_text(encoding="utf-8").split("\n\n"):
        title, *entries = block.strip().split("\n")
        sections[title.partition(":")[0]] = entries
    return sections


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_every_definition_with_kind_name_and_span(file: Path) -> None:
    result = parsed(file)
    assert f"language {result.language}" in expected(file)
    assert [describe(symbol) for symbol in result.symbols] == expected(file)["symbols"]
    assert not result.problem


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_every_use_and_import(file: Path) -> None:
    result = parsed(file)
    uses = [f"{use.line} {use.kind} {use.name}" for use in result.references]
    assert uses == expected(file)["references"]
    assert lines_of(result.imports) == expected(file)["imports"]


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_line_ends_and_byte_order_marks_change_nothing(file: Path) -> None:
    plain = file.read_bytes()
    windows = b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n")
    path = file.name.removesuffix(".source")
    assert parse(path, windows) == parse(path, plain)


def test_every_language_has_known_answers() -> None:
    assert {parsed(file).language for file in FILES} == {entry.name for entry in LANGUAGES}


@pytest.mark.parametrize("language", [entry.name for entry in LANGUAGES])
def test_queries_keep_to_the_shared_captures(language: str) -> None:
    known = {"name", "owner", "body", "doc", "comment", "leading", "base", "local", "import"}
    known |= {"module"} | {f"reference.{kind}" for kind in ("call", "type", "import", "base")}
    kinds = ("function", "method", "class", "type", "constant", "variable", "module")
    known |= {f"definition.{kind}" for kind in kinds}
    query = grammar.load(language).query
    used = {query.capture_name(index) for index in range(query.capture_count)}
    compared = {
        word.strip("@()")
        for line in query_source(language).split("\n")
        if "?" in line
        for word in line.split()
        if word.startswith("@")
    }
    assert used - known <= compared, "a capture that nothing reads"
    source = query_source(language)
    assert not any(name in source for name in ("#eq?", "#match?", "#any-of?", "#not-eq?"))
