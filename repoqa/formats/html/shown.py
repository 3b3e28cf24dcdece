"""The packed excerpts as the page refers to them: best first, with their scores and their lines."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from repoqa.diagnosis.prepare import Preparation
from repoqa.records import Excerpt, RankedFile, RankedSymbol

NUMBERED = re.compile(r"(\d+) (.*)", re.DOTALL)
HEATS = 6  # colours of the scale, from the coldest


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A line of an excerpt; `number` is 0 where the prompt has none (blank lines)."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An excerpt on the page. `number` counts from 1, the best first; `position` is its place in
    the prompt, from 1. `ranked` are the ranked symbols that begin in it (or that it is a
    part of), best first; `lines` its lines as the prompt holds them."""

    number: int
    position: int
    excerpt: Excerpt
    ranked: tuple[RankedSymbol, ...]
    heat: int
    lines: tuple[CodeLine, ...]

    @property
    def anchor(self) -> str:
        """The id of its element."""
        return f"e{self.number}"

    @property
    def score(self) -> float:
        """The best score of what it meets; 0 where nothing of it was ranked."""
        return self.ranked[0].score if self.ranked else 0.0

    @property
    def title(self) -> str:
        """The best symbol's name, or the file's where its lines have none."""
        return self._symbol_name or self.file

    @property
    def label(self) -> str:
        """The title where there is little room: without the class that a method is in."""
        return self._symbol_name.rpartition(".")[2] or self.file

    @property
    def _symbol_name(self) -> str:
        named = (each.symbol.name for each in self.ranked if each.symbol.kind != "section")
        return next(named, "")

    @property
    def folder(self) -> str:
        """The folder of its file, "" for the root."""
        return self.excerpt.path.rpartition("/")[0]

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.excerpt.path.rpartition("/")[2]

    @property
    def place(self) -> str:
        """`path:first-last`."""
        return f"{self.excerpt.path}:{self.excerpt.start}-{self.excerpt.end}"


def shown_excerpts(preparation: Preparation) -> list[Shown]:
    """The excerpts, best first: the prompt's order from its end."""
    ranked: dict[str, list[RankedSymbol]] = {}
    for symbol in preparation.ranking.symbols:
        ranked.setdefault(symbol.path, []).append(symbol)
    excerpts = preparation.context.excerpts[::-1]
    lines = [tuple(_lines(excerpt)) for excerpt in excerpts]
    met = [
        _met(ranked.get(excerpt.path, ()), shown)
        for excerpt, shown in zip(excerpts, lines, strict=True)
    ]
    heats = _heats([best_score(found[:1]) for found in met], excerpts)
    return [
        Shown(number, len(excerpts) - number + 1, excerpt, found, heat, shown)
        for number, (excerpt, found, heat, shown) in enumerate(
            zip(excerpts, met, heats, lines, strict=True), 1
        )
    ]


def best_score(ranked: Iterable[RankedSymbol | RankedFile]) -> float:
    """The greatest score, without what pinning adds: it dwarfs all others."""
    return max((each.score - each.reasons.get("pinned", 0.0) for each in ranked), default=0.0)


def _heats(scores: Sequence[float], excerpts: Sequence[Excerpt]) -> list[int]:
    """The colour of each score, from 0 for what was not ranked: the scale runs from the least to
    the greatest score of code in full, since signatures go down to almost nothing."""
    full = [
        score
        for score, excerpt in zip(scores, excerpts, strict=True)
        if score > 0 and excerpt.form == "full"
    ]
    least, greatest = min(full, default=0.0), max(full, default=0.0)
    span = max(greatest - least, 1e-9)

    def heat(score: float) -> int:
        share = min(max((score - least) / span, 0.0), 1.0) if greatest > least else 1.0
        return 1 + round((HEATS - 2) * share) if score > 0 else 0

    return [heat(score) for score in scores]


@dataclass(frozen=True, slots=True)
class Anchors:
    """Finds the element of a place on the page."""

    shown: Sequence[Shown]

    def of(self, path: str, start: int, end: int) -> str:
        """The address of the first of these lines that is shown (`#e3-12`), of the file's best
        excerpt for no line (0), or "" where nothing of it is on the page."""
        own = [each for each in self.shown if each.excerpt.path == path]
        if not start:
            return f"#{own[0].anchor}" if own else ""
        for each in sorted(own, key=lambda each: each.excerpt.form != "full"):
            for line in each.lines:
                if line.number and start <= line.number <= end:
                    return f"#{each.anchor}-{line.number}"
        return ""


def _lines(excerpt: Excerpt) -> Iterator[CodeLine]:
    for line in excerpt.text.split("\n")[1:]:
        match = NUMBERED.fullmatch(line)
        yield CodeLine(int(match[1]), match[2]) if match else CodeLine(0, line)


def _met(ranked: Iterable[RankedSymbol], lines: Sequence[CodeLine]) -> tuple[RankedSymbol, ...]:
    """The symbols that begin in these lines; where none does, those that the lines belong to."""
    numbers = {line.number for line in lines}
    around = tuple(
        found
        for found in ranked
        if any(found.symbol.start <= number <= found.symbol.end for number in numbers)
    )
    return tuple(found for found in around if found.symbol.start in numbers) or around
