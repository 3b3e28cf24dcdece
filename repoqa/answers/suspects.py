"""The places that may hold the bug, from the ranking alone: no model is asked."""

from collections.abc import Mapping

from repoqa.records import RankedSymbol, Ranking, Reasons, Suspect

REASONS_SHOWN = 3
SHARED = "file"
# What each ranking signal says in words. A signal without words here is shown by its own name.
WORDS: Mapping[str, str] = {
    "trace": "named in the traceback",
    "mention": "its line is named in the question",
    "definition": "defines a name from the question",
    "used": "uses a name from the question",
    "dotted": "meant by a dotted name in the question",
    "title_name": "words of the question in its name",
    "title": "words of the question in its code",
    "text": "words of the question in its code",
    "phrases": "the question's words stand together in its code",
    "title_word": "named like a word of the title",
    "callees": "called by other suspects",
    "diff": "changed by the diff",
    "file": "its file matches",
    "pinned": "pinned by the user",
}


def suspects(ranking: Ranking, *, limit: int = 5) -> tuple[Suspect, ...]:
    """The best `limit` symbols, none inside another that is already named."""
    chosen: list[RankedSymbol] = []
    for ranked in ranking.symbols:
        if len(chosen) == limit:
            break
        if not any(_overlap(ranked, other) for other in chosen):
            chosen.append(ranked)
    return tuple(
        Suspect(
            path=ranked.path,
            start=ranked.symbol.start,
            end=ranked.symbol.end,
            name=ranked.symbol.name,
            score=ranked.score,
            why=why(ranked.reasons),
        )
        for ranked in chosen
    )


def why(reasons: Reasons) -> str:
    """The strongest reasons in words, the strongest first; reasons against are not told.

    That its file matches says little of a symbol: it comes last, however much it weighs.
    """
    strongest = sorted(reasons.items(), key=lambda item: (item[0] == SHARED, -item[1], item[0]))
    words = (WORDS.get(name, name) for name, amount in strongest if amount > 0)
    return "; ".join(list(dict.fromkeys(words))[:REASONS_SHOWN])


def _overlap(one: RankedSymbol, other: RankedSymbol) -> bool:
    return (
        one.path == other.path
        and one.symbol.start <= other.symbol.end
        and other.symbol.start <= one.symbol.end
    )
