"""The place that is to be filled in: where it is in a file's text, and what stands around it.

A file's bytes are kept apart from its text, so that a change leaves every other byte as it was: its
encoding, its byte order mark, its line ends.
"""

import codecs
import re
from dataclasses import dataclass

from repoqa.errors import UsageError
from repoqa.models.infill import Gap
from repoqa.parsing.text import decode

# The byte order mark and the codec of everything that `decode` reads.
ENCODINGS = (
    (b"", "utf-8"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"", "latin-1"),
)
CARRIAGE_RETURN_LINE_FEED = "\r\n"
_PLACE = re.compile(r"(?P<path>.+?):(?P<line>[1-9]\d*)(?::(?P<column>[1-9]\d*))?")


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, 1-based, and the column before which the gap is; None is the line's end."""

    path: str
    line: int
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A file's text without its byte order mark; `mark` and `encoding` give its bytes again."""

    path: str
    text: str
    mark: bytes
    encoding: str

    def encoded(self, text: str) -> bytes:
        """Another text as the bytes of this file. Raises UsageError for what it cannot hold."""
        try:
            return self.mark + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            letter = error.object[error.start]
            raise UsageError(
                f"{self.path} is written in {self.encoding}, which has no {letter!r}",
                remedy="Convert it to UTF-8 first.",
            ) from error


@dataclass(frozen=True, slots=True)
class Site:
    """A gap in a file's text: what stands before and behind it, as in the file. `marked` is what
    stands in the gap and goes when it is filled."""

    file: Text
    before: str
    after: str
    marked: str = ""

    @property
    def gap(self) -> Gap:
        """What a model reads: line ends are line feeds."""
        return Gap(_with_line_feeds(self.before), _with_line_feeds(self.after))

    @property
    def line(self) -> int:
        """The line that the gap is on, 1-based."""
        return self.before.count("\n") + 1

    def filled(self, text: str) -> str:
        """The file's whole text with a model's in the gap, its line ends those of the file."""
        if uses_carriage_returns(self.file.text):
            text = text.replace("\n", CARRIAGE_RETURN_LINE_FEED)
        return self.before + text + self.after


def parse_place(argument: str) -> Place:
    """`FILE:LINE` or `FILE:LINE:COLUMN`. Raises UsageError."""
    match = _PLACE.fullmatch(argument)
    if match is None:
        raise UsageError(
            f"{argument!r} names no place in a file",
            remedy="Write it as FILE:LINE or FILE:LINE:COLUMN, both from 1; or give --marker TEXT.",
        )
    return Place(match["path"], int(match["line"]), int(match["column"] or 0) or None)


def read_text(path: str, content: bytes) -> Text:
    """A file's bytes as text that can be written back. Raises UsageError for what is none."""
    text = decode(content)
    for mark, encoding in ENCODINGS if text is not None else ():
        assert text is not None
        if content.startswith(mark) and _is_written(text, content, mark=mark, encoding=encoding):
            return Text(path, text, mark, encoding)
    raise UsageError(f"{path} is not a text file", remedy="Name a file of source code.")


def site_at(file: Text, place: Place) -> Site:
    """The gap before the place's column, or at its line's end. Raises UsageError for a line or a
    column that is not there."""
    lines = file.text.split("\n")
    if place.line > len(lines):
        count = len(lines) - (not lines[-1])
        raise UsageError(
            f"{file.path} has {count:,} lines, so no line {place.line:,}",
            remedy="Name a line that is there, or the one behind the last.",
        )
    line = lines[place.line - 1].removesuffix("\r")
    column = len(line) + 1 if place.column is None else place.column
    if column > len(line) + 1:
        raise UsageError(
            f"{file.path}:{place.line} has {len(line):,} characters, so no column {column:,}",
            remedy="Name the column of a character, or leave it out for the line's end.",
        )
    start = sum(len(before) + 1 for before in lines[: place.line - 1]) + column - 1
    return Site(file, file.text[:start], file.text[start:])


def site_of_marker(file: Text, marker: str) -> Site:
    """The gap where the marker stands. Raises UsageError unless it does so once."""
    count = file.text.count(marker) if marker else 0
    if count != 1:
        raise UsageError(
            f"{file.path} has the marker {marker!r} {count} times",
            remedy="Put it at the one place that is to be filled in.",
        )
    before, _, after = file.text.partition(marker)
    return Site(file, before, after, marked=marker)


def uses_carriage_returns(text: str) -> bool:
    """Whether most of the text's lines end with a carriage return and a line feed."""
    return 2 * text.count(CARRIAGE_RETURN_LINE_FEED) > text.count("\n")


def _with_line_feeds(text: str) -> str:
    return text.replace(CARRIAGE_RETURN_LINE_FEED, "\n")


def _is_written(text: str, content: bytes, *, mark: bytes, encoding: str) -> bool:
    try:
        return mark + text.encode(encoding) == content
    except UnicodeEncodeError:
        return False
