"""A file as units: the pieces that are ranked. Every line of a file stands in exactly one unit.

A unit is a function or method (with its nested functions), a class's or type's own lines (without
its methods), or a run of the lines left over, cut to 60: code outside functions, and text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from repoqa.records import ParsedFile, Span, Symbol

# The length of a line chunk (`L1-60`): about a screen, and the most a leftover run shows at once.
SECTION_LINES = 60
FUNCTIONS = ("function", "method")
HOLDERS = ("class", "type", "module")


@dataclass(frozen=True, slots=True)
class Unit:
    """A symbol and the lines that are its own, as sorted spans."""

    symbol: Symbol
    spans: tuple[Span, ...]


def split(parsed: ParsedFile, lines: Sequence[str]) -> list[Unit]:
    """The units of a file, in order of their symbols' starts."""
    owners = _owners(parsed, len(lines))
    owned: dict[int, list[Span]] = {}
    units: list[Unit] = []
    end = 0
    for owner, run in groupby(owners[1:]):
        span = Span(end + 1, end + len(list(run)))
        end = span.end
        if owner >= 0:
            owned.setdefault(owner, []).append(span)
        else:
            units.extend(_sections(span, lines))
    units.extend(Unit(parsed.symbols[number], tuple(spans)) for number, spans in owned.items())
    return sorted(units, key=lambda unit: (unit.symbol.start, -unit.symbol.end, unit.symbol.name))


def _owners(parsed: ParsedFile, length: int) -> list[int]:
    """For each line (1-based; entry 0 unused) the number of the symbol that owns it, or -1."""
    owners = [-1] * (length + 1)
    closed = 0
    for number, symbol in enumerate(parsed.symbols):
        is_function = symbol.kind in FUNCTIONS
        if symbol.end <= closed or not (is_function or symbol.kind in HOLDERS):
            continue
        first = symbol.doc.start if symbol.doc and symbol.doc.end < symbol.start else symbol.start
        end = min(symbol.end, length)
        owners[first : end + 1] = [number] * (end + 1 - first)
        if is_function:
            closed = symbol.end
    return owners


def _sections(span: Span, lines: Sequence[str]) -> list[Unit]:
    """A leftover run as chunks of at most SECTION_LINES, blank lines at their ends left out."""
    found = []
    for start in range(span.start, span.end + 1, SECTION_LINES):
        first, last = start, min(start + SECTION_LINES - 1, span.end)
        while first <= last and not lines[first - 1].strip():
            first += 1
        while last >= first and not lines[last - 1].strip():
            last -= 1
        if first <= last:
            found.append(Unit(section(first, last), (Span(first, last),)))
    return found


def section(first: int, last: int) -> Symbol:
    """The symbol of a run of lines that is no definition."""
    return Symbol(f"L{first}-{last}", "section", first, last, header_end=first)
