"""What is not in the prompt, and why; and the prompt as the model sees it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from repoqa.diagnosis.prepare import Preparation
from repoqa.formats.html.markup import Markup, element, join
from repoqa.formats.html.shown import Shown
from repoqa.records import Message, RankedSymbol, SkippedFile

MOST_SYMBOLS = 40
MOST_FILES = 100  # listed of one reason


def left_out(preparation: Preparation, shown: Sequence[Shown]) -> Markup:
    """The best ranked symbols that did not fit, and the files that were not read, by reason."""
    count, skipped = preparation.context.left_out, preparation.index.skipped
    missing = list(_missing(preparation.ranking.symbols, shown))
    return join(
        (
            element(
                "p",
                f"{count:,} of the {len(preparation.ranking.symbols):,} best symbols did not fit "
                f"the budget of {preparation.setup.budget:,} tokens. A larger --budget shows more; "
                "--path shows one for certain.",
            ),
            element("h3", "The best of them") if missing else "",
            element("ol", (_symbol(each) for each in missing), class_="missing"),
            element("h3", f"{len(skipped):,} files were not read") if skipped else "",
            *_by_reason(skipped),
        )
    )


def _missing(ranked: Sequence[RankedSymbol], shown: Sequence[Shown]) -> Iterator[RankedSymbol]:
    """The first ranked symbols of which no line is shown."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for each in shown:
        found = each.excerpt
        spans.setdefault(found.path, []).append((found.start, found.end))
    return islice((found for found in ranked if not _met(found, spans)), MOST_SYMBOLS)


def _met(ranked: RankedSymbol, spans: Mapping[str, Sequence[tuple[int, int]]]) -> bool:
    symbol = ranked.symbol
    return any(
        start <= symbol.end and symbol.start <= end for start, end in spans.get(ranked.path, ())
    )


def _symbol(ranked: RankedSymbol) -> Markup:
    symbol = ranked.symbol
    place = f"{ranked.path}:{symbol.start}-{symbol.end} · score {ranked.score:.2f}"
    return element("li", element("b", symbol.name), " ", element("span", place, class_="place"))


def _by_reason(skipped: Sequence[SkippedFile]) -> Iterator[Markup]:
    reasons: dict[str, list[str]] = {}
    for file in skipped:
        reasons.setdefault(file.why, []).append(file.path)
    for why, paths in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0])):
        more = len(paths) - MOST_FILES
        yield element(
            "details",
            element("summary", f"{len(paths):,}: {why}"),
            element("ul", (element("li", path, class_="place") for path in paths[:MOST_FILES])),
            element("p", f"and {more:,} more") if more > 0 else "",
        )


def prompt(messages: Sequence[Message]) -> Markup:
    """Each message under its role, unchanged."""
    return join(
        element(
            "details",
            element("summary", f"{message.role} · {len(message.content):,} characters"),
            # A parser drops the first line feed inside pre.
            element("pre", "\n", message.content, tabindex=0, class_="prompt"),
        )
        for message in messages
    )
