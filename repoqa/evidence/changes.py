"""The lines that a unified diff changes, as git writes it, on its new side."""

import re
from collections.abc import Iterator

from repoqa.records import Lines

NEW_FILE = "+++ "
HUNK = re.compile(r"@@ -\d+(?:,(?P<old>\d+))? \+(?P<start>\d+)(?:,(?P<new>\d+))? @@")
# A name with quotes, backslashes or control characters is written as C writes strings.
ESCAPE = re.compile(rb'\\(?:([0-7]{3})|([abfnrtv"\\]))')
LETTERS = dict(zip(b'abfnrtv"\\', b'\a\b\f\n\r\t\v"\\', strict=True))


def changes(diff: str) -> tuple[Lines, ...]:
    """Each run of changed lines, in order; where lines are only removed, the line after them.

    Files that the diff removes have none. Never raises: what is no diff changes nothing.
    """
    return tuple(_changes(iter(diff.split("\n"))))


def _changes(lines: Iterator[str]) -> Iterator[Lines]:
    path = ""
    for line in lines:
        hunk = HUNK.match(line)
        if line.startswith(NEW_FILE):
            path = _path(line.removeprefix(NEW_FILE))
        elif hunk and path:
            yield from _runs(path, _changed(lines, hunk))


def _changed(lines: Iterator[str], hunk: re.Match[str]) -> Iterator[int]:
    """The numbers of a hunk's changed lines, sorted, some twice.

    Takes the hunk's lines and no more: its header says how many there are on either side.
    """
    old, new = (int(hunk[side]) if hunk[side] else 1 for side in ("old", "new"))
    number = max(int(hunk["start"]), 1)
    while old > 0 or new > 0:
        mark = next(lines, "@")[:1]
        if mark == "@":  # cut short
            return
        if mark != "\\":  # "No newline at end of file" is no line
            old, new = old - (mark != "+"), new - (mark != "-")
        if mark in ("+", "-"):
            yield number
        number += mark not in ("-", "\\")


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


def _path(written: str) -> str:
    """The path of a `+++` line; "" for none. A name with spaces has a tab behind it."""
    name = written.rstrip("\r").removesuffix("\t")
    if name.startswith('"') and name.endswith('"'):
        raw = ESCAPE.sub(_unescaped, name[1:-1].encode("utf-8", "surrogateescape"))
        name = raw.decode("utf-8", "surrogateescape")
    return name.removeprefix("b/") if name.startswith("b/") else ""


def _unescaped(match: re.Match[bytes]) -> bytes:
    octal, letter = match[1], match[2]
    return bytes([int(octal, 8) & 0xFF if octal else LETTERS[letter[0]]])
