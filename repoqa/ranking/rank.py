"""The weighted sum of the signals, with its reasons: which files and symbols matter."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from repoqa.index.index import Index, Numbers
from repoqa.index.parts import PARTS
from repoqa.ranking.bm25 import best
from repoqa.ranking.candidates import CANDIDATE_SIGNALS, Candidates
from repoqa.ranking.pins import pinned_files, pinned_units, resolve
from repoqa.ranking.query import Query, understand
from repoqa.ranking.signals import FILE_SIGNALS, UNIT_SIGNALS
from repoqa.ranking.weights import (
    BEST_UNITS,
    FILE_SHARE,
    FILE_WEIGHTS,
    PART_SHARES,
    UNIT_WEIGHTS,
    UNITS_SHARE,
)
from repoqa.records import Question, RankedFile, RankedSymbol, Ranking

# More than 100k tokens can hold (a function is some 120); what lies behind is noise.
MOST_FILES = 500
MOST_SYMBOLS = 2000

Parts = dict[str, Numbers]


def rank(question: Question, index: Index, *, without: Collection[str] = ()) -> Ranking:
    """Rank a repository's files and symbols for a question, best first, each with its reasons.

    `without` names signals to leave out, of units and files alike: for measuring their worth.
    Raises UsageError for a pin that means nothing here, or too much.
    """
    query, pins = understand(question, index), resolve(question.pins, index)
    units = {
        name: UNIT_WEIGHTS[name] * signal(query, index)
        for name, signal in UNIT_SIGNALS.items()
        if name not in without
    }
    files = {
        name: FILE_WEIGHTS[name] * signal(query, index)
        for name, signal in FILE_SIGNALS.items()
        if name not in without
    }
    shares = part_shares(query, index)
    first, _ = _together(units, files, shares=shares, index=index)
    own = (_sum(units) * shares[index.unit_file]) * index.unit_alive
    candidates = Candidates(own, _sum(first))
    units |= {
        name: UNIT_WEIGHTS[name] * signal(query, index, candidates)
        for name, signal in CANDIDATE_SIGNALS.items()
        if name not in without
    }
    units, files = _together(units, files, shares=shares, index=index)
    # Last, so that a pin lifts what was pinned and not all that shares its file.
    files["pinned"], units["pinned"] = pinned_files(pins, index), pinned_units(pins, index)
    return Ranking(_ranked_files(files, index), _ranked_symbols(units, index), pins)


def _together(units: Parts, files: Parts, *, shares: Numbers, index: Index) -> tuple[Parts, Parts]:
    """Units and files with what they lend each other: a file is lifted by its best units, a unit by
    its file, and both keep their part of the project's share."""
    files = {**files, "units": UNITS_SHARE * _best_units(_sum(units), index)}
    files["part"] = _sum(files) * (shares - 1)
    units = {**units, "part": _sum(units) * (shares[index.unit_file] - 1)}
    units["file"] = FILE_SHARE * _sum(files)[index.unit_file] * index.unit_alive
    return units, files


def _sum(parts: Parts) -> Numbers:
    """The parts' sum; np.sum would stack millions of scores first, in four times the time."""
    first, *others = parts.values()
    total = first.copy()
    for scores in others:
        total += scores
    return total


def _best_units(unit_scores: Numbers, index: Index) -> Numbers:
    """For each file the sum of its best units' scores, the n-th best divided by n."""
    lending = np.flatnonzero(unit_scores > 0)
    order = lending[np.lexsort((-unit_scores[lending], index.unit_file[lending]))]
    files = index.unit_file[order]
    places = np.arange(len(order)) - np.searchsorted(files, files)
    is_best = places < BEST_UNITS
    chosen = order[is_best]
    sums = np.bincount(
        index.unit_file[chosen],
        weights=unit_scores[chosen] / (1 + places[is_best]),
        minlength=len(index.file_paths),
    )
    return sums.astype(float)


def part_shares(query: Query, index: Index) -> Numbers:
    """What each file keeps of its score; a file the evidence names keeps all."""
    shares: Numbers = np.array([PART_SHARES[part] for part in PARTS])[index.file_part]
    for place, strength in (*query.mentions, *query.frames):
        number = index.file_number(place.path)
        if number is not None:
            shares[number] = max(shares[number], strength)
    return shares


def _ranked_files(parts: Parts, index: Index) -> tuple[RankedFile, ...]:
    scores = _sum(parts)
    numbers = best(scores * index.file_alive, MOST_FILES)
    ranked = [
        RankedFile(index.file_paths[number], score, reasons)
        for number, score, reasons in zip(
            numbers, scores[numbers].tolist(), _reasons(parts, numbers), strict=True
        )
    ]
    return tuple(sorted(ranked, key=lambda file: (-file.score, file.path)))


def _ranked_symbols(parts: Parts, index: Index) -> tuple[RankedSymbol, ...]:
    scores = _sum(parts)
    numbers = best(scores * index.unit_alive, MOST_SYMBOLS)
    paths = [index.file_paths[number] for number in index.unit_file[numbers]]
    index.prefetch(sorted(set(paths)))
    found = zip(paths, map(index.symbol, numbers.tolist()), scores[numbers].tolist(), strict=True)
    ranked = [
        RankedSymbol(*place_and_score, reasons)
        for place_and_score, reasons in zip(found, _reasons(parts, numbers), strict=True)
    ]
    return tuple(sorted(ranked, key=lambda s: (-s.score, s.path, s.symbol.start, -s.symbol.end)))


def _reasons(parts: Parts, numbers: NDArray[np.intp]) -> list[dict[str, float]]:
    """For each of these files or units, what adds up to its score."""
    rows = zip(*(scores[numbers].tolist() for scores in parts.values()), strict=True)
    return [{name: score for name, score in zip(parts, row, strict=True) if score} for row in rows]
