"""Signals that read the code of the first candidates, which is too much to do for all of it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from repoqa.index.index import Index, Numbers
from repoqa.index.terms import Field, ordered_terms
from repoqa.ranking.bm25 import best, rarity, scaled
from repoqa.ranking.query import STOP_TERMS, Query

# Reading 300 found no more than reading 150; callees of more than 30 callers are hardly theirs.
READ = 150
CALLERS = 30
# A name that more places define tells nothing of which one is called.
MOST_DEFINITIONS = 20
# Two and three words that stand together; four are rarely found.
PHRASE_LENGTHS = (2, 3)

Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the other signals say: `own` is each unit's own score, `scores` that with its file's.

    Both are Numbers of the index's units.
    """

    own: Numbers
    scores: Numbers


def unit_phrases(query: Query, index: Index, candidates: Candidates) -> Numbers:
    """Words that stand together in the question stand together here: an error's message, a term.

    A phrase counts the more, the fewer candidates hold it.
    """
    asked = set(chain.from_iterable(map(phrases, query.phrases)))
    read = best(candidates.scores, READ).tolist() if asked else []
    texts = _texts(read, index)
    held = {unit: asked.intersection(_runs(ordered_terms(texts[unit]))) for unit in read}
    holding = Counter(chain.from_iterable(held.values()))
    rarities = {phrase: rarity(len(read), number) for phrase, number in holding.items()}
    scores = np.zeros(len(index.unit_file))
    for unit, found in held.items():
        scores[unit] = sum(rarities[phrase] for phrase in sorted(found))
    return scaled(scores)


def phrases(terms: Sequence[str]) -> set[Phrase]:
    """The runs of two and three terms, but for those of words that say nothing."""
    return {run for run in _runs(terms) if not STOP_TERMS.issuperset(run)}


def _runs(terms: Sequence[str]) -> Iterator[Phrase]:
    return chain.from_iterable(
        zip(*(terms[start:] for start in range(length)), strict=False) for length in PHRASE_LENGTHS
    )


def unit_callees(query: Query, index: Index, candidates: Candidates) -> Numbers:
    """The best candidates use a name that is defined here: the fault is often one call away."""
    del query  # the candidates speak for it
    callers = best(candidates.own, CALLERS).tolist()
    index.prefetch(_paths(callers, index))
    greatest = candidates.own.max(initial=0.0)
    strengths: dict[str, float] = {}
    for unit in callers:  # best first: a name keeps the strength of its best caller
        for name in index.used(unit):
            strengths.setdefault(name, float(candidates.own[unit] / greatest))
    return scaled(_defining(strengths, index))


def _defining(strengths: Mapping[str, float], index: Index) -> Numbers:
    scores = np.zeros(len(index.unit_file))
    for name, strength in strengths.items():
        units = index.matches(Field.DEFINED, name).units
        if 0 < len(units) <= MOST_DEFINITIONS:
            scores[units] = np.maximum(scores[units], strength / np.sqrt(len(units)))
    return scores


def _texts(units: Iterable[int], index: Index) -> dict[int, str]:
    found = list(units)
    paths = _paths(found, index)
    index.prefetch(paths)
    index.prefetch_lines(paths)
    texts = {}
    for unit in found:
        symbol = index.symbol(unit)
        lines = index.lines(index.file_paths[int(index.unit_file[unit])])
        texts[unit] = "\n".join(lines[symbol.start - 1 : symbol.end])
    return texts


def _paths(units: Iterable[int], index: Index) -> list[str]:
    return sorted({index.file_paths[int(index.unit_file[unit])] for unit in units})


CANDIDATE_SIGNALS = {"phrases": unit_phrases, "callees": unit_callees}
