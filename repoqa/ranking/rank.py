"""The weighted sum of the signals, with its reasons: which files and symbols matter."""

from collections.abc import Callable, Collection, Mapping

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

    def told(
        signals: Mapping[str, Callable[..., Numbers]], weights: Mapping[str, float], *more: object
    ) -> Parts:
        """What the signals say, weighted; most have nothing to say of a question."""
        wanted = ((name, signal) for name, signal in signals.items() if name not in without)
        scored = ((name, signal(query, index, *more)) for name, signal in wanted)
        return {name: weights[name] * scores for name, scores in scored if scores.any()}

    units, files = told(UNIT_SIGNALS, UNIT_WEIGHTS), told(FILE_SIGNALS, FILE_WEIGHTS)
    shares = part_shares(query, index)
    first, _ = _together(units, files, shares=shares, index=index)
    own = _unit_sum(units, index) * shares[index.unit_file] * index.unit_alive
    candidates = Candidates(own, _unit_sum(first, index))
    units |= told(CANDIDATE_SIGNALS, UNIT_WEIGHTS, candidates)
    units, files = _together(units, files, shares=shares, index=index)
    # Last, so that a pin lifts what was pinned and not all that shares its file.
    files["pinned"], units["pinned"] = pinned_files(pins, index), pinned_units(pins, index)
    return Ranking(_ranked_files(files, index), _ranked_symbols(units, index), pins)


def _together(units: Parts, files: Parts, *, shares: Numbers, index: Index) -> tuple[Parts, Parts]:
    """Units and files with what they lend each other: a file is lifted by its best units, a unit by
    its file, and both keep their part of the project's share."""
    own = _unit_sum(units, index)
    files = {**files, "units": UNITS_SHARE * _best_units(own, index)}
    files["part"] = _file_sum(files, index) * (shares - 1)
    lent = FILE_SHARE * _file_sum(files, index)
    of_part, of_file = own * (shares - 1)[index.unit_file], lent[index.unit_file] * index.unit_alive
    return {**units, "part": of_part, "file": of_file}, files


def _unit_sum(parts: Parts, index: Index) -> Numbers:
    return _sum(parts, len(index.unit_file))


def _file_sum(parts: Parts, index: Index) -> Numbers:
    return _sum(parts, len(index.file_paths))


def _sum(parts: Parts, length: int) -> Numbers:
    """The parts' sum; np.sum would stack millions of scores first, in four times the time."""
    total = np.zeros(length)
    for scores in parts.values():
        total += scores
    return total


def _best_units(unit_scores: Numbers, index: Index) -> Numbers:
    """For each file the sum of its best units' scores, the n-th best divided by n."""
    sums = np.zeros(len(index.file_paths))
    lending = np.flatnonzero(unit_scores > 0)
    scores, files = unit_scores[lending], index.unit_file[lending]
    for place in range(1, BEST_UNITS + 1):
        starts = np.flatnonzero(np.diff(files, prepend=-1))  # a file's units stand together
        if not len(starts):
            break
        best_left = np.maximum.reduceat(scores, starts)
        sums[files[starts]] += best_left / place
        equals = np.flatnonzero(scores == np.repeat(best_left, np.diff(starts, append=len(files))))
        counted = equals[np.flatnonzero(np.diff(files[equals], prepend=-1))]
        scores, files = np.delete(scores, counted), np.delete(files, counted)
    return sums


def part_shares(query: Query, index: Index) -> Numbers:
    """What each file keeps of its score; a file the evidence names keeps all."""
    shares: Numbers = np.array([PART_SHARES[part] for part in PARTS])[index.file_part]
    for place, strength in (*query.mentions, *query.frames):
        number = index.file_number(place.path)
        if number is not None:
            shares[number] = max(shares[number], strength)
    return shares


def _ranked_files(parts: Parts, index: Index) -> tuple[RankedFile, ...]:
    scores = _file_sum(parts, index)
    numbers = best(scores * index.file_alive, MOST_FILES)
    ranked = [
        RankedFile(index.file_paths[number], score, reasons)
        for number, score, reasons in zip(
            numbers, scores[numbers].tolist(), _reasons(parts, numbers), strict=True
        )
    ]
    return tuple(sorted(ranked, key=lambda file: (-file.score, file.path)))


def _ranked_symbols(parts: Parts, index: Index) -> tuple[RankedSymbol, ...]:
    scores = _unit_sum(parts, index)
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
