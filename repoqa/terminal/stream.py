"""The answer as it comes: live Markdown on a terminal, plain text in a pipe."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Self

from repoqa.terminal.links import linked
from repoqa.terminal.output import Output
from repoqa.visible import visible

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.segment import Segment

REFRESHES_PER_SECOND = 8
LINES_BELOW = 2
"""Terminal lines kept free under the live part, so that redrawing never scrolls."""
FENCES = ("```", "~~~")


def show(
    pieces: Iterable[str],
    output: Output,
    *,
    mark: Callable[[str], str],
    live: bool,
    links: Mapping[str, str] | None = None,
) -> str:
    """Show the answer while it is generated and return the whole of it, as generated.

    `mark` is given each line once it is whole, without its end, and says what to show of it.
    `links` are the URLs of texts in what is shown live; they may grow with each line marked.
    """
    if live and output.is_live:
        return "".join(_live(pieces, LiveMarkdown(output, mark, {} if links is None else links)))
    return "".join(_plain(pieces, output, mark))


def settled(text: str) -> int:
    """How many characters of unfinished Markdown can no longer change their looks.

    That is everything before the last block that starts at the margin after a blank line, outside
    of fenced code.
    """
    end = position = 0
    fence = ""
    after_blank = False
    for line in text.splitlines(keepends=True):
        stripped = line.lstrip()
        if fence:
            fence = "" if stripped.startswith(fence) else fence
        elif stripped:
            if after_blank and not line[0].isspace():
                end = position
            fence = next((mark for mark in FENCES if stripped.startswith(mark)), "")
        after_blank = not stripped
        position += len(line)
    return end


def _plain(pieces: Iterable[str], output: Output, mark: Callable[[str], str]) -> Iterator[str]:
    """Whole lines, so that none is shown before it is marked."""
    line = ""
    for piece in pieces:
        whole, line = _whole_lines(line + piece, mark)
        if whole:
            output.write(whole)
        yield piece
    if line:
        output.write(f"{mark(line)}\n")


def _live(pieces: Iterable[str], markdown: "LiveMarkdown") -> Iterator[str]:
    with markdown:
        for piece in pieces:
            markdown.add(piece)
            yield piece


class LiveMarkdown:
    """Markdown on a terminal: settled blocks scroll away for good, the last one is redrawn."""

    def __init__(
        self, output: Output, mark: Callable[[str], str], links: Mapping[str, str]
    ) -> None:
        from rich.live import Live

        self._console = output.console()
        self._mark = mark
        self._links = links
        self._block = self._line = ""
        self._has_printed = False
        self._live = Live(
            console=self._console,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
        )

    def add(self, piece: str) -> None:
        """More of the answer. Nothing is drawn before the first of it: the model may be loading."""
        self._live.start()
        whole, self._line = _whole_lines(self._line + visible(piece), self._mark)
        text = self._block + whole
        cut = settled(text)
        self._block = text[cut:]
        self._live.update(Tail(self._block + self._line, self._links))
        self._print(text[:cut])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave what is on the screen for good, an interrupted answer too."""
        self._live.stop()
        self._print(self._block + self._mark(self._line))

    def _print(self, text: str) -> None:
        """Settled blocks, with a blank line before them, as between the blocks of one text."""
        if text.strip():
            self._console.print(Block(text, self._links, apart=self._has_printed))
            self._has_printed = True


def _whole_lines(text: str, mark: Callable[[str], str]) -> tuple[str, str]:
    """The finished lines of `text`, marked, and the unfinished rest."""
    *whole, rest = text.split("\n")
    return "".join(f"{mark(line)}\n" for line in whole), rest


class Block:
    """Rendered Markdown without blank lines around it, whatever rich puts there; `apart` asks
    for one before it."""

    def __init__(self, text: str, links: Mapping[str, str], *, apart: bool = False) -> None:
        self._text = text
        self._links = links
        self._apart = apart

    def lines(self, console: "Console", options: "ConsoleOptions") -> "list[list[Segment]]":
        """The rendered lines, from the first that shows something to the last."""
        from rich.markdown import Markdown

        # A model's links are shown, not made clickable: it does not choose where a click goes.
        markdown = Markdown(self._text, hyperlinks=False)
        lines = console.render_lines(markdown, options, pad=False)
        shown = [number for number, line in enumerate(lines) if _shows_something(line)]
        kept = lines[shown[0] : shown[-1] + 1] if shown else []
        return [linked(line, self._links) for line in kept]

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        from rich.segment import Segment

        if self._apart:
            yield Segment.line()
        for line in self.lines(console, options):
            yield from line
            yield Segment.line()


class Tail(Block):
    """The last lines of a block, as many as fit on the terminal."""

    def lines(self, console: "Console", options: "ConsoleOptions") -> "list[list[Segment]]":
        """The last of the rendered lines."""
        room = max(1, options.size.height - LINES_BELOW)
        return super().lines(console, options)[-room:]


def _shows_something(line: "list[Segment]") -> bool:
    return any(
        segment.text.strip() or (segment.style and segment.style.bgcolor) for segment in line
    )
