"""A unified diff, taken apart: files, hunks, lines. Reads what git writes, and what `diff -u` does.

Never raises: what is no diff has no files.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from repoqa.evidence.changes import HUNK, written_path
from repoqa.records import Span

NOWHERE = "/dev/null"
TWO_SIDES = re.compile(r"diff --git a/(?P<path>.+) b/(?P=path)\Z", re.DOTALL)
BINARY = ("Binary files ", "GIT binary patch")


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines `old` of one side that are lines `new` of the other; an empty side has `end` before
    `start`. `lines` keep their marks."""

    old: Span
    new: Span
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The hunk as it was written."""
        old, new = (f"{s.start},{s.end - s.start + 1}" for s in (self.old, self.new))
        return "\n".join((f"@@ -{old} +{new} @@", *self.lines))


@dataclass(frozen=True, slots=True)
class FilePatch:
    """One file's changes. A path is "" on the side where there is no file."""

    old_path: str
    new_path: str
    hunks: tuple[Hunk, ...]
    is_binary: bool = False

    @property
    def path(self) -> str:
        """Where the file is, or was."""
        return self.new_path or self.old_path


def read_patch(text: str) -> tuple[FilePatch, ...]:
    """The files of a diff, in its order."""
    return tuple(_files(_Lines(text.split("\n"))))


def changed_lines(patch: FilePatch) -> frozenset[int]:
    """The lines of the new side that the patch adds or rewrites."""
    found = set()
    for hunk in patch.hunks:
        number = hunk.new.start
        for line in hunk.lines:
            if line.startswith("+"):
                found.add(number)
            number += line[:1] not in ("-", "\\")
    return frozenset(found)


class PatchError(Exception):
    """A patch does not fit the text; the message says where."""


def applied(hunks: Sequence[Hunk], lines: Sequence[str], *, reverse: bool = False) -> list[str]:
    """The lines after the hunks, or before them. Raises PatchError where the lines differ."""
    taken, added = ("+", "-") if reverse else ("-", "+")
    result: list[str] = []
    position = 0
    for hunk in hunks:
        side = hunk.new if reverse else hunk.old
        start = side.start - 1 if side.end >= side.start else side.start
        if start < position or start > len(lines):
            raise PatchError(f"line {start + 1}")
        result += lines[position:start]
        position = start
        for line in hunk.lines:
            mark, code = line[:1] or " ", line[1:].removesuffix("\r")
            if mark in (" ", taken):
                _check(lines, position, code)
                position += 1
            if mark in (" ", added):
                result.append(code)
    return result + list(lines[position:])


def _check(lines: Sequence[str], position: int, code: str) -> None:
    if position >= len(lines) or lines[position] != code:
        raise PatchError(f"line {position + 1}")


class _Lines:
    """Lines that can be looked at before they are taken."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._next = 0

    def peek(self) -> str | None:
        return self._lines[self._next] if self._next < len(self._lines) else None

    def take(self) -> str:
        self._next += 1
        return self._lines[self._next - 1]


@dataclass(slots=True)
class _Header:
    """What is known of a file before its hunks."""

    old: str = ""
    new: str = ""
    is_binary: bool = False

    def read(self, line: str) -> None:
        """Take in one line of git's extended header."""
        if match := TWO_SIDES.match(line):
            self.old = self.new = match["path"]
        elif line.startswith("rename from "):
            self.old = _bare(line.removeprefix("rename from "))
        elif line.startswith("rename to "):
            self.new = _bare(line.removeprefix("rename to "))
        elif line.startswith("new file mode"):
            self.old = ""
        elif line.startswith("deleted file mode"):
            self.new = ""
        elif line.startswith(BINARY):
            self.is_binary = True


def _files(lines: _Lines) -> Iterator[FilePatch]:
    header: _Header | None = None
    while (line := lines.peek()) is not None:
        if line.startswith("diff --git "):
            if header:
                yield FilePatch(header.old, header.new, (), header.is_binary)
            header = _Header()
        if line.startswith("--- "):
            lines.take()
            after = lines.peek()
            if after is not None and after.startswith("+++ "):
                lines.take()
                yield _with_hunks(line[4:], after[4:], lines)
                header = None
            continue
        if header:
            header.read(line)
        lines.take()
    if header:
        yield FilePatch(header.old, header.new, (), header.is_binary)


def _with_hunks(old: str, new: str, lines: _Lines) -> FilePatch:
    hunks = []
    while (head := lines.peek()) is not None and (match := HUNK.match(head)):
        lines.take()
        hunks.append(_hunk(match, lines))
    return FilePatch(_path(old, "a/"), _path(new, "b/"), tuple(hunks))


def _hunk(match: re.Match[str], lines: _Lines) -> Hunk:
    old, new = (int(match[side]) if match[side] else 1 for side in ("old", "new"))
    starts = (int(match["old_start"]), int(match["new_start"]))
    spans = [Span(start, start + size - 1) for start, size in zip(starts, (old, new), strict=True)]
    taken: list[str] = []
    while (old > 0 or new > 0) and (line := lines.peek()) is not None and line[:2] != "@@":
        taken.append(lines.take())
        if not line.startswith("\\"):
            old, new = old - (line[:1] != "+"), new - (line[:1] != "-")
    if (line := lines.peek()) is not None and line.startswith("\\"):
        taken.append(lines.take())
    return Hunk(spans[0], spans[1], tuple(taken))


def _path(written: str, prefix: str) -> str:
    """The path of a `---` or `+++` line; `diff -u` writes it without a prefix, then a date."""
    named = written.partition("\t")[0] if not written.startswith('"') else written
    if named.rstrip() == NOWHERE:
        return ""
    return written_path(named, prefix=prefix) or written_path(named, prefix="")


def _bare(written: str) -> str:
    return written_path(written, prefix="")
