"""Measurements as tables, in Markdown: for a terminal and for a page of benchmarks alike."""

from collections.abc import Sequence

from repoqa.evaluation.measure import Measurement
from repoqa.evaluation.summary import (
    FILE_HITS,
    HITS,
    SHARES,
    Row,
    coverage_rows,
    hit_rows,
    plain_rows,
    seconds_rows,
)
from repoqa.terminal.grid import grid


def localization_tables(measured: Sequence[Measurement]) -> str:
    """Hits, coverage and times, all in percent or seconds."""
    if not measured:
        return "No report was measured.\n"
    tables = [
        _table(("all gold places in the first k, %", "reports", *HITS), hit_rows(measured)),
        _table(
            ("packed into", "reports", *(f"{share.replace('_', ' ')}, %" for share in SHARES)),
            coverage_rows(measured),
        ),
        _table(
            ("seconds a question", "reports", "median", "most"),
            seconds_rows(measured),
            digits=3,
        ),
    ]
    if plain := plain_rows(measured):
        tables.insert(1, _table(("by BM25 over files alone, %", "reports", *FILE_HITS), plain))
    return "\n".join(tables)


def _table(header: Sequence[str], rows: Sequence[Row], *, digits: int = 1) -> str:
    cells = [
        (
            row.name,
            str(row.reports),
            *("-" if figure is None else f"{figure:.{digits}f}" for figure in row.figures),
        )
        for row in rows
    ]
    return grid((header, *cells))
