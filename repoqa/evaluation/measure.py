"""Measures one bug report: indexed, ranked and packed by the same code as `repoqa pack`."""

import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import msgspec

from repoqa.errors import RepositoryError, UsageError
from repoqa.evaluation.localize import coverage, hits, plain_hits
from repoqa.evaluation.reports import Report, find_clone
from repoqa.evidence import question as evidence
from repoqa.index.build import build
from repoqa.index.store import Store
from repoqa.models.estimate import EstimatedTokenizer
from repoqa.packing.budget import Room
from repoqa.packing.pack import pack
from repoqa.protocols import Silent
from repoqa.ranking.rank import rank
from repoqa.repository.snapshot import open_snapshot

# SWE-bench's retrieval sets are counted in cl100k tokens: 13k, 27k and 50k are theirs.
BUDGETS = (4_000, 8_000, 13_000, 27_000, 50_000, 100_000)


class Measurement(msgspec.Struct, frozen=True):
    """One report's figures. `hits` are 1 or 0 (and `mrr`), `coverage` the shares by budget.

    `names_gold` says that the report's text names a gold file; `seconds` are those of a question
    whose files are all cached: rank, and the largest pack. `plain` are the files' hits by BM25 over
    whole files alone, for comparison.
    """

    id: str
    lang: str
    repo: str
    names_gold: bool
    hits: dict[str, float]
    coverage: dict[int, dict[str, float]]
    seconds: dict[str, float]
    plain: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class Task:
    """How reports are measured: where the clones and the cache are, which signals are left out."""

    repositories: Path
    cache: Path
    without: frozenset[str] = frozenset()
    budgets: tuple[int, ...] = BUDGETS


class Cl100kTokenizer:
    """Counts cl100k tokens themselves, as the published retrieval sets do."""

    name = "cl100k"
    exact = True

    def __init__(self) -> None:
        self._ranks = EstimatedTokenizer(1.0)

    def count(self, text: str) -> int:
        """The number of cl100k tokens of `text`."""
        return len(self._ranks.encode(text))

    def encode(self, text: str) -> list[int]:
        """The cl100k ids of `text`."""
        return self._ranks.encode(text)

    def control(self, text: str) -> list[int]:
        """cl100k has no chat format: the ids of `text`."""
        return self._ranks.encode(text)


def measure(report: Report, task: Task) -> Measurement:
    """Measure one report at its base commit. Raises RepositoryError where that cannot be read."""
    clone = find_clone(task.repositories, report.history)
    if clone is None:
        raise RepositoryError(
            f"There is no clone of {report.history} below {task.repositories}.",
            remedy=f"Clone it to {task.repositories / report.history}.",
        )
    snapshot = open_snapshot(clone, revision=report.base_commit)
    index = build(snapshot, Store(task.cache), progress=Silent())
    question = evidence.read(report.problem_statement)
    began = time.perf_counter()
    ranking = rank(question, index, without=task.without)
    seconds = {"rank": time.perf_counter() - began}
    found = hits(report, ranking, index)
    tokenizer, covered = Cl100kTokenizer(), {}
    for budget in task.budgets:
        began = time.perf_counter()
        context = pack(ranking, index, Room(budget, tokenizer, reliable=budget))
        seconds["pack"] = time.perf_counter() - began
        covered[budget] = dict(coverage(report.gold, context.excerpts))
    return Measurement(
        id=report.id,
        lang=report.lang,
        repo=report.repo,
        names_gold=any(gold.path in report.problem_statement for gold in report.gold),
        hits={name: float(value) for name, value in found.items()},
        coverage=covered,
        seconds=seconds,
        plain={name: float(value) for name, value in plain_hits(report, question, index).items()},
    )


def measure_all(reports: Sequence[Report], task: Task, *, jobs: int) -> Iterator[Measurement]:
    """Measure reports side by side and yield each as it is done, in any order."""
    if jobs <= 1:
        yield from (measure(report, task) for report in reports)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        pending = [pool.submit(measure, report, task) for report in reports]
        try:
            for done in as_completed(pending):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def measured_before(path: Path) -> list[Measurement]:
    """The measurements an earlier, interrupted run left. Raises UsageError on another file."""
    if not path.exists():
        return []
    decoder = msgspec.json.Decoder(Measurement)
    try:
        return [decoder.decode(line) for line in path.read_bytes().splitlines()]
    except (msgspec.MsgspecError, OSError) as error:
        raise UsageError(
            f"{path} does not hold measurements ({error}).",
            remedy="Name another file with --out, or delete this one.",
        ) from error


def remaining(reports: Sequence[Report], measured: Collection[Measurement]) -> list[Report]:
    """The reports not yet measured."""
    done = {measurement.id for measurement in measured}
    return [report for report in reports if report.id not in done]
