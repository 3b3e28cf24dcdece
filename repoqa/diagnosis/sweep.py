"""The sweep: the packed code read window by window, then one prompt with the suspects' code.

Long prompts are not retrieved from well (docs/scale.md); windows of the size that a model reads
reliably are, and take the memory of one. What a window's answer names is checked against the code
that it was shown: the rest is dropped.
"""

import queue
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import cast

from repoqa.answers.citations import Checker
from repoqa.answers.clean import clean
from repoqa.diagnosis.neighbours import around
from repoqa.diagnosis.prepare import Preparation, repacked
from repoqa.diagnosis.windows import MOST_SUSPECTS, Window, window_tokens
from repoqa.index.index import Index
from repoqa.protocols import Model, Progress, Silent
from repoqa.records import Citation, Suspect, Symbol

NONE = "NONE"
DRESSING = " \t.*_`'\"-:,;)"
LONGEST_WHY = 200  # characters


@dataclass(frozen=True, slots=True)
class WindowRead:
    """A window that was read, and the suspects that its answer named, in its order."""

    window: Window
    suspects: tuple[Suspect, ...]


def read_windows(
    windows: Sequence[Window],
    preparation: Preparation,
    model: Model,
    *,
    progress: Progress,
    at_once: int = 1,
) -> Iterator[WindowRead]:
    """Yield each window as it is read, in order, or `at_once` side by side as they come.

    Closing the iterator stops the model. Raises what the model raises.
    """
    reader = _Reader(preparation, model)
    if min(at_once, len(windows)) > 1:
        yield from _side_by_side(windows, reader, at_once, progress=progress)
        return
    for window in windows:
        yield reader.read(window, progress=progress)


def found_by(reads: Iterable[WindowRead]) -> tuple[Suspect, ...]:
    """The suspects of all windows, each once, those of the best code first."""
    found: dict[tuple[str, int, int], Suspect] = {}
    for read in sorted(reads, key=lambda read: read.window.number):
        for suspect in read.suspects:
            found.setdefault((suspect.path, suspect.start, suspect.end), suspect)
    return tuple(found.values())


def after(preparation: Preparation, reads: Sequence[WindowRead]) -> Preparation:
    """The last prompt, as long as one window: the suspects' code, what it calls and what calls it;
    the best ranked code where no window named a suspect."""
    suspects = found_by(reads)
    ranking = preparation.ranking
    if suspects:
        ranking = around(suspects, ranking, preparation.index)
    return repacked(preparation, ranking, window_tokens(preparation))


def so_far(reads: Sequence[WindowRead]) -> str:
    """The suspects of the windows read until now, as text; "" where none was read to its end."""
    if not reads:
        return ""
    lines = [f"- {s.path}:{s.start}-{s.end} {s.name}: {s.why}" for s in found_by(reads)]
    of = reads[0].window.of
    title = f"Suspects of the {len(reads)} of {of} windows that were read, not checked further:"
    return "\n".join((title, "", *(lines or ["- none"]))) + "\n"


@dataclass(frozen=True, slots=True)
class _Reader:
    """Asks a model about windows, and reads its answers."""

    preparation: Preparation
    model: Model

    def read(self, window: Window, *, progress: Progress) -> WindowRead:
        """The window with its suspects; the model is stopped once it has named enough."""
        found: dict[tuple[str, int, int], Suspect] = {}
        checker = Checker(self.preparation.index)
        stream = self.model.stream(window.prompt, progress=progress)
        with closing(cast("Generator[str, None, None]", stream)):
            for line in _lines(clean(stream)):
                for suspect in self._named(line, window, checker):
                    found.setdefault((suspect.path, suspect.start, suspect.end), suspect)
                if len(found) >= MOST_SUSPECTS or line.strip(DRESSING).upper() == NONE:
                    break
        return WindowRead(window, tuple(found.values())[:MOST_SUSPECTS])

    def _named(self, line: str, window: Window, checker: Checker) -> Iterator[Suspect]:
        """The first place of a line that the window shows; a line may be dressed up or be prose."""
        for citation in checker.line(line)[1]:
            if citation.valid and citation.start and _is_shown(citation, window):
                yield _suspect(citation, line, self.preparation)
                return


def _is_shown(citation: Citation, window: Window) -> bool:
    return any(
        excerpt.path == citation.path and excerpt.start <= citation.start <= excerpt.end
        for excerpt in window.excerpts
    )


def _suspect(citation: Citation, line: str, preparation: Preparation) -> Suspect:
    """The innermost symbol around the place; the place itself where there is none."""
    index, path = preparation.index, citation.path
    symbol = _innermost(index, path, citation.start)
    start, end = (symbol.start, symbol.end) if symbol else (citation.start, citation.end)
    scores = (
        ranked.score
        for ranked in preparation.ranking.symbols
        if ranked.path == path and ranked.symbol == symbol
    )
    why = line.partition(citation.text)[2].strip(DRESSING + "(") or line.strip(DRESSING)
    name = symbol.name if symbol else f"L{start}-{end}"
    return Suspect(path, start, end, name, next(scores, 0.0), why[:LONGEST_WHY])


def _innermost(index: Index, path: str, line: int) -> Symbol | None:
    inside = [s for s in index.parsed(path).symbols if s.start <= line <= s.end]
    return min(inside, key=lambda s: (s.end - s.start, s.start, s.name), default=None)


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """Whole lines as soon as they are there."""
    line = ""
    for piece in pieces:
        *whole, line = (line + piece).split("\n")
        yield from whole
    yield line


def _side_by_side(
    windows: Sequence[Window], reader: _Reader, at_once: int, *, progress: Progress
) -> Iterator[WindowRead]:
    """Windows as they come. The threads are let go where this ends early: one that waits for its
    server cannot be stopped, and must not keep the process."""
    waiting = list(reversed(windows))
    lock, stopped = threading.Lock(), threading.Event()
    results: queue.Queue[WindowRead | BaseException] = queue.Queue()

    def work() -> None:
        try:
            while not stopped.is_set():
                with lock:
                    window = waiting.pop() if waiting else None
                if window is None:
                    return
                results.put(reader.read(window, progress=Silent()))
        except BaseException as error:  # raised again where the results are read
            results.put(error)

    for _ in range(min(at_once, len(windows))):
        threading.Thread(target=work, daemon=True).start()
    try:
        for done in range(len(windows)):
            yield _next(results, progress=progress, done=done, of=len(windows))
    finally:
        stopped.set()


def _next(
    results: "queue.Queue[WindowRead | BaseException]", *, progress: Progress, done: int, of: int
) -> WindowRead:
    progress.start("Reading windows", total=of, unit="windows")
    progress.advance(done)
    try:
        result = results.get()
    finally:
        progress.finish()
    if isinstance(result, BaseException):
        raise result
    return result
