"""`pack --explain`: what the prompt holds, in its order, with the tokens and the reason of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from repoqa.answers.suspects import why
from repoqa.diagnosis.prepare import Preparation
from repoqa.prompts.parts import evidence_parts, share
from repoqa.records import Excerpt, Form, RankedSymbol
from repoqa.terminal.output import StyledText
from repoqa.terminal.tables import place
from repoqa.visible import one_line

SKETCHED: Mapping[Form, str] = {
    "outline": "what stands around the code shown, or belongs to its files",
    "signature": "calls the code shown, is called by it, or did not fit whole",
}
FILLS = "the rest of its file"
HEADER = ("what", "tokens", "why")
COLUMN_GAP = "  "


@dataclass(frozen=True, slots=True)
class Row:
    """A part of the prompt. `tokens` are counted by the model's tokenizer."""

    what: str
    tokens: int
    why: str


def explanation(preparation: Preparation) -> Iterator[StyledText]:
    """The table, and a line of what was left out."""
    rows = list(_rows(preparation))
    setup, prompt = preparation.setup, preparation.prompt
    bound = "" if prompt.exact else ", an upper bound"
    total = Row("all", prompt.tokens, f"of {setup.budget:,} ({setup.tokenizer.name}{bound})")
    what_width = max(len(row.what) for row in (*rows, total))
    tokens_width = max(len(HEADER[1]), len(f"{total.tokens:,}"))
    what, tokens, reason = HEADER
    yield (
        f"{what:<{what_width}}{COLUMN_GAP}{tokens:>{tokens_width}}{COLUMN_GAP}{reason}\n",
        "bold",
    )
    for row in (*rows, total):
        yield (f"{row.what:<{what_width}}", "cyan")
        yield (f"{COLUMN_GAP}{row.tokens:>{tokens_width},}{COLUMN_GAP}", "")
        yield (f"{row.why}\n", "dim")
    yield (f"\n{_left_out(preparation)}\n", "")


def _rows(preparation: Preparation) -> Iterator[Row]:
    """The parts in the prompt's order. Their tokens add up: the instructions take the rest."""
    rows = [*_code(preparation), *_given(preparation)]
    rest = preparation.prompt.tokens - sum(row.tokens for row in rows)
    yield Row("instructions", rest, "the task, and the model's chat format")
    yield from rows


def _code(preparation: Preparation) -> Iterator[Row]:
    ranked: dict[str, list[RankedSymbol]] = {}
    for symbol in preparation.ranking.symbols:
        ranked.setdefault(symbol.path, []).append(symbol)
    for excerpt in preparation.context.excerpts:
        found = [s for s in ranked.get(excerpt.path, ()) if _inside(s, excerpt)]
        shown = place(excerpt.path, excerpt.start, excerpt.end)
        reason = SKETCHED[excerpt.form] if excerpt.form in SKETCHED else _reason(found)
        yield Row(shown, excerpt.tokens, reason)


def _inside(ranked: RankedSymbol, excerpt: Excerpt) -> bool:
    return ranked.symbol.start <= excerpt.end and excerpt.start <= ranked.symbol.end


def _reason(found: list[RankedSymbol]) -> str:
    """The best ranked symbol's reasons, and how many others there are."""
    if not found:
        return FILLS
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{one_line(found[0].symbol.name)}{more}: {why(found[0].reasons)}"


def _given(preparation: Preparation) -> Iterator[Row]:
    question, tokenizer = preparation.question, preparation.setup.tokenizer
    for part in evidence_parts(question, preparation.shown, tokenizer=tokenizer):
        yield Row(part.name, part.tokens, share(part))


def _left_out(preparation: Preparation) -> str:
    symbols, skipped = preparation.context.left_out, len(preparation.index.skipped)
    return (
        f"Left out: {symbols:,} of {len(preparation.ranking.symbols):,} ranked symbols, which did "
        f"not fit; {skipped:,} files, which --json lists."
    )
