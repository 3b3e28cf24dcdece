"""What packing may spend, and what a line costs.

Costs are estimates per line that add up: a line is counted between line feeds, as it will stand.
They decide what is chosen; whether it fits is decided by counting the joined text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from repoqa.packing.render import between, numbered
from repoqa.protocols import CodeSource, Tokenizer
from repoqa.records import Lines, PathMention

# A line longer than this many characters per token of the room cannot fit: no vocabulary in use
# has a longer token. It saves counting megabytes of minified text.
LONGEST_TOKEN = 128


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of the budget for excerpts.

    `tokens` is the hard limit, `tokenizer` counts them. `reliable` is how many tokens before the
    question the model reads well: the best code stands there. `marks` are lines that the evidence
    names (a trace's frames), by path inside the repository. `shown` is what an earlier question was
    shown in full.
    """

    tokens: int
    tokenizer: Tokenizer
    reliable: int = 0
    marks: tuple[PathMention, ...] = ()
    shown: tuple[Lines, ...] = ()

    def marked(self, path: str) -> tuple[int, ...]:
        """The sorted lines of `path` that the evidence names."""
        named = {mark.line for mark in self.marks if mark.path == path}
        return tuple(sorted(line for line in named if line is not None))


@dataclass(slots=True)
class Meter:
    """Costs of lines and headings in tokens, each counted once."""

    code: CodeSource
    room: Room
    _lines: dict[str, Sequence[str]] = field(default_factory=dict)
    _costs: dict[str, dict[int, int]] = field(default_factory=dict)
    _source_costs: dict[str, dict[int, int]] = field(default_factory=dict)
    _headings: dict[str, int] = field(default_factory=dict)
    _feed: int = 0

    def __post_init__(self) -> None:
        self._feed = self.room.tokenizer.count("\n")

    def lines(self, path: str) -> Sequence[str]:
        """The file's lines."""
        found = self._lines.get(path)
        if found is None:
            found = self._lines[path] = self.code.lines(path)
        return found

    def cost(self, path: str, numbers: Iterable[int]) -> int:
        """The tokens of these lines of `path`, numbered and each on a line of its own."""
        return sum(self.line_costs(path, numbers))

    def exceeds(self, path: str, numbers: Iterable[int], most: int) -> bool:
        """Whether these lines, as their file has them, cost more than `most`: no more of them are
        counted than it takes, and a file that is not shown need not be searched for secrets."""
        lines, costs = self.code.source_lines(path), self._source_costs.setdefault(path, {})
        total = 0
        for number in numbers:
            if number not in costs:
                costs[number] = self._count(numbered(number, lines[number - 1]))
            total += costs[number]
            if total > most:
                return True
        return False

    def has_lines(self, path: str, last: int) -> bool:
        """Whether the file has a line `last`: it may be shorter than when it was indexed."""
        return last <= len(self.code.source_lines(path))

    def line_costs(self, path: str, numbers: Iterable[int]) -> list[int]:
        """The tokens of each of these lines of `path`."""
        costs = self._costs.get(path)
        if costs is None:
            self._costs[path] = costs = {}
        return [costs[n] if n in costs else self._line(path, n) for n in numbers]

    def _line(self, path: str, number: int) -> int:
        line = self.lines(path)[number - 1]
        known = self._source_costs.get(path, {}).get(number)
        if known is not None and line == self.code.source_lines(path)[number - 1]:
            cost = known
        else:
            cost = self._count(numbered(number, line))
        self._costs[path][number] = cost
        return cost

    def heading(self, path: str) -> int:
        """The tokens of one more excerpt of `path`: its heading and what separates excerpts."""
        known = self._headings.get(path)
        if known is None:
            last = len(self.code.source_lines(path))
            known = self._headings[path] = self._count(between(path, last))
        return known

    def _count(self, text: str) -> int:
        if len(text) > self.room.tokens * LONGEST_TOKEN:
            return self.room.tokens + 1
        return max(self.room.tokenizer.count(f"\n{text}\n") - self._feed, 0)
