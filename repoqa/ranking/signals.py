"""The signals: each one function from a query and an index to a score for every unit or file.

A score is not negative, 0 where the signal says nothing, and is divided by its greatest, so that
the weights (`weights.py`) compare; places that the evidence names have their own strength, at
most 1.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from repoqa.index.index import Index, Numbers
from repoqa.index.terms import Field
from repoqa.ranking.bm25 import file_bm25, path_bm25, scaled, unit_bm25
from repoqa.ranking.changed import file_diff, unit_diff
from repoqa.ranking.places import Place
from repoqa.ranking.query import Query
from repoqa.records import Symbol

# BM25's length normalization of units, whose names are all short.
UNIT_B = 0.6
UNIT_NAME_B = 0.0


def unit_text(query: Query, index: Index) -> Numbers:
    """The question's words in the unit."""
    return scaled(unit_bm25(index, Field.TEXT, query.terms, b=UNIT_B))


def unit_title(query: Query, index: Index) -> Numbers:
    """The title's words in the unit."""
    return scaled(unit_bm25(index, Field.TEXT, query.title, b=UNIT_B))


def unit_title_name(query: Query, index: Index) -> Numbers:
    """The title's words in the symbol's name."""
    return scaled(unit_bm25(index, Field.NAME, query.title, b=UNIT_NAME_B))


def unit_definition(query: Query, index: Index) -> Numbers:
    """A name of the question is defined here; the fewer places define it, the stronger."""
    return _names(query.names, index, Field.DEFINED)


def unit_title_word(query: Query, index: Index) -> Numbers:
    """A plain word of the title is a name defined here; the fewer places, the stronger."""
    return _names(query.title_words, index, Field.DEFINED)


def unit_used(query: Query, index: Index) -> Numbers:
    """A name of the question is called, or used as a type, here; the fewer places, the stronger."""
    return _names(query.names, index, Field.USED)


def unit_dotted(query: Query, index: Index) -> Numbers:
    """A dotted name of the question means this unit: `Class.method`, or `module.function`."""
    scores = np.zeros(len(index.unit_file))
    for name in query.dotted:
        parts = name.split(".")
        for size in range(len(parts), 1, -1):
            units = index.matches(Field.QUALIFIED, ".".join(parts[-size:])).units
            if len(units):
                scores[units] += 1 / np.sqrt(len(units))
                break
        units = index.matches(Field.DEFINED, parts[-1]).units
        is_module = np.zeros(len(index.file_paths), dtype=bool)
        is_module[[number for number, _ in _modules(".".join(parts[:-1]), index)]] = True
        scores[units[is_module[index.unit_file[units]]]] += 1
    return scaled(scores)


def unit_trace(query: Query, index: Index) -> Numbers:
    """A stack trace passes through this unit; the innermost frames count most."""
    scores = np.zeros(len(index.unit_file))
    for place, strength in query.frames:
        for unit in _units_at(place, index):
            scores[unit] = max(scores[unit], strength)
    return scores


def unit_mention(query: Query, index: Index) -> Numbers:
    """The question names a line of this unit (`path:12`)."""
    scores = np.zeros(len(index.unit_file))
    for place, strength in query.mentions:
        if place.line is not None:
            scores[list(_units_at(place, index))] = strength
    return scores


def file_text(query: Query, index: Index) -> Numbers:
    """The question's words in the file."""
    return scaled(file_bm25(index, query.terms))


def file_title(query: Query, index: Index) -> Numbers:
    """The title's words in the file."""
    return scaled(file_bm25(index, query.title))


def file_path(query: Query, index: Index) -> Numbers:
    """The question's words in the file's path."""
    return scaled(path_bm25(index, query.terms))


def file_title_path(query: Query, index: Index) -> Numbers:
    """The title's words in the file's path."""
    return scaled(path_bm25(index, query.title))


def file_module(query: Query, index: Index) -> Numbers:
    """A dotted name of the question is this file's module path, or begins with it."""
    scores = np.zeros(len(index.file_paths))
    for name in query.dotted:
        parts = name.split(".")
        for size in range(len(parts), 0, -1):
            found = list(_modules(".".join(parts[:size]), index))
            for number, strength in found:
                scores[number] = max(scores[number], strength * size / len(parts))
            if found:
                break
    return scaled(scores)


def file_mention(query: Query, index: Index) -> Numbers:
    """The question names this file."""
    scores = np.zeros(len(index.file_paths))
    for place, strength in query.mentions:
        number = index.file_number(place.path)
        if number is not None:
            scores[number] = max(scores[number], strength)
    return scores


def file_trace(query: Query, index: Index) -> Numbers:
    """A stack trace passes through this file; the innermost frames count most."""
    scores = np.zeros(len(index.file_paths))
    for place, strength in query.frames:
        number = index.file_number(place.path)
        if number is not None:
            scores[number] = max(scores[number], strength)
    return scores


UNIT_SIGNALS = {
    "text": unit_text,
    "title": unit_title,
    "title_name": unit_title_name,
    "definition": unit_definition,
    "title_word": unit_title_word,
    "used": unit_used,
    "dotted": unit_dotted,
    "trace": unit_trace,
    "mention": unit_mention,
    "diff": unit_diff,
}
FILE_SIGNALS = {
    "text": file_text,
    "title": file_title,
    "path": file_path,
    "title_path": file_title_path,
    "module": file_module,
    "mention": file_mention,
    "trace": file_trace,
    "diff": file_diff,
}


def _names(names: Iterable[str], index: Index, field: Field) -> Numbers:
    scores = np.zeros(len(index.unit_file))
    for name in names:
        units = index.matches(field, name).units
        if len(units):
            scores[units] += 1 / np.sqrt(len(units))
    return scaled(scores)


def _modules(dotted: str, index: Index) -> Iterator[tuple[int, float]]:
    """The files whose path without suffix ends with a dotted name, and how much of it that is."""
    tail = dotted.replace(".", "/")
    for number, stem in index.stems_ending(tail):
        yield number, (tail.count("/") + 1) / (stem.count("/") + 1)


def _units_at(place: Place, index: Index) -> Iterator[int]:
    """The units of a file that hold a line; where none is told, those named like the function."""
    number = index.file_number(place.path)
    if number is None:
        return
    for unit in index.units_of(number):
        symbol = index.symbol(unit)
        if place.line is not None:
            if symbol.start <= place.line <= symbol.end and _is_innermost(symbol, place, index):
                yield unit
        elif place.function and symbol.name.endswith(place.function.rpartition(".")[2]):
            yield unit


def _is_innermost(symbol: Symbol, place: Place, index: Index) -> bool:
    """Whether no function inside the symbol holds the line: a class does not own its methods."""
    if symbol.kind in ("function", "method", "section") or place.line is None:
        return True
    return not any(
        inner.kind in ("function", "method") and inner.start <= place.line <= inner.end
        for inner in index.parsed(place.path).symbols
    )
