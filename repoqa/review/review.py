"""A review: first what the change reaches, then what the model says of it."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from repoqa.index.build import build
from repoqa.index.index import Index
from repoqa.index.store import Store
from repoqa.protocols import Progress
from repoqa.records import SkippedFile
from repoqa.review.chosen import Chosen
from repoqa.review.compared import file_changes, unread, without
from repoqa.review.impact import impact
from repoqa.review.report import SEVERITIES, Impact, Review, Severity
from repoqa.review.versions import FileChange


@dataclass(frozen=True, slots=True)
class Reached:
    """What a change reaches, and all that a model is to be asked with."""

    chosen: Chosen
    index: Index
    files: tuple[FileChange, ...]
    impact: tuple[Impact, ...]
    not_reviewed: tuple[SkippedFile, ...]
    seconds: Mapping[str, float]

    def review(self) -> Review:
        """The review without a model."""
        return Review(
            range=self.chosen.range,
            impact=self.impact,
            findings=(),
            dropped={},
            not_reviewed=self.not_reviewed,
            model="",
            problem="",
            seconds=self.seconds,
        )


@dataclass(slots=True)
class Stopwatch:
    """Seconds per stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is done inside."""
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


def reach(chosen: Chosen, store: Store, *, progress: Progress) -> Reached:
    """Index the new side, parse the old one's changed files, and find what they reach."""
    watch, compared = Stopwatch(), chosen.compared
    with watch.stage("index"):
        # A pushed commit is near the working tree: they share what is kept of the index.
        near = replace(compared.snapshot, revision=None)
        index = build(near, store, progress=progress)
    with watch.stage("impact"):
        files = file_changes(compared, index, store)
        found, beyond = impact(files, index)
    left_out = tuple(unread(compared, index))
    not_reviewed = {*compared.not_reviewed, *left_out, *beyond}
    return Reached(
        chosen=replace(chosen, compared=without(compared, left_out)),
        index=index,
        files=files,
        impact=found,
        not_reviewed=tuple(sorted(not_reviewed)),
        seconds=watch.seconds,
    )


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the impact shows to be wrong at a place."""

    path: str
    line: int
    severity: Severity
    message: str


def problems(changes: Iterable[Impact]) -> tuple[Problem, ...]:
    """What no longer fits, or may not: by severity, path and line, each place once.

    What only might not fit since an argument spreads, or another overload takes as many, is told
    in the counts of the impact alone.
    """
    found: dict[tuple[str, int], Problem] = {}
    for change in changes:
        for problem in _of_change(change):
            place = (problem.path, problem.line)
            known = found.get(place)
            if known is None or _rank(problem) < _rank(known):
                found[place] = problem
    return tuple(sorted(found.values(), key=lambda one: (_rank(one), one.path, one.line)))


def is_blocking(review: Review, least: Severity) -> bool:
    """Whether the review found something of this severity or a graver one."""
    grave = SEVERITIES[: SEVERITIES.index(least) + 1]
    severities = [finding.severity for finding in review.findings]
    severities += [problem.severity for problem in problems(review.impact)]
    return any(severity in grave for severity in severities)


def _rank(problem: Problem) -> int:
    return SEVERITIES.index(problem.severity)


def _of_change(change: Impact) -> Iterator[Problem]:
    name = change.was.symbol if change.was else change.symbol
    for caller in change.callers:
        if caller.fits is False:
            message = f"{name} no longer fits: {caller.why}"
            yield Problem(caller.path, caller.line, "error", message)
        elif caller.fits is None and caller.is_doubtful:
            message = f"{name} may no longer fit: {caller.why}"
            yield Problem(caller.path, caller.line, "warning", message)
    for related in change.overrides:
        if related.fits is False:
            verb = "overrides" if related.relation == "overrides" else "is overridden by"
            message = f"{related.symbol} {verb} {name}, whose parameters changed"
            yield Problem(related.path, related.line, "warning", message)
