"""How well the right code is found: bug reports against the places their fixes changed.

Strict: a report counts at k when *all* its gold places are among the first k. Gold functions are
the functions and methods, not nested in another function, whose span meets a gold range.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from repoqa.evaluation.reports import Gold, Report
from repoqa.index.index import Index
from repoqa.parsing.functions import FUNCTIONS, outer_functions
from repoqa.protocols import CodeSource
from repoqa.ranking.bm25 import file_bm25
from repoqa.ranking.query import understand
from repoqa.records import Excerpt, Question, Ranking

FILE_CUTS = (1, 3, 5, 10)
FUNCTION_CUTS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class Place:
    """A gold function: its file and its first line."""

    path: str
    start: int


def gold_functions(report: Report, code: CodeSource) -> set[Place]:
    """The functions of a report's fix."""
    known = set(code.paths)
    return {
        Place(gold.path, symbol.start)
        for gold in report.gold
        if gold.path in known
        for symbol in outer_functions(code.parsed(gold.path).symbols)
        if any(start <= symbol.end and symbol.start <= end for start, end in gold.ranges)
    }


def hits(report: Report, ranking: Ranking, code: CodeSource) -> dict[str, bool | float]:
    """`file@k` and `function@k` (absent where no gold place is a function), and `mrr`."""
    result = _file_hits(report, [file.path for file in ranking.files])
    gold = gold_functions(report, code)
    if gold:
        ranked = [
            Place(found.path, found.symbol.start)
            for found in ranking.symbols
            if found.symbol.kind in FUNCTIONS
        ]
        result |= {f"function@{k}": gold <= set(ranked[:k]) for k in FUNCTION_CUTS}
    return result


def _file_hits(report: Report, files: Sequence[str]) -> dict[str, bool | float]:
    gold_files = {gold.path for gold in report.gold}
    result: dict[str, bool | float] = {f"file@{k}": gold_files <= set(files[:k]) for k in FILE_CUTS}
    first = next((n for n, path in enumerate(files, 1) if path in gold_files), None)
    result["mrr"] = 1 / first if first else 0.0
    return result


def plain_hits(report: Report, question: Question, index: Index) -> dict[str, bool | float]:
    """`file@k` and `mrr` of BM25 over whole files and nothing else, tests and documents among
    them: what any text search would find."""
    scores = file_bm25(index, understand(question, index).terms)
    order = np.argsort(-scores, kind="stable")[: int((scores > 0).sum())]
    return _file_hits(report, [index.file_paths[number] for number in order])


def coverage(gold: Sequence[Gold], excerpts: Sequence[Excerpt]) -> Mapping[str, float]:
    """The share of gold files touched and of gold lines shown in full by the excerpts.

    `files` and `lines` are shares; `all_files` and `all_lines` are 1 where nothing is missing.
    """
    shown: dict[str, set[int]] = {}
    touched = {excerpt.path for excerpt in excerpts}
    for excerpt in excerpts:
        if excerpt.form == "full":
            shown.setdefault(excerpt.path, set()).update(range(excerpt.start, excerpt.end + 1))
    files = [file.path in touched for file in gold]
    lines = [
        line in shown.get(file.path, ())
        for file in gold
        for start, end in file.ranges
        for line in range(start, end + 1)
    ]
    return {
        "files": sum(files) / max(len(files), 1),
        "lines": sum(lines) / max(len(lines), 1),
        "all_files": float(all(files)),
        "all_lines": float(all(lines)),
    }
