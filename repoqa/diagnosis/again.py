"""A follow-up's prompt that begins as the one before it: the same code in the same order, and only
behind it what is new.

What a model or a server has read of the first prompt then need not be read again, which is nearly
all of the time that an answer takes to begin. The prompt grows over the budget by a quarter at
most; where that is not enough, or code that was shown is gone, it is packed anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from repoqa.models.profile import Profile
from repoqa.packing.budget import Room
from repoqa.packing.pack import pack
from repoqa.packing.render import draw
from repoqa.prompts.render import EMPTY_CONTEXT, render
from repoqa.protocols import CodeSource, Tokenizer
from repoqa.records import (
    Context,
    Excerpt,
    Form,
    Lines,
    PathMention,
    Prompt,
    Question,
    RankedSymbol,
    Ranking,
)

GROWTH = 4  # a follow-up adds at most one part in so many of the budget
# Of the code that a follow-up ranks, this much is worth showing if it was not shown: a question
# that asks on about the same code adds nothing.
MOST_NEW = 10
# Below this there is no room to show anything new.
LEAST_ROOM = 64


@dataclass(frozen=True, slots=True)
class Drawn:
    """An excerpt that was shown: its file, its form, and the lines in it."""

    path: str
    form: Form
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Again:
    """What the prompt before showed first, in its order, and how long the next one may be."""

    shown: tuple[Drawn, ...]
    limit: int


def drawn(excerpt: Excerpt) -> Drawn:
    """How the excerpt can be drawn again. A blank line, which has no number, follows the one
    before it."""
    numbers: list[int] = []
    for line in excerpt.text.split("\n")[1:]:
        first = line.partition(" ")[0]
        numbers.append(int(first) if first else numbers[-1] + 1 if numbers else excerpt.start)
    return Drawn(excerpt.path, excerpt.form, tuple(numbers))


def continued(
    question: Question,
    ranking: Ranking,
    again: Again,
    *,
    code: CodeSource,
    sized_for: tuple[Profile, Tokenizer],
    marks: tuple[PathMention, ...] = (),
) -> tuple[Context, Prompt] | None:
    """The code shown before with what is new, and the prompt that holds both; None where it cannot
    be continued within the limit."""
    profile, tokenizer = sized_for
    before = _redrawn(again.shown, code, tokenizer)
    if before is None:
        return None
    missing = _missing(ranking, before)
    room = again.limit - render(question, before, profile=profile, tokenizer=tokenizer).tokens
    if room < LEAST_ROOM:
        return None
    while True:
        new = pack(missing, code, Room(room, tokenizer, room, marks=marks))
        prompt = render(question, before, profile=profile, tokenizer=tokenizer, more=new)
        over = prompt.tokens - again.limit
        if over <= 0 or not new.excerpts:
            break
        room = max(min(room, new.tokens) - over, 0)
    hidden = sum(not _is_shown(each, before.excerpts) for each in ranking.symbols)
    context = Context(
        (*before.excerpts, *new.excerpts),
        before.tokens + new.tokens,
        max(hidden - len(missing.symbols) + new.left_out, 0),
    )
    return context, prompt


def _redrawn(shown: Iterable[Drawn], code: CodeSource, tokenizer: Tokenizer) -> Context | None:
    """What was shown, as the code is now; None where a file or its lines are gone."""
    excerpts: list[Excerpt] = []
    for each in shown:
        if each.path not in code.paths or not each.numbers:
            return None
        lines = code.lines(each.path)
        if each.numbers[-1] > len(lines):
            return None
        text = draw(each.path, each.numbers, lines, form=each.form)
        first, last = each.numbers[0], each.numbers[-1]
        excerpts.append(Excerpt(each.path, first, last, each.form, tokenizer.count(text), text))
    if not excerpts:
        return None
    return replace(EMPTY_CONTEXT, excerpts=tuple(excerpts), tokens=sum(e.tokens for e in excerpts))


def _missing(ranking: Ranking, before: Context) -> Ranking:
    """The best of what the question ranks and pins, without what is shown in full."""
    best = ranking.symbols[:MOST_NEW]
    symbols = tuple(each for each in best if not _is_shown(each, before.excerpts))
    pins = tuple(pin for pin in ranking.pins if not _covers(before.excerpts, pin))
    return Ranking(files=(), symbols=symbols, pins=pins)


def _is_shown(ranked: RankedSymbol, excerpts: Sequence[Excerpt]) -> bool:
    return _covers(excerpts, Lines(ranked.path, ranked.symbol.start, ranked.symbol.end))


def _covers(excerpts: Sequence[Excerpt], lines: Lines) -> bool:
    return any(
        each.path == lines.path and each.start <= lines.start and lines.end <= each.end
        for each in excerpts
        if each.form == "full"
    )
