"""Model profiles and what they take, as tables."""

from collections.abc import Iterator, Sequence

from repoqa.models.memory import GIB
from repoqa.models.plan import Place, Setting, Work, need
from repoqa.models.survey import Outlook
from repoqa.visible import one_line

_SETTINGS = tuple(Setting(weights, cache) for weights in (16, 8, 4) for cache in (16, 8, 4))


def profile_lines(rows: Sequence[tuple[str, str, str]]) -> str:
    """Name, whereabouts and summary of each profile, in columns."""
    names, places = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "".join(
        f"{one_line(name):<{names}}  {one_line(place):<{places}}  {one_line(summary)}\n"
        for name, place, summary in rows
    )


def key_lines(rows: Sequence[tuple[str, str]]) -> str:
    """Keys and values, in columns."""
    width = max(len(key) for key, _ in rows)
    return "".join(f"{key:<{width}}  {one_line(value)}\n" for key, value in rows)


def plan_tables(work: Work, outlooks: Sequence[Outlook], *, answer: int) -> str:
    """What the model takes with numbers of each width, and how it would run at each place."""
    return "\n".join(
        (
            f"{work.tokens - answer:,} tokens of prompt and {answer:,} of answer, in GiB:\n",
            _table(("weights", "keys, values", "weights", "keys, values", "all"), _needs(work)),
            _table(("where", "free", "needs", "how", "longest prompt"), _places(outlooks, answer)),
        )
    )


def _needs(work: Work) -> Iterator[tuple[str, ...]]:
    anywhere = Place("", free=None, chunk=0)
    for setting in _SETTINGS:
        needed = need(work, setting, anywhere)
        figures = (needed.weights, needed.cache, needed.weights + needed.cache)
        yield (f"{setting.weights}-bit", f"{setting.cache}-bit", *map(_gib, figures))


def _places(outlooks: Sequence[Outlook], answer: int) -> Iterator[tuple[str, ...]]:
    for each in outlooks:
        free = "?" if each.place.free is None else _gib(each.place.free)
        needs, how = "-", "does not fit"
        if each.choice is not None:
            needs, how = _gib(each.choice.need.total), each.choice.setting.words
        prompt = f"{max(each.longest - answer, 0):,}"
        yield (one_line(each.place.words), free, needs, how, prompt)


def _gib(size: int) -> str:
    return f"{size / GIB:.1f}"


def _table(header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    rule = tuple("-" * width for width in widths)
    return "".join(
        "| "
        + " | ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        + " |\n"
        for line in (lines[0], rule, *lines[1:])
    )
