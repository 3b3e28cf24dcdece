"""Ranks the first candidates anew by what they mean: questions and code may share no word.

The nearness of a question and a function, as an embedding model sees it, is one more signal,
`meaning`: its part in a score is given among the reasons like any other's. Only functions that the
other signals put forward are read: a new one takes some 50 milliseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from repoqa.protocols import CodeSource, Embedder, Progress
from repoqa.records import Question, RankedFile, RankedSymbol, Ranking

REASON = "meaning"
FUNCTIONS = ("function", "method")
# Twice as many found no more of the fixes of 70 real bug reports (docs/decisions/rerank.md).
CANDIDATES = 50
# The title is a summary, the whole text has the details.
TITLE_SHARE = 0.3
# Like those of the other signals, whose values are at most 1.
SYMBOL_WEIGHT = 2.0
FILE_WEIGHT = 1.0

Place = tuple[str, int, int]


def rerank(
    ranking: Ranking,
    question: Question,
    *,
    code: CodeSource,
    embedder: Embedder,
    progress: Progress,
) -> Ranking:
    """The ranking with `meaning` among its reasons, best first. Raises ModelError."""
    candidates = [found for found in ranking.symbols if found.symbol.kind in FUNCTIONS]
    candidates = candidates[:CANDIDATES]
    if len(candidates) < 2:
        return ranking
    texts = [question.title, question.text, *(_text(found, code) for found in candidates)]
    vectors = embedder.embed(texts, progress=progress)
    near = vectors[2:] @ (TITLE_SHARE * vectors[0] + (1 - TITLE_SHARE) * vectors[1])
    shares = (near - near.min()) / max(float(near.max() - near.min()), np.finfo(np.float32).eps)
    symbols: dict[Place, float] = {}
    files: dict[str, float] = {}
    for found, share in zip(candidates, map(float, shares), strict=True):
        symbols[_place(found)] = SYMBOL_WEIGHT * share
        files[found.path] = max(files.get(found.path, 0.0), FILE_WEIGHT * share)
    return replace(
        ranking, files=_files(ranking.files, files), symbols=_symbols(ranking.symbols, symbols)
    )


def _text(found: RankedSymbol, code: CodeSource) -> str:
    """What is read of a function: its name, and its lines from the first on."""
    lines = code.lines(found.path)[found.symbol.start - 1 : found.symbol.end]
    return "\n".join((found.symbol.name, *lines))


def _place(found: RankedSymbol) -> Place:
    return found.path, found.symbol.start, found.symbol.end


def _symbols(
    ranked: Sequence[RankedSymbol], added: Mapping[Place, float]
) -> tuple[RankedSymbol, ...]:
    new = [
        replace(found, score=found.score + more, reasons={**found.reasons, REASON: more})
        if (more := added.get(_place(found), 0.0))
        else found
        for found in ranked
    ]
    return tuple(sorted(new, key=lambda s: (-s.score, s.path, s.symbol.start, -s.symbol.end)))


def _files(ranked: Sequence[RankedFile], added: Mapping[str, float]) -> tuple[RankedFile, ...]:
    new = [
        replace(file, score=file.score + more, reasons={**file.reasons, REASON: more})
        if (more := added.get(file.path, 0.0))
        else file
        for file in ranked
    ]
    return tuple(sorted(new, key=lambda file: (-file.score, file.path)))
