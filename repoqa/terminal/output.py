"""The door to the terminal: answers to standard output, everything else to standard error."""

import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO, TypeAlias

from repoqa.errors import JobError
from repoqa.visible import visible

if TYPE_CHECKING:
    from rich.console import Console

StyledText: TypeAlias = tuple[str, str]
"""Text, and the rich style it has on a terminal ("" for none)."""


class ReaderGoneError(Exception):
    """Whoever read the output has closed it (`| head`): there is nothing more to do."""


@dataclass(frozen=True, slots=True)
class Output:
    """Both streams. All text is made visible on its way out: no code, name or model output can
    drive the terminal. Raises ReaderGoneError when the other end of a pipe is closed, JobError
    where the output cannot be written."""

    stdout: TextIO
    stderr: TextIO

    @property
    def is_live(self) -> bool:
        """Whether standard output is a terminal that can redraw what it shows."""
        return _can_redraw(self.stdout)

    @property
    def shows_progress(self) -> bool:
        """Whether standard error is a terminal that can redraw what it shows."""
        return _can_redraw(self.stderr)

    def write(self, text: str) -> None:
        """A piece of the answer, shown at once."""
        _write(self.stdout, visible(text))

    def styled(self, parts: Iterable[StyledText]) -> None:
        """Answer text whose styles a terminal alone sees."""
        safe = [(visible(text), style) for text, style in parts]
        if not self.is_live:
            _write(self.stdout, "".join(text for text, _ in safe))
            return
        from rich.text import Text

        self.console().print(Text.assemble(*safe), soft_wrap=True, end="")

    def write_bytes(self, content: bytes) -> None:
        """Output for another program, in UTF-8 whatever the locale says."""
        with _watched(self.stdout):
            self.stdout.flush()
            self.stdout.buffer.write(content)
            self.stdout.buffer.flush()

    def note(self, text: str) -> None:
        """A line for the user that is no part of the answer; lost where it cannot be written."""
        with suppress(JobError):
            _write(self.stderr, f"repoqa: {visible(text)}\n")

    def console(self) -> "Console":
        """Standard output as rich sees it."""
        from rich.console import Console

        return Console(file=self.stdout, highlight=False)


def standard_output() -> Output:
    """The process's own streams, set to show what their encoding lacks as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return Output(sys.stdout, sys.stderr)


def abandon(stream: TextIO) -> None:
    """Point a stream whose reader is gone at nothing, so that the last flush cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _can_redraw(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def _watched(stream: TextIO) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGoneError from error
    except OSError as error:
        abandon(stream)
        raise JobError(
            f"the output cannot be written: {error.strerror}",
            remedy="Make room, or write it elsewhere.",
        ) from error


def _write(stream: TextIO, text: str) -> None:
    with _watched(stream):
        stream.write(text)
        stream.flush()
