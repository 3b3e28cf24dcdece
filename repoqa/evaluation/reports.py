"""Bug reports with the places their fixes changed, one JSON object a line.

`{"id", "lang", "repo", "history", "base_commit", "problem_statement", "gold"}`, gold
being a list of `{"path", "ranges"}`:
`history` names the clone (`owner/name`, or a folder's name alone) whose history holds
`base_commit`; `ranges` are the 1-based inclusive lines, at `base_commit`, that the fix changed.
docs/measuring.md tells more.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from repoqa.errors import UsageError


class Gold(msgspec.Struct, frozen=True):
    """A file that the fix changed, and which of its lines."""

    path: str
    ranges: tuple[tuple[int, int], ...]


class Report(msgspec.Struct, frozen=True):
    """One bug report. Unknown fields are allowed."""

    id: str
    lang: str
    repo: str
    history: str
    base_commit: str
    problem_statement: str
    gold: tuple[Gold, ...]


def read(path: Path) -> Iterator[Report]:
    """The reports of a file. Raises UsageError where it cannot be read as such."""
    decoder = msgspec.json.Decoder(Report)
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(
            f"Cannot read {path}: {error.strerror}.", remedy="Name a file of bug reports (.jsonl)."
        ) from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError as error:
                raise UsageError(
                    f"{path}:{number} is no bug report: {error}.",
                    remedy="Each line is a JSON object: docs/measuring.md has its fields.",
                ) from error


def encoded(report: Report) -> bytes:
    """A report as the line that `read` reads."""
    return msgspec.json.encode(report) + b"\n"


def find_clone(repositories: Path, history: str) -> Path | None:
    """The clone below a folder: of `owner/name` as `owner/name` or `owner__name`, bare or not."""
    for candidate in (history, history.replace("/", "__", 1)):
        for suffix in ("", ".git"):
            path = repositories / f"{candidate}{suffix}"
            if path.is_dir():
                return path
    return None
