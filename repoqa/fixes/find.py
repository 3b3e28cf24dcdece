"""Commits that say they fix a bug, and where they did."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from repoqa.evidence.changes import replaced
from repoqa.index.analysis import analyzed
from repoqa.index.outline import KeptOutline
from repoqa.index.parts import part_of
from repoqa.index.record import unpack_postings
from repoqa.parsing.languages import detect
from repoqa.protocols import Progress
from repoqa.records import Commit, FileEntry, ParsedFile
from repoqa.repository.history import commits
from repoqa.repository.past import Past

Ranges = tuple[tuple[int, int], ...]
SAYS_FIX = re.compile(
    r"\b(bug(fix(es)?|s)?|(hot)?fix(es|ed|ing)?|issues?|regress(ion|ions|ed|es)|crash(es|ed|ing)?"
    r"|(close|resolve)[sd]? #\d+)\b",
    re.I,
)
# What is fixed is no behaviour of the program.
SAYS_OTHER = re.compile(
    r"^(revert|merge|bump|release)\b|\b(typos?|spelling|lint(er|ing)?|flake8|pylint|mypy|readme"
    r"|doc(s|umentation)?|docstrings?|comments?|changelog|whitespace|formatting|code style|ci)\b",
    re.I,
)
TRAILER = re.compile(r"[A-Za-z][A-Za-z0-9-]*: \S.*|\(cherry picked from commit [0-9a-f]+\)|-{3,}")
WORD = re.compile(r"[A-Za-z]{3,}")
# `Fix the tests` tells no place; real reports are longer still.
FEWEST_WORDS = 5
# A fix in many places is several changes in one commit, or a change of style.
MOST_SOURCE_FILES = 3
MOST_FILES = 12
MOST_LINES = 120
# The log of so many commits is read in seconds, also from the largest histories.
MOST_COMMITS = 30_000
LOG_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class FixedFile:
    """A source file as it was before a fix; `ranges` are the lines, 1-based and inclusive, that the
    fix replaced or added behind."""

    path: str
    ranges: Ranges
    content: bytes
    parsed: ParsedFile


@dataclass(frozen=True, slots=True)
class Fix:
    """A commit that fixes a bug. `parent` is the commit before, `diff` all that it changed, `files`
    are sorted by path."""

    commit: Commit
    parent: str
    diff: str
    files: tuple[FixedFile, ...]


def fixes(past: Past, *, progress: Progress) -> Iterator[Fix]:
    """Yield the fixes in the history of HEAD, the newest first.

    Raises RepositoryError where there is no commit yet.
    """
    log = commits(past.root, "HEAD", limit=MOST_COMMITS, seconds=LOG_SECONDS)
    likely = [commit for commit in log if is_fix(commit)]
    progress.start("Reading fixes", total=len(likely), unit="commits")
    try:
        for commit in likely:
            fix = _fix(past, commit)
            progress.advance()
            if fix is not None:
                yield fix
    finally:
        progress.finish()


def is_fix(commit: Commit) -> bool:
    """Whether a commit says that it fixes a bug, and changes few files, source among them."""
    subject = commit.message.partition("\n")[0]
    sources = sum(map(is_source, commit.paths))
    return (
        SAYS_FIX.search(subject) is not None
        and SAYS_OTHER.search(subject) is None
        and 1 <= sources <= MOST_SOURCE_FILES
        and len(commit.paths) <= MOST_FILES
        and len(WORD.findall(statement(commit.message))) >= FEWEST_WORDS
    )


def is_source(path: str) -> bool:
    """Whether a path is code of the program itself: no test, document, example or foreign code."""
    return detect(path, b"") != "" and part_of(path) == "code"


def statement(message: str) -> str:
    """What a commit message says, without the trailers at its end (`Signed-off-by: ...`)."""
    paragraphs = re.split(r"\n\s*\n", message.replace("\r\n", "\n").strip())
    while len(paragraphs) > 1 and all(map(TRAILER.fullmatch, paragraphs[-1].splitlines())):
        paragraphs.pop()
    return "\n\n".join(paragraphs)


def _fix(past: Past, commit: Commit) -> Fix | None:
    """The commit's fix; None where it is none, is too large, or is not all here."""
    parent = past.parent(commit.oid)
    diff = past.diff(parent, commit.oid) or "" if parent else ""
    places = _places(diff)
    if not parent or not places or sum(map(_lines, places.values())) > MOST_LINES:
        return None
    contents = {path: past.content(parent, path) for path in places}
    parsed = _parsed(contents)
    if len(parsed) < len(places):  # generated, minified, or not in this clone
        return None
    files = tuple(
        FixedFile(path, places[path], content, parsed[path])
        for path, content in contents.items()
        if content is not None
    )
    return Fix(commit, parent, diff, files)


def _places(diff: str) -> dict[str, Ranges]:
    """The source files that a fix changed, with the lines it replaced or added behind."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    for lines in replaced(diff):
        if is_source(lines.path) and _is_text(lines.path):
            ranges.setdefault(lines.path, []).append((lines.start, lines.end))
    return {path: tuple(found) for path, found in sorted(ranges.items())}


def _is_text(path: str) -> bool:
    """Whether JSON can hold a path; bytes that are not UTF-8 it cannot."""
    return path.isprintable() and path.encode("utf-8", "replace").decode() == path


def _lines(ranges: Ranges) -> int:
    return sum(end - start + 1 for start, end in ranges)


def _parsed(contents: dict[str, bytes | None]) -> dict[str, ParsedFile]:
    """Files as they were before a fix; those that are never indexed are absent."""
    entries = {
        path: FileEntry(path, "", len(content))
        for path, content in contents.items()
        if content is not None
    }
    found = analyzed([(entries[path], contents[path]) for path in entries], [*entries.values()])
    return {
        entry.path: KeptOutline(record.outline).parsed
        for entry, record in found
        if record is not None and not unpack_postings(record.postings).left_out
    }
