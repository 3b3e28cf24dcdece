"""The lines that a unified diff changes, as git writes it: as they are, or as they were before."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from repoqa.records import Lines

HUNK = re.compile(
    r"@@ -(?P<old_start>\d+)(?:,(?P<old>\d+))? \+(?P<new_start>\d+)(?:,(?P<new>\d+))? @@"
)
# A name with quotes, backslashes or control characters is written as C writes strings.
ESCAPE = re.compile(rb'\\(?:([0-7]{3})|([abfnrtv"\\]))')
LETTERS = dict(zip(b'abfnrtv"\\', b'\a\b\f\n\r\t\v"\\', strict=True))


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a diff: how its file names are written, its name in HUNK, which lines it lacks,
    and which of its own lines stands for those, counted from where they would be."""

    file: str
    prefix: str
    name: str
    lacks: str
    neighbour: int


_NEW = _Side("+++ ", "b/", "new", lacks="-", neighbour=0)
_OLD = _Side("--- ", "a/", "old", lacks="+", neighbour=-1)


def changes(diff: str) -> tuple[Lines, ...]:
    """Each run of changed lines, in order; where lines are only removed, the line after them.

    Files that the diff removes have none. Never raises: what is no diff changes nothing.
    """
    return tuple(_changes(iter(diff.split("\n")), _NEW))


def replaced(diff: str) -> tuple[Lines, ...]:
    """Each run of lines that the diff replaces, as they were before; where lines are only added,
    the line before them. Files that the diff adds have none. Never raises."""
    return tuple(_changes(iter(diff.split("\n")), _OLD))


def _changes(lines: Iterator[str], side: _Side) -> Iterator[Lines]:
    path = ""
    for line in lines:
        hunk = HUNK.match(line)
        if line.startswith(side.file):
            path = written_path(line.removeprefix(side.file), prefix=side.prefix)
        elif hunk and path:
            yield from _runs(path, _changed(lines, hunk, side))


def _changed(lines: Iterator[str], hunk: re.Match[str], side: _Side) -> Iterator[int]:
    """The numbers of a hunk's changed lines on one side, sorted, some twice.

    Takes the hunk's lines and no more: its header says how many there are on either side.
    """
    old, new = (int(hunk[count]) if hunk[count] else 1 for count in ("old", "new"))
    # A side without lines is said to start at the line before.
    number = max(int(hunk[f"{side.name}_start"]) + (hunk[side.name] == "0"), 1)
    while old > 0 or new > 0:
        mark = next(lines, "@")[:1]
        if mark == "@":  # cut short
            return
        if mark != "\\":  # "No newline at end of file" is no line
            old, new = old - (mark != "+"), new - (mark != "-")
        if mark == side.lacks:
            yield max(number + side.neighbour, 1)
        elif mark in ("+", "-"):
            yield number
        number += mark not in (side.lacks, "\\")


def _runs(path: str, numbers: Iterator[int]) -> Iterator[Lines]:
    start = end = 0
    for number in numbers:
        if not start:
            start = number
        elif number > end + 1:
            yield Lines(path, start, end)
            start = number
        end = number
    if start:
        yield Lines(path, start, end)


def written_path(written: str, *, prefix: str = "b/") -> str:
    """The path in a line of a diff's header; "" where it does not start with `prefix`, as that of
    no file does. A name with spaces has a tab behind it."""
    name = written.rstrip("\r").removesuffix("\t")
    if name.startswith('"') and name.endswith('"'):
        raw = ESCAPE.sub(_unescaped, name[1:-1].encode("utf-8", "surrogateescape"))
        name = raw.decode("utf-8", "surrogateescape")
    return name.removeprefix(prefix) if name.startswith(prefix) else ""


def _unescaped(match: re.Match[bytes]) -> bytes:
    octal, letter = match[1], match[2]
    return bytes([int(octal, 8) & 0xFF if octal else LETTERS[letter[0]]])
