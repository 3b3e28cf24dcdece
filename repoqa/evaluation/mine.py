"""Bug reports from a repository's own history: commits that say they fix a bug, and where they did.

A commit's message is written by who knows the fix, so it is an easier question than a user's
report; what it is good for is comparing two settings on code like one's own.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from repoqa.evaluation.localize import outer_functions
from repoqa.evaluation.reports import Gold, Report
from repoqa.evidence.changes import replaced
from repoqa.index.analysis import analyzed
from repoqa.index.record import KeptOutline, unpack_postings
from repoqa.parsing.languages import detect
from repoqa.protocols import Progress
from repoqa.ranking.places import part_of
from repoqa.records import Commit, FileEntry, ParsedFile
from repoqa.repository.history import commits
from repoqa.repository.past import Past

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
SHORT_ID = 12


class MinedReport(Report, frozen=True):
    """A report with, for reading, the functions that its fix touched, by file."""

    gold_symbols: dict[str, tuple[str, ...]]


def mine(past: Past, *, limit: int, progress: Progress) -> Iterator[MinedReport]:
    """Yield at most `limit` reports from the history of HEAD, the newest fix first.

    Raises RepositoryError where there is no commit yet.
    """
    log = commits(past.root, "HEAD", limit=MOST_COMMITS, seconds=LOG_SECONDS)
    likely = [commit for commit in log if is_fix(commit)]
    progress.start("Reading fixes", total=len(likely), unit="commits")
    yield from islice(_mined(past, likely, progress=progress), limit)
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


def _mined(past: Past, likely: Sequence[Commit], *, progress: Progress) -> Iterator[MinedReport]:
    name = clone_name(past.root)
    for commit in likely:
        parent = past.parent(commit.oid)
        gold = _gold(past.diff(parent, commit.oid) or "") if parent else ()
        progress.advance()
        if not parent or not gold or _lines(gold) > MOST_LINES:
            continue
        parsed = _parsed(past, parent, gold)
        if len(parsed) < len(gold):  # generated, minified, or not in this clone
            continue
        yield MinedReport(
            id=f"{name}-{commit.oid[:SHORT_ID]}",
            lang=parsed[gold[0].path].language,
            repo=name,
            history=name,
            base_commit=parent,
            problem_statement=statement(commit.message),
            gold=gold,
            gold_symbols={file.path: _symbols(parsed[file.path], file) for file in gold},
        )


def clone_name(root: Path) -> str:
    """What a clone is called, below the folder that holds it: `shop` for `shop/.git` as well."""
    return root.name.removesuffix(".git") or root.parent.name


def _gold(diff: str) -> tuple[Gold, ...]:
    """The source files that a fix changed, with the lines it replaced or added behind."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    for lines in replaced(diff):
        if is_source(lines.path) and _is_text(lines.path):
            ranges.setdefault(lines.path, []).append((lines.start, lines.end))
    return tuple(Gold(path, tuple(found)) for path, found in sorted(ranges.items()))


def _is_text(path: str) -> bool:
    """Whether JSON can hold a path; bytes that are not UTF-8 it cannot."""
    return path.isprintable() and path.encode("utf-8", "replace").decode() == path


def _lines(gold: Sequence[Gold]) -> int:
    return sum(end - start + 1 for file in gold for start, end in file.ranges)


def _parsed(past: Past, parent: str, gold: Sequence[Gold]) -> dict[str, ParsedFile]:
    """The gold files as they were before the fix; those that are never indexed are absent."""
    contents = {file.path: past.content(parent, file.path) for file in gold}
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


def _symbols(parsed: ParsedFile, gold: Gold) -> tuple[str, ...]:
    return tuple(
        symbol.name
        for symbol in outer_functions(parsed.symbols)
        if any(start <= symbol.end and symbol.start <= end for start, end in gold.ranges)
    )
