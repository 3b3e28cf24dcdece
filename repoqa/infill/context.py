"""What a model is shown for a gap: the code around it, and before that the definitions from the
repository which this code uses, in what the budget leaves.

Names are all there is to go by, since code with a gap in it seldom parses: the nearest first.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from repoqa.infill.place import Site
from repoqa.models.infill import Gap
from repoqa.packing.offers import CALLABLES, CONTAINERS, last_name, signature, whole
from repoqa.protocols import CodeSource, Tokenizer
from repoqa.records import RankedSymbol, Span, Symbol

# Of the budget; definitions get the rest, and what the code around the gap leaves.
NEAR_SHARE = 0.75
# Of the code around the gap: what stands before it says more of what is missing.
SUFFIX_SHARE = 0.25
# Lines around the gap whose names are looked for, and how many of these are looked up.
LINES_BEFORE, LINES_BEHIND = 60, 20
NAMES = 200
# A name that more files define than this says nothing about which one is meant.
AMBIGUOUS = 2
# A definition of more lines is shown by its signature alone.
WHOLE_LINES = 30
_WORD = re.compile(r"[^\W\d]\w{2,}")
_HASH_COMMENTS = frozenset({"", "python", "ruby", "bash"})


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition as the prompt holds it: `text` are its lines, with where they are before."""

    path: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Near:
    """The code shown around a gap; `lines` are those of the file, 1-based, that are shown."""

    gap: Gap
    lines: Span


def near(site: Site, room: int, tokenizer: Tokenizer) -> Near:
    """The lines around the gap, whole ones but for the gap's own, in at most `room` tokens."""
    gap = site.gap
    before, behind = gap.prefix.splitlines(keepends=True), gap.suffix.splitlines(keepends=True)
    needed = sum(tokenizer.count(line) for line in behind[: room + 1])
    for_suffix = min(needed, max(int(SUFFIX_SHARE * room), room - _cost(before, room, tokenizer)))
    suffix = _fitting(behind, for_suffix, tokenizer)
    used = sum(tokenizer.count(line) for line in suffix)
    prefix = _fitting(before[::-1], room - used, tokenizer)[::-1]
    shown = Span(site.line - max(len(prefix) - 1, 0), site.line + len(suffix))
    return Near(Gap("".join(prefix), "".join(suffix)), shown)


def definitions(around: Near, path: str, code: CodeSource) -> Iterator[Definition]:
    """The definitions of the names around the gap, the nearest name's first; `path` is the gap's
    own file, of which nothing is repeated that is shown."""
    known: set[tuple[str, int]] = set()
    for name in _names(around.gap):
        paths = code.defined(name)
        if not 0 < len(paths) <= AMBIGUOUS:
            continue
        for place, symbol in _symbols(code, paths, name):
            is_shown = place == path and _meet(symbol, around.lines)
            if is_shown or (place, symbol.start) in known:
                continue
            known.add((place, symbol.start))
            yield _definition(place, symbol, code)


def chosen(found: Iterable[Definition], room: int, tokenizer: Tokenizer) -> tuple[Definition, ...]:
    """Those that fit, the nearest last, next to the code that uses them."""
    taken: list[Definition] = []
    for each in found:
        cost = tokenizer.count(each.text)
        if cost <= room:
            taken.insert(0, each)
            room -= cost
    return tuple(taken)


def _cost(lines: Sequence[str], most: int, tokenizer: Tokenizer) -> int:
    """The tokens of the lines, no more of them counted than it takes to reach `most`."""
    cost = 0
    for line in reversed(lines):
        cost += tokenizer.count(line)
        if cost >= most:
            return most
    return cost


def _fitting(lines: Sequence[str], room: int, tokenizer: Tokenizer) -> list[str]:
    """The first lines that fit."""
    taken: list[str] = []
    for line in lines:
        room -= tokenizer.count(line)
        if room < 0:
            break
        taken.append(line)
    return taken


def _names(gap: Gap) -> list[str]:
    """The words around the gap, each once, the nearest first."""
    before = gap.prefix.split("\n")[-LINES_BEFORE:]
    behind = gap.suffix.split("\n")[:LINES_BEHIND]
    placed = [(number, line) for number, line in enumerate(reversed(before))]
    placed += [(number, line) for number, line in enumerate(behind)]
    words = (word for _, line in sorted(placed) for word in _WORD.findall(line))
    return list(dict.fromkeys(words))[:NAMES]


def _symbols(code: CodeSource, paths: Iterable[str], name: str) -> Iterator[tuple[str, Symbol]]:
    for path in paths:
        for symbol in code.parsed(path).symbols:
            if symbol.kind in (*CALLABLES, *CONTAINERS) and last_name(symbol) == name:
                yield path, symbol


def _definition(path: str, symbol: Symbol, code: CodeSource) -> Definition:
    """The definition in full where it is short, else its signature; a long class as its own lines,
    without its methods' bodies."""
    parsed, lines = code.parsed(path), code.lines(path)
    shown = whole(RankedSymbol(path, symbol, 0.0, {}), code, 0).lines
    if len(shown) > WHOLE_LINES:
        shown = signature(path, symbol, parsed, worth=0).lines
    comment = "#" if parsed.language in _HASH_COMMENTS else "//"
    text = "".join(f"{lines[number - 1]}\n" for number in shown if number <= len(lines))
    return Definition(path, symbol.name, f"{comment} {path}\n{text}\n")


def _meet(symbol: Symbol, lines: Span) -> bool:
    return symbol.start <= lines.end and lines.start <= symbol.end
