"""How far a model reads, as Markdown tables: for a terminal and for a page of benchmarks alike."""

from collections.abc import Callable, Iterable, Sequence
from math import exp

from repoqa.evaluation.longcontext import POSITIONS, Reading, best
from repoqa.terminal.grid import grid


def reading_tables(readings: Sequence[Reading], *, window: int, chosen: str) -> str:
    """Perplexity by length and retrieval by length and by position, for each scaling; then which
    scaling the numbers favour past the trained window, and which one the profile takes."""
    if not readings:
        return "Nothing was measured.\n"
    lengths = list(readings[0].surprise)
    kinds = list(dict.fromkeys(reading.rope for reading in readings))
    rows = {kind: [each for each in readings if each.rope == kind] for kind in kinds}
    texts = len({reading.text for reading in readings})
    named = [f"{length:,}" for length in lengths]
    tables = (
        _table(
            f"perplexity, {_counted(texts)}", named, rows, figure=lambda r, i: _mean(r, lengths[i])
        ),
        _table("found, %, at", named, rows, figure=lambda r, i: _found(r, length=lengths[i])),
        _table(
            "found, %, planted at",
            [f"{position:.2f}" for position in POSITIONS],
            rows,
            figure=lambda r, i: _found(r, position=POSITIONS[i]),
        ),
    )
    return "\n".join((*tables, _conclusion(best(readings, window=window), window, chosen=chosen)))


def _conclusion(kind: str | None, window: int, *, chosen: str) -> str:
    if kind is None:
        return f"No length is past the trained window of {window:,} tokens.\n"
    line = f"Past the trained window of {window:,} tokens the lowest perplexity is that of {kind}"
    if kind == chosen:
        return f"{line}, which `auto` takes.\n"
    return (
        f'{line}; `auto` takes {chosen}: a profile of your own changes that with rope = "{kind}".\n'
    )


def _counted(texts: int) -> str:
    return "1 text" if texts == 1 else f"{texts} texts"


def _mean(readings: Sequence[Reading], length: int) -> str:
    """The geometric mean of the texts' perplexities."""
    values = [reading.surprise[length] for reading in readings]
    return f"{exp(sum(values) / len(values)):.2f}"


def _found(
    readings: Iterable[Reading], *, length: int | None = None, position: float | None = None
) -> str:
    asked = [
        each.found
        for reading in readings
        for each in reading.asked
        if (length is None or each.length == length)
        and (position is None or each.position == position)
    ]
    return f"{100 * sum(asked) / len(asked):.0f}" if asked else "-"


def _table(
    title: str,
    columns: Sequence[str],
    rows: dict[str, list[Reading]],
    *,
    figure: Callable[[list[Reading], int], str],
) -> str:
    lines = [(title, *columns)] + [
        (kind, *(figure(readings, place) for place in range(len(columns))))
        for kind, readings in rows.items()
    ]
    return grid(lines)
