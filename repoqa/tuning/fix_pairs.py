"""Makes a pair of each fix in the history: message and earlier code -> where and what changed.

The lines around a change begin at a random distance from it, so that a model cannot learn that the
bug is always in the middle; the distance follows from the commit, and so never changes.
"""

import hashlib
import re
from collections.abc import Iterator

from repoqa.evidence.changes import written_path
from repoqa.fixes.find import Fix, FixedFile, Ranges, statement
from repoqa.parsing.functions import outer_functions
from repoqa.parsing.outline import merge
from repoqa.parsing.text import decode, split_lines
from repoqa.prompts.redact import Redactor
from repoqa.records import Span
from repoqa.tuning.examples import FixPair, Shown

# About what a prompt of 1,000 tokens holds of one place.
WINDOW = 48
LEAST_AROUND = 16
"""Lines that are shown around even the largest change."""
SHORT_ID = 12
_SECTION = re.compile(r"^(?=diff --git )", re.MULTILINE)
_OLD_NAME = re.compile(r"^--- (.*)$", re.MULTILINE)
_HUNKS = re.compile(r"^@@ ", re.MULTILINE)


def fix_pair(fix: Fix, redactor: Redactor) -> FixPair:
    """The pair of a fix, without its secrets."""
    sections = dict(_sections(fix.diff))
    places, hunks = [], []
    for file in fix.files:
        places += list(_places(file))
        changes = redactor.text(sections.get(file.path, ""), path=file.path)
        hunks.append(f"--- a/{file.path}\n+++ b/{file.path}\n{changes}")
    return FixPair(
        id=fix.commit.oid[:SHORT_ID],
        time=fix.commit.time,
        question=_as_text(redactor.text(statement(fix.commit.message))),
        shown=tuple(
            shown for file in fix.files for shown in _shown(file, fix.commit.oid, redactor)
        ),
        answer=_as_text("\n".join((*places, "", "```diff", *hunks)).rstrip("\n") + "\n```"),
    )


def _sections(diff: str) -> Iterator[tuple[str, str]]:
    """The hunks of each file that the diff changes, by its earlier path."""
    for section in _SECTION.split(diff):
        name, hunks = _OLD_NAME.search(section), _HUNKS.search(section)
        if name and hunks:
            yield written_path(name[1], prefix="a/"), section[hunks.start() :].rstrip("\n")


def _places(file: FixedFile) -> Iterator[str]:
    """`path:first-last function` of each place, as an answer names it."""
    functions = outer_functions(file.parsed.symbols)
    for start, end in file.ranges:
        inside = [each.name for each in functions if each.start <= end and start <= each.end]
        lines = str(start) if start == end else f"{start}-{end}"
        yield f"{file.path}:{lines} {inside[0] if inside else ''}".rstrip()


def _shown(file: FixedFile, oid: str, redactor: Redactor) -> Iterator[Shown]:
    text = decode(file.content) or ""
    lines = split_lines(redactor.text(text, path=file.path))
    windows = [
        _window(Span(*changed), len(lines), seed=f"{oid}:{file.path}:{changed[0]}")
        for changed in file.ranges
    ]
    for window in merge(windows):
        inside = tuple(_inside(file.ranges, window))
        yield Shown(file.path, window.start, tuple(lines[window.start - 1 : window.end]), inside)


def _window(changed: Span, last: int, *, seed: str) -> Span:
    """The lines around a change, `last` being the file's last line."""
    size = changed.end - changed.start + 1
    around = max(WINDOW - size, LEAST_AROUND)
    before = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big") % (around + 1)
    return Span(max(changed.start - before, 1), min(changed.end + around - before, last))


def _inside(ranges: Ranges, window: Span) -> Iterator[tuple[int, int]]:
    return ((a, b) for a, b in ranges if window.start <= a and b <= window.end)


def _as_text(text: str) -> str:
    """The same for JSON, which cannot hold bytes that are no text."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
