"""The signals of a diff: what it changes is likelier to be where a bug came from."""

from collections import defaultdict
from collections.abc import Collection, Iterator

import numpy as np

from repoqa.index.index import Index, Numbers
from repoqa.ranking.query import Query


def unit_diff(query: Query, index: Index) -> Numbers:
    """The diff changes a line of this unit, which no smaller unit holds."""
    scores = np.zeros(len(index.unit_file))
    changed = _changed_lines(query, index)
    index.prefetch(sorted(index.file_paths[number] for number in changed))
    for number, lines in changed.items():
        scores[list(_units_of(lines, number, index))] = 1
    return scores


def file_diff(query: Query, index: Index) -> Numbers:
    """The diff changes this file."""
    scores = np.zeros(len(index.file_paths))
    scores[list(_changed_lines(query, index))] = 1
    return scores


def _changed_lines(query: Query, index: Index) -> dict[int, set[int]]:
    """The changed lines of each living file, by its number."""
    changed: dict[int, set[int]] = defaultdict(set)
    for lines in query.changes:
        number = index.file_number(lines.path)
        if number is not None:
            changed[number].update(range(lines.start, lines.end + 1))
    return changed


def _units_of(lines: Collection[int], file_number: int, index: Index) -> Iterator[int]:
    """For each of a file's lines the smallest unit that holds it."""
    units = [(unit, index.symbol(unit)) for unit in index.units_of(file_number)]
    taken: set[int] = set()
    for unit, symbol in sorted(units, key=lambda pair: pair[1].end - pair[1].start):
        here = {line for line in range(symbol.start, symbol.end + 1) if line in lines} - taken
        if here:
            taken |= here
            yield unit
