"""What the user says: the question, and the log piped in or named.

Standard input is read only when it is a pipe, a socket or a file, so that nothing waits for a
terminal or takes /dev/null for a log.
"""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from repoqa.errors import UsageError
from repoqa.parsing.text import decode

FROM_STDIN = "-"
MOST_BYTES = 32_000_000
CHUNK_BYTES = 1 << 20
PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the question comes from. `argument` None means that none was given; `has_diff`: a diff
    was, which is a question by itself."""

    argument: str | None
    log: Path | None
    stdin: BinaryIO | None
    has_diff: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """What was read: the question as written, and the log."""

    question: str
    log: str


def read_given(sources: Sources, *, note: Callable[[str], None]) -> Given:
    """Read everything that was given. Raises UsageError where that is nothing at all."""
    question, log = sources.argument or "", ""
    if sources.argument == FROM_STDIN:
        if sources.stdin is None:
            raise UsageError(
                "- reads the question from standard input, which --no-stdin forbids",
                remedy="Leave out one of the two.",
            )
        question = _text(_read(sources.stdin, note=note), name="standard input")
    elif sources.stdin is not None and is_piped(sources.stdin):
        log = _text(_read(sources.stdin, note=note), name="standard input")
    if sources.log is not None:
        log = "\n".join(part for part in (_read_log(sources.log, note=note), log) if part)
    if not question.strip() and not log.strip() and not sources.has_diff:
        raise UsageError(
            "there is no question",
            remedy='Ask one, as in: repoqa ask "why does login fail", or pipe a log in.',
        )
    return Given(question, log)


def read_piped(stream: BinaryIO, *, note: Callable[[str], None]) -> str:
    """All of standard input as text. Raises UsageError where it is binary."""
    return _text(_read(stream, note=note), name="standard input")


def is_piped(stream: BinaryIO) -> bool:
    """Whether a stream carries input: a pipe, a socket or a file, not a terminal or device."""
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except OSError:  # closed by whoever started us
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _read_log(path: Path, *, note: Callable[[str], None]) -> str:
    try:
        with path.open("rb") as stream:
            content = _read(stream, note=note)
    except OSError as error:
        raise UsageError(
            f"the log {path} cannot be read: {error.strerror}",
            remedy="Give --log the path of a readable text file.",
        ) from error
    return _text(content, name=str(path))


def _read(stream: BinaryIO, *, note: Callable[[str], None]) -> bytes:
    content = bytearray()
    with _saying(note, "waiting for standard input (--no-stdin leaves it unread)") as arrived:
        while len(content) <= MOST_BYTES and (chunk := os.read(stream.fileno(), CHUNK_BYTES)):
            arrived()
            content += chunk
    if len(content) > MOST_BYTES:
        note(f"only the first {MOST_BYTES // 1_000_000} MB of the input are read")
        del content[max(content.rfind(b"\n", 0, MOST_BYTES), 0) :]
    return bytes(content)


@contextmanager
def _saying(note: Callable[[str], None], text: str) -> Iterator[Callable[[], None]]:
    """Say `text` unless the function yielded is called within the time we are patient."""
    timer = threading.Timer(PATIENCE_SECONDS, note, (text,))
    timer.daemon = True
    timer.start()
    try:
        yield timer.cancel
    finally:
        timer.cancel()


def _text(content: bytes, *, name: str) -> str:
    text = decode(content)
    if text is None:
        raise UsageError(
            f"what came from {name} is binary, not text",
            remedy="Give the log or the question as text.",
        )
    return text
