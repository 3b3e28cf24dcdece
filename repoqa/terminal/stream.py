"""The answer as it comes: live Markdown on a terminal, plain text in a pipe."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Self

from repoqa.terminal.output import Output
from repoqa.terminal.visible import visible

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.markdown import Markdown

REFRESHES_PER_SECOND = 8
LINES_BELOW = 2
"""Terminal lines kept free under the live part, so that redrawing never scrolls."""
FENCES = ("```", "~~~")


def show(pieces: Iterable[str], output: Output, *, mark: Callable[[str], str], live: bool) -> str:
    """Show the answer while it is generated and return the whole of it, as generated.

    `mark` is given each line once it is whole, without its end, and says what to show of it.
    """
    shown = _live if live and output.is_live else _plain
    return "".join(shown(pieces, output, mark))


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


def _live(pieces: Iterable[str], output: Output, mark: Callable[[str], str]) -> Iterator[str]:
    with LiveMarkdown(output, mark) as markdown:
        for piece in pieces:
            markdown.add(piece)
            yield piece


class LiveMarkdown:
    """Markdown on a terminal: settled blocks scroll away for good, the last one is redrawn."""

    def __init__(self, output: Output, mark: Callable[[str], str]) -> None:
        from rich.live import Live

        self._console = output.console()
        self._mark = mark
        self._block = self._line = ""
        self._live = Live(
            console=self._console,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
            get_renderable=lambda: Tail(self._block + self._line),
        )

    def add(self, piece: str) -> None:
        """More of the answer."""
        whole, self._line = _whole_lines(self._line + visible(piece), self._mark)
        text = self._block + whole
        cut = settled(text)
        self._block = text[cut:]
        if cut:
            self._console.print(_markdown(text[:cut]))

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave what is on the screen for good, an interrupted answer too."""
        self._live.stop()
        rest = self._block + self._mark(self._line)
        if rest.strip():
            self._console.print(_markdown(rest))


def _whole_lines(text: str, mark: Callable[[str], str]) -> tuple[str, str]:
    """The finished lines of `text`, marked, and the unfinished rest."""
    *whole, rest = text.split("\n")
    return "".join(f"{mark(line)}\n" for line in whole), rest


class Tail:
    """The last lines of a Markdown text, as many as fit on the terminal."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        from rich.segment import Segment

        lines = console.render_lines(_markdown(self._text), options, pad=False)
        room = max(1, options.size.height - LINES_BELOW)
        for line in lines[-room:]:
            yield from line
            yield Segment.line()


def _markdown(text: str) -> "Markdown":
    from rich.markdown import Markdown

    # A model's links are shown, not made clickable: it does not get to choose where a click goes.
    return Markdown(text, hyperlinks=False)
