"""BM25 over units, files and their paths (Robertson and Zaragoza, "The Probabilistic Relevance
Framework", 2009), and what makes the scores of signals compare."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from repoqa.index.index import Index, Numbers
from repoqa.index.terms import Field

# BM25's saturation and length normalization; units vary in length by design, files by habit.
K1 = 1.2
FILE_B = 0.3
NAME_B = 0.3


def scaled(scores: Numbers) -> Numbers:
    """Scores divided by their greatest."""
    greatest = scores.max(initial=0.0)
    return scores / greatest if greatest > 0 else scores


def best(scores: Numbers, number: int) -> NDArray[np.intp]:
    """The places of the greatest scores over 0, best first, of equals the first; no more than
    `number`, and only about as many are sorted."""
    least = np.partition(scores, -number)[-number] if len(scores) > number else 0.0
    places = np.flatnonzero(scores >= least if least > 0 else scores > 0)
    return places[np.argsort(-scores[places], kind="stable")][:number]


def rarity(total: int, holding: int) -> float:
    """BM25's inverse document frequency, in the form that is never negative."""
    return float(np.log1p((total - holding + 0.5) / (holding + 0.5)))


def _norms(lengths: Numbers, alive: np.ndarray, b: float) -> Numbers:
    average = lengths[alive].mean() if alive.any() else 1.0
    return K1 * (1 - b + b * lengths / max(average, 1.0))


def unit_bm25(index: Index, field: Field, weights: Mapping[str, float], *, b: float) -> Numbers:
    """The BM25 of weighted terms in a field of each unit."""
    scores = np.zeros(len(index.unit_file))
    norms = _norms(index.lengths, index.unit_alive, b)
    total = int(index.unit_alive.sum())
    for term, weight in weights.items():
        found = index.matches(field, term)
        saturated = found.counts * (K1 + 1) / (found.counts + norms[found.units])
        scores[found.units] += weight * rarity(total, len(found.units)) * saturated
    return scores


def file_bm25(index: Index, weights: Mapping[str, float]) -> Numbers:
    """The BM25 of weighted terms in the text of each file."""
    files = len(index.file_paths)
    lengths = np.bincount(index.unit_file, weights=index.lengths, minlength=files).astype(float)
    norms = _norms(lengths, index.file_alive, FILE_B)
    total = int(index.file_alive.sum())
    scores = np.zeros(files)
    for term, weight in weights.items():
        found = index.matches(Field.TEXT, term)
        holding, places = np.unique(index.unit_file[found.units], return_inverse=True)
        counts = np.bincount(places, weights=found.counts, minlength=len(holding))
        saturated = counts * (K1 + 1) / (counts + norms[holding])
        scores[holding] += weight * rarity(total, len(holding)) * saturated
    return scores


def path_bm25(index: Index, weights: Mapping[str, float]) -> Numbers:
    """The BM25 of weighted terms in the path of each file."""
    norms = _norms(index.path_lengths, index.file_alive, NAME_B)
    total = int(index.file_alive.sum())
    scores = np.zeros(len(index.file_paths))
    for term, weight in weights.items():
        files = index.files_named(term)
        scores[files] += weight * rarity(total, len(files)) * (K1 + 1) / (1 + norms[files])
    return scores
