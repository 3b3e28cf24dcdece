"""Makes the training examples of a repository: of its history's fixes, and of its current code.

Generated, vendored and binary files, tests, documents and tables are left out, and so is what
cannot be shown without a secret. The same repository gives the same examples.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, cast

from repoqa.fixes.find import LOG_SECONDS, MOST_COMMITS, Fix, fixes
from repoqa.index.analysis import analyzed
from repoqa.index.outline import KeptOutline
from repoqa.index.parts import part_of
from repoqa.index.record import unpack_postings
from repoqa.parsing.languages import detect
from repoqa.parsing.text import decode
from repoqa.prompts.redact import Redactor
from repoqa.protocols import Progress
from repoqa.records import FileEntry, ParsedFile, Snapshot
from repoqa.repository.history import commits
from repoqa.repository.past import Past
from repoqa.tuning.examples import Example, FixPair, GapPair
from repoqa.tuning.fix_pairs import fix_pair
from repoqa.tuning.gaps import CodeFile, gaps
from repoqa.tuning.split import Parts, part

if TYPE_CHECKING:
    from collections.abc import Generator

MARK = "[redacted: "
SECRET = "a secret stands in what would be learned"
IGNORED = "a file that it changes is ignored"
LIMIT = "over the limit of {} examples of a kind"
_WORDS = {"test": "tests", "example": "examples", "data": "data", "docs": "documents"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """At most so many examples of a kind, which share of them is held out, and whether a path of
    the past is one that the repository's rules leave out now."""

    most: int
    share: float
    ignores: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Made:
    """The examples; why how many files (`files`) and examples (`parts.left_out`) were left out; and
    how many examples show a mark in place of a secret."""

    parts: Parts
    files: Counter[str]
    redacted: int


@dataclass(frozen=True, slots=True)
class _Code:
    """A source file as it is: `time` as CodeFile has it."""

    path: str
    text: str
    parsed: ParsedFile


def make(snapshot: Snapshot, past: Past, wanted: Wanted, *, progress: Progress) -> Made:
    """The examples of a repository whose current files are `snapshot`'s.

    Raises RepositoryError where it has no commit yet.
    """
    newest = _fixes(past, wanted.most, progress=progress)
    found = [fix for fix in newest if not any(wanted.ignores(file.path) for file in fix.files)]
    left_out: Counter[str] = Counter(skipped.why for skipped in snapshot.skipped)
    code = list(_code(snapshot, left_out, progress=progress))
    redactor = _learned(found, code, past)
    changed = _last_changes(past)
    pairs = [fix_pair(fix, redactor) for fix in found]
    cut = [
        gap
        for file in code
        for gap in gaps(
            CodeFile(
                file.path,
                redactor.text(file.text, path=file.path),
                file.parsed,
                changed.get(file.path, 0),
            )
        )
    ]
    dropped = Counter({IGNORED: len(newest) - len(found)})
    dropped[SECRET] = sum(map(_tells, pairs)) + sum(map(_tells, cut))
    kept = _chosen([gap for gap in cut if not _tells(gap)], wanted.most, dropped)
    parts = part([pair for pair in pairs if not _tells(pair)], kept, share=wanted.share)
    return Made(
        Parts(parts.train, parts.held_out, +dropped + parts.left_out),
        left_out,
        sum(map(_shows_mark, (*parts.train, *parts.held_out))),
    )


def _fixes(past: Past, most: int, *, progress: Progress) -> list[Fix]:
    with closing(cast("Generator[Fix, None, None]", fixes(past, progress=progress))) as found:
        return list(islice(found, most))


def _code(snapshot: Snapshot, left_out: Counter[str], *, progress: Progress) -> Iterator[_Code]:
    """The source files that can be learned from, sorted by path; `left_out` counts the others."""
    entries: list[FileEntry] = []
    for entry in snapshot.files:
        why = _why_no_code(entry.path)
        if why:
            left_out[why] += 1
        else:
            entries.append(entry)
    contents = dict(snapshot.source.read(entries))
    progress.start("Reading code", total=len(entries), unit="files")
    found = []
    for entry, record in analyzed([*contents.items()], entries):
        progress.advance()
        content = contents[entry]
        why = "gone" if record is None else unpack_postings(record.postings).left_out
        text = None if content is None or why else decode(content)
        if record is None or text is None:
            left_out[why.partition(":")[0]] += 1
        else:
            found.append(_Code(entry.path, text, KeptOutline(record.outline).parsed))
    progress.finish()
    yield from sorted(found, key=lambda file: file.path)


def _why_no_code(path: str) -> str:
    """Why no example is made of a file by its name, in words for the user; "" where one is."""
    place = part_of(path)
    if place != "code":
        return _WORDS.get(place, place)
    if detect(path, b"") == "":
        return "no language that is parsed"
    is_text = path.isprintable() and path.encode("utf-8", "replace").decode() == path
    return "" if is_text else "its name is no text"


def _learned(found: Sequence[Fix], code: Sequence[_Code], past: Past) -> Redactor:
    """What knows the secrets of all texts before the first example is made: a value that one file
    names a password stands bare in another."""
    redactor = Redactor()
    for fix in found:
        for file in fix.files:
            after = past.content(fix.commit.oid, file.path) or b""
            for content in (file.content, after):
                redactor.text(decode(content) or "", path=file.path)
        redactor.text(fix.commit.message)
    for each in code:
        redactor.text(each.text, path=each.path)
    return redactor


def _last_changes(past: Past) -> dict[str, int]:
    """When each file was last changed, in seconds since 1970, as far as the history tells."""
    changed: dict[str, int] = {}
    for commit in commits(past.root, "HEAD", limit=MOST_COMMITS, seconds=LOG_SECONDS):
        for path in commit.paths:
            changed[path] = max(changed.get(path, 0), commit.time)
    return changed


def _chosen(found: Sequence[GapPair], most: int, dropped: Counter[str]) -> list[GapPair]:
    """At most so many gaps, from all over the code."""

    def order(gap: GapPair) -> bytes:
        return hashlib.sha256(gap.id.encode()).digest()

    dropped[LIMIT.format(f"{most:,}")] = max(len(found) - most, 0)
    return sorted(found, key=order)[:most]


def _tells(example: Example) -> bool:
    """Whether what is to be learned holds a mark in place of a secret."""
    return MARK in (example.answer if isinstance(example, FixPair) else example.middle)


def _shows_mark(example: Example) -> bool:
    if isinstance(example, GapPair):
        return MARK in example.prefix or MARK in example.suffix
    return MARK in example.question or any(MARK in "\n".join(s.lines) for s in example.shown)
