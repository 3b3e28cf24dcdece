"""What the user pins: files, symbols and places (`path:line`), found in the index.

A pin means one thing. What may mean several, or nothing, is an error that names candidates.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from repoqa.errors import UsageError
from repoqa.index.index import Index, Numbers
from repoqa.index.terms import Field, terms_of
from repoqa.ranking.weights import PINNED
from repoqa.records import Lines, Symbol

PLACE = re.compile(r"(?P<path>.+):(?P<line>\d{1,7})", re.DOTALL)
SEPARATOR = re.compile(r"::|->|#")
MOST_CANDIDATES = 8
# Each is asked for its symbol's name, which may read the cache.
MOST_UNITS_COMPARED = 2000
# Lines kept on each side of a pinned line that no symbol holds, or whose symbol does not fit.
AROUND = 15


def resolve(pins: Iterable[str], index: Index) -> tuple[Lines, ...]:
    """The lines that each pin means: a file's, a symbol's, or those of the symbol around a line.

    Raises UsageError for a pin that means nothing, or more than one thing.
    """
    return tuple(dict.fromkeys(lines for pin in pins for lines in _resolve(pin, index)))


def pinned_files(pins: Sequence[Lines], index: Index) -> Numbers:
    """The reason `pinned` of every file: its weight for a file that holds pinned lines."""
    reasons = np.zeros(len(index.file_paths))
    reasons[[number for pin in pins if (number := index.file_number(pin.path)) is not None]] = (
        PINNED
    )
    return reasons


def pinned_units(pins: Sequence[Lines], index: Index) -> Numbers:
    """The reason `pinned` of every unit: its weight for those that pinned lines hold, or else for
    the smallest that holds the pinned lines."""
    reasons = np.zeros(len(index.unit_file))
    for pin in pins:
        number = index.file_number(pin.path)
        if number is not None:
            units = [(unit, index.symbol(unit)) for unit in index.units_of(number)]
            reasons[_held(pin, units)] = PINNED
    return reasons


def _held(pin: Lines, units: Iterable[tuple[int, Symbol]]) -> list[int]:
    touched = [(unit, s) for unit, s in units if s.start <= pin.end and pin.start <= s.end]
    held = [unit for unit, s in touched if pin.start <= s.start and s.end <= pin.end]
    return held or [unit for unit, _ in sorted(touched, key=lambda pair: _length(pair[1]))[:1]]


def _resolve(pin: str, index: Index) -> Iterator[Lines]:
    place = PLACE.fullmatch(pin)
    paths = _files(pin, index)
    if paths:
        path = _only(pin, paths)
        yield Lines(path, 1, max(len(index.lines(path)), 1))
    elif place and (paths := _files(place["path"], index)):
        yield from _around(pin, _only(pin, paths), int(place["line"]), index=index)
    else:
        yield from _symbols(pin, index)


def _files(printed: str, index: Index) -> list[str]:
    """The file of this path, or else those whose path ends with it."""
    path = printed.replace("\\", "/").removeprefix("./")
    if index.file_number(path) is not None:
        return [path]
    return [known for known in index.paths if path and known.endswith(f"/{path}")]


def _around(pin: str, path: str, line: int, *, index: Index) -> Iterator[Lines]:
    """The innermost symbol at a line; and the lines around it, which fit where that does not."""
    length = len(index.lines(path))
    if not 1 <= line <= length:
        raise UsageError(
            f"--path {pin}: {path} has {length:,} {'line' if length == 1 else 'lines'}",
            remedy=f"Name one of its lines, or the file: --path {path}",
        )
    first, last = 1, length
    holding = [s for s in index.parsed(path).symbols if s.start <= line <= s.end]
    if holding:
        innermost = min(holding, key=_length)
        yield Lines(path, innermost.start, innermost.end)
        first, last = innermost.start, innermost.end
    yield Lines(path, max(line - AROUND, first), min(line + AROUND, last))


def _symbols(pin: str, index: Index) -> Iterator[Lines]:
    """Every definition of the one symbol that is meant: its overloads count as one."""
    name = SEPARATOR.sub(".", pin)
    found = [
        (path, symbol)
        for path in index.defined(name)
        for symbol in index.parsed(path).symbols
        if symbol.name == name or symbol.name.endswith(f".{name}")
    ]
    if len({(path, symbol.name) for path, symbol in found}) > 1:
        raise _too_much(pin, [_named(path, symbol) for path, symbol in found])
    if not found:
        raise _nothing(pin, index)
    for path, symbol in found:
        yield Lines(path, symbol.start, symbol.end)


def _only(pin: str, paths: Sequence[str]) -> str:
    if len(paths) > 1:
        raise _too_much(pin, paths)
    return paths[0]


def _too_much(pin: str, candidates: Sequence[str]) -> UsageError:
    return UsageError(
        f"--path {pin} may mean {len(candidates)} things",
        remedy=f"Name one of them: {_listed(candidates)}",
    )


def _nothing(pin: str, index: Index) -> UsageError:
    message = f"--path {pin} is no file, line or symbol of this code"
    inside = [path for path in index.paths if f"/{pin.strip('/')}/" in f"/{path}"]
    if inside:
        return UsageError(
            f"--path {pin} is a folder",
            remedy=f"Name a file of it, or read it alone with --include: {_listed(inside)}",
        )
    candidates = _like(pin, index)
    if candidates:
        return UsageError(message, remedy=f"Did you mean one of these? {_listed(candidates)}")
    return UsageError(message, remedy="Name a file, a symbol (Class.method) or a line (path:12).")


def _like(pin: str, index: Index) -> list[str]:
    """Files and symbols with names like the pin's, the most alike first."""
    name = SEPARATOR.sub(".", pin).partition(":")[0].rpartition("/")[2]
    names = {path: path.rpartition("/")[2] for path in index.paths}
    matches = {int(unit) for term in terms_of(name) for unit in _units_named(term, index)}
    units = sorted(matches) or np.flatnonzero(index.unit_alive).tolist()
    for unit in units[:MOST_UNITS_COMPARED]:
        symbol, path = index.symbol(unit), index.file_paths[int(index.unit_file[unit])]
        names[_named(path, symbol)] = symbol.name if "." in name else _last(symbol.name)
    known = sorted({each.lower() for each in names.values()})
    close = difflib.get_close_matches(name.lower(), known, n=MOST_CANDIDATES)
    return [shown for like in close for shown, each in names.items() if each.lower() == like]


def _units_named(term: str, index: Index) -> Iterable[int]:
    return map(int, index.matches(Field.NAME, term).units)


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _length(symbol: Symbol) -> int:
    return symbol.end - symbol.start


def _named(path: str, symbol: Symbol) -> str:
    return f"{path}:{symbol.start} ({symbol.name})"


def _listed(candidates: Sequence[str]) -> str:
    more = len(candidates) - MOST_CANDIDATES
    shown = ", ".join(candidates[:MOST_CANDIDATES])
    return f"{shown} and {more} more" if more > 0 else shown
