"""What was ranked, best first, each result with its reasons: signed, they add up to its score."""

from collections.abc import Mapping, Sequence

from repoqa.answers.suspects import SHARED, WORDS
from repoqa.diagnosis.prepare import Preparation
from repoqa.formats.html.markup import Markup, element, join
from repoqa.formats.html.shown import Anchors, best_score
from repoqa.records import RankedFile, RankedSymbol, Reasons

MOST_SYMBOLS, MOST_FILES = 40, 20
UNITS = 1000  # of a bar's width
LEAST = 0.005  # a smaller contribution is not told: it would read 0.00
# Signals of one family share a colour; the words beside a bar tell them apart.
FAMILIES: Mapping[str, str] = {
    **dict.fromkeys(("text", "title", "phrases", "units"), "words"),
    **dict.fromkeys(("title_name", "title_word"), "names"),
    **dict.fromkeys(("path", "title_path", "module"), "names"),
    **dict.fromkeys(("definition", "used", "dotted"), "symbols"),
    **dict.fromkeys(("trace", "mention", "diff"), "evidence"),
    "callees": "near",
    **dict.fromkeys(("file", "pinned"), "file"),
}
LEGEND: Mapping[str, str] = {
    "words": "words in the code",
    "names": "words in names and paths",
    "symbols": "symbols that the question names",
    "evidence": "trace, lines and diff",
    "near": "calls",
    "file": "its file, pins",
    "against": "speaks against it",
}
OTHER = "near"
SYMBOL_WORDS: Mapping[str, str] = {
    **WORDS,
    "title": "the first line's words in its code",
    "title_name": "the first line's words in its name",
    "phrases": "the question's words stand together",
}
FILE_WORDS: Mapping[str, str] = {
    "text": "words of the question in it",
    "title": "the first line's words in it",
    "path": "words of the question in its path",
    "title_path": "the first line's words in its path",
    "module": "its module is named in the question",
    "mention": "named in the question",
    "units": "its best symbols",
}
AGAINST = "rarely where bugs are: tests, docs, examples"


def ranking(preparation: Preparation, anchors: Anchors) -> Markup:
    """The best symbols and the best files."""
    found = preparation.ranking
    symbols = [_symbol(each, anchors) for each in found.symbols[:MOST_SYMBOLS]]
    files = [_file(each, anchors) for each in found.files[:MOST_FILES]]
    legend = (
        element("li", element("i", class_=f"swatch f-{family}"), words)
        for family, words in LEGEND.items()
    )
    return join(
        (
            element("ul", legend, class_="legend", aria_label="Colours of the bars"),
            element("h3", _counted("symbols", len(symbols), len(found.symbols))),
            _listed(symbols, found.symbols[:MOST_SYMBOLS]),
            element("h3", _counted("files", len(files), len(found.files))),
            _listed(files, found.files[:MOST_FILES]),
        )
    )


def _counted(what: str, shown: int, all_: int) -> str:
    return f"The {shown:,} best {what}" if shown < all_ else f"All {all_:,} {what} found"


def _symbol(ranked: RankedSymbol, anchors: Anchors) -> tuple[Markup, Mapping[str, str]]:
    symbol = ranked.symbol
    place = f"{ranked.path}:{symbol.start}-{symbol.end}"
    address = anchors.of(ranked.path, symbol.start, symbol.end)
    name = element("a", symbol.name, href=address) if address else element("b", symbol.name)
    left_out = "" if address else element("span", "left out", class_="badge out")
    where = element("span", f"{symbol.kind} · {place}", class_="place")
    return join((name, " ", left_out, where)), SYMBOL_WORDS


def _file(ranked: RankedFile, anchors: Anchors) -> tuple[Markup, Mapping[str, str]]:
    address = anchors.of(ranked.path, 0, 0)
    name = element("a", ranked.path, href=address) if address else element("b", ranked.path)
    left_out = "" if address else element("span", "left out", class_="badge out")
    return join((name, " ", left_out)), {**WORDS, **FILE_WORDS}


def _listed(
    heads: Sequence[tuple[Markup, Mapping[str, str]]],
    ranked: Sequence[RankedSymbol | RankedFile],
) -> Markup:
    """The results under their heads, all bars to one scale."""
    best = best_score(ranked)
    against = max((-_sum(each.reasons, -1) for each in ranked), default=0.0)
    most = max(
        (_sum(each.reasons, 1) - each.reasons.get("pinned", 0.0) for each in ranked),
        default=best,
    )
    return element(
        "ol",
        (
            element(
                "li",
                element("div", head, class_="what"),
                element("span", f"{each.score:.2f}", class_="score"),
                _bar(each.reasons, most=most, against=against),
                _told(each.reasons, words),
                class_="result",
            )
            for (head, words), each in zip(heads, ranked, strict=True)
        ),
        class_="results",
    )


def _sum(reasons: Reasons, sign: int) -> float:
    return sum(amount for amount in reasons.values() if amount * sign > 0)


def _bar(reasons: Reasons, *, most: float, against: float) -> Markup:
    """Contributions for it to the right of zero, those against it to the left."""
    scale = UNITS / max(most + against, 1e-9)
    zero = against * scale
    right, left, parts = zero, zero, []
    for name, amount in _strongest(reasons):
        width = abs(amount) * scale
        if amount > 0:
            parts.append(_segment(right, width, FAMILIES.get(name, OTHER)))
            right += width
        else:
            left -= width
            parts.append(_segment(left, width, "against"))
    parts.append(element("rect", x=f"{zero - 1:.2f}", width=2, height=10, class_="zero"))
    return element(
        "svg",
        parts,
        viewBox=f"0 0 {UNITS} 10",
        preserveAspectRatio="none",
        class_="bar",
        aria_hidden="true",
    )


def _segment(left: float, width: float, family: str) -> Markup:
    return element("rect", x=f"{left:.2f}", width=f"{width:.2f}", height=10, class_=f"f-{family}")


def _told(reasons: Reasons, words: Mapping[str, str]) -> Markup:
    """The contributions in words and numbers."""
    return element(
        "ul",
        (
            element(
                "li",
                element(
                    "i",
                    class_=f"swatch f-{FAMILIES.get(name, OTHER) if amount > 0 else 'against'}",
                ),
                f"{AGAINST if name == 'part' else words.get(name, name)} ",
                element("span", f"{amount:+.2f}", class_="number"),
            )
            for name, amount in _strongest(reasons)
            if abs(amount) >= LEAST
        ),
        class_="reasons",
    )


def _strongest(reasons: Reasons) -> list[tuple[str, float]]:
    """The reasons by family, so that a colour stands together, the strongest family first; what it
    shares with its file tells least and comes behind them."""
    totals: dict[str, float] = {}
    for name, amount in reasons.items():
        family = FAMILIES.get(name, OTHER)
        totals[family] = totals.get(family, 0.0) + amount

    def order(reason: tuple[str, float]) -> tuple[bool, bool, float, str, float, str]:
        name, amount = reason
        family = FAMILIES.get(name, OTHER)
        return amount < 0, name == SHARED, -totals[family], family, -amount, name

    return sorted(reasons.items(), key=order)
