"""Measurements as rows of a table: shares in percent, by language, repository or all together."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, median

from repoqa.evaluation.localize import FILE_CUTS, FUNCTION_CUTS
from repoqa.evaluation.measure import Measurement

FILE_HITS = (*(f"file@{k}" for k in FILE_CUTS), "mrr")
HITS = (*(f"file@{k}" for k in FILE_CUTS), *(f"function@{k}" for k in FUNCTION_CUTS), "mrr")
SHARES = ("files", "all_files", "lines", "all_lines")


@dataclass(frozen=True, slots=True)
class Row:
    """A group of reports: its name, its size and its figures, None where nothing is measured."""

    name: str
    reports: int
    figures: tuple[float | None, ...]


def hit_rows(measured: Sequence[Measurement]) -> list[Row]:
    """The share of reports that hit, in percent: all, those that name no gold file, each language
    and each repository."""
    rows = []
    for name, group in _groups(measured):
        hits = [m.hits for m in group]
        figures = tuple(_percent(found.get(hit) for found in hits) for hit in HITS)
        rows.append(Row(name, len(group), figures))
    return rows


def plain_rows(measured: Sequence[Measurement]) -> list[Row]:
    """The share of reports that BM25 over whole files alone hits, in percent, likewise."""
    return [
        Row(name, len(group), tuple(_percent(m.plain.get(hit) for m in group) for hit in FILE_HITS))
        for name, group in _groups([m for m in measured if m.plain])
    ]


def coverage_rows(measured: Sequence[Measurement]) -> list[Row]:
    """For each budget the mean shares of gold files and lines, and of reports with all of them."""
    budgets = sorted({budget for m in measured for budget in m.coverage})
    return [
        Row(
            f"{budget:,} tokens",
            len(measured),
            tuple(_percent(m.coverage[budget][share] for m in measured) for share in SHARES),
        )
        for budget in budgets
    ]


def seconds_rows(measured: Sequence[Measurement]) -> list[Row]:
    """The median and the greatest seconds of each stage."""
    stages = dict.fromkeys(stage for m in measured for stage in m.seconds)
    rows = []
    for stage in stages:
        seconds = [m.seconds[stage] for m in measured if stage in m.seconds]
        rows.append(Row(stage, len(seconds), (median(seconds), max(seconds))))
    return rows


def _groups(measured: Sequence[Measurement]) -> list[tuple[str, list[Measurement]]]:
    keys: tuple[Callable[[Measurement], str], ...] = (lambda m: m.lang, lambda m: m.repo)
    groups = [("all", list(measured))]
    unnamed = [m for m in measured if not m.names_gold]
    groups.append(("gold file not named", unnamed))
    for key in keys:
        names = sorted({key(m) for m in measured})
        groups.extend((name, [m for m in measured if key(m) == name]) for name in names)
    return [(name, group) for name, group in groups if group]


def _percent(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return 100 * mean(known) if known else None
