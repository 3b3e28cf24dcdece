"""What is reviewed: a range, a push, what is staged, the working tree's edits, or a patch."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from repoqa.errors import RepositoryError, UsageError
from repoqa.parsing.text import decode, split_lines
from repoqa.records import BlobSource, FileEntry, SkippedFile, Snapshot
from repoqa.repository.comparison import Ends, empty_tree
from repoqa.repository.diff import RANGE
from repoqa.repository.objects import blob_id
from repoqa.repository.plumbing import Git
from repoqa.repository.pushed import pushed_range
from repoqa.repository.revision import resolve
from repoqa.repository.snapshot import open_snapshot, read_file
from repoqa.repository.staged import staged_snapshot
from repoqa.review.compared import Compared, compare
from repoqa.review.patch import FilePatch, PatchError, applied, read_patch
from repoqa.review.report import Range

DOES_NOT_APPLY = "the patch does not fit the working tree at {}"
NO_TEXT = "binary"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked to have reviewed; nothing of it means what a push would send.

    `range` is `A..B`, `A...B`, or a name that HEAD is compared with; `patch` the text of a diff.
    """

    range: str | None = None
    staged: bool = False
    worktree: bool = False
    patch: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is reviewed, and its two sides side by side."""

    range: Range
    compared: Compared


def choose(git: Git, wanted: Wanted) -> Chosen:
    """Find the two sides and compare them. Raises RepositoryError and UsageError."""
    if sum((wanted.range is not None, wanted.staged, wanted.worktree, bool(wanted.patch))) > 1:
        raise UsageError(
            "a range, --staged, --worktree and a patch each say what to review",
            remedy="Leave all but one out.",
        )
    if wanted.patch:
        return _patched(git, wanted.patch)
    if wanted.staged or wanted.worktree:
        return _uncommitted(git, staged=wanted.staged)
    if wanted.range is not None:
        old, new = _ends(git, wanted.range)
        return between(git, Range("range", wanted.range, old, new))
    old, new = pushed_range(git)
    return between(git, Range("push", "what git push would send", old, new))


def between(git: Git, range_: Range) -> Chosen:
    """Compare two commits or trees."""
    assert range_.new is not None
    snapshot = open_snapshot(git.root, revision=range_.new)
    return Chosen(range_, compare(git, (range_.old, range_.new), snapshot))


def _ends(git: Git, text: str) -> tuple[str, str]:
    match = RANGE.fullmatch(text)
    if match is None:
        return _fork(git, resolve(git, text), resolve(git, "HEAD"), text=text), resolve(git, "HEAD")
    old, new = (resolve(git, match[end] or "HEAD") for end in ("old", "new"))
    return (_fork(git, old, new, text=text) if match["dots"] == "..." else old), new


def _fork(git: Git, old: str, new: str, *, text: str) -> str:
    """Where `new` left `old`."""
    found = git.attempt("merge-base", old, new)
    if found.status:
        raise RepositoryError(
            f"the two ends of {text!r} have no commit in common",
            remedy="Compare them directly, as A..B.",
        )
    return found.output.decode().strip()


def _uncommitted(git: Git, *, staged: bool) -> Chosen:
    if git.bare:
        raise RepositoryError(
            f"{git.root} has no working tree to review", remedy="Name a range: A..B"
        )
    has_commit = git.attempt("rev-parse", "--verify", "--quiet", "HEAD").status == 0
    old = resolve(git, "HEAD") if has_commit else empty_tree(git)
    if staged:
        ends: Ends = ("--cached", old)
        chosen = Range("staged", "what is staged", old, None)
        return Chosen(chosen, compare(git, ends, staged_snapshot(git)))
    chosen = Range("worktree", "the working tree", old, None)
    return Chosen(chosen, compare(git, (old,), open_snapshot(git.root)))


def _patched(git: Git, text: str) -> Chosen:
    """A patch, which the working tree (HEAD where there is none) holds already or could take."""
    patches = read_patch(text)
    if not any(patch.path for patch in patches):
        raise UsageError(
            "what came from standard input is no patch",
            remedy="Pipe one in, as git diff writes it; --no-stdin leaves standard input unread.",
        )
    snapshot = open_snapshot(git.root, revision="HEAD" if git.bare else None)
    overlay = Overlay(snapshot)
    for patch in patches:
        overlay.add(patch)
    chosen = Range("patch", "a patch from standard input", snapshot.revision or "", None)
    return Chosen(chosen, overlay.compared())


class Overlay:
    """A snapshot with a patch's files written over it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._new: dict[str, bytes | None] = {}
        self._old: dict[str, bytes] = {}
        self._patches: list[FilePatch] = []
        self._skipped: list[SkippedFile] = []

    def add(self, patch: FilePatch) -> None:
        """Take in one file: its new content where the tree has the old one, or the other way."""
        if patch.is_binary:
            self._skipped.append(SkippedFile(patch.path, NO_TEXT))
            return
        try:
            old, new = self._sides(patch)
        except PatchError as error:
            self._skipped.append(SkippedFile(patch.path, DOES_NOT_APPLY.format(error)))
            return
        if patch.old_path:
            self._old[patch.old_path] = _joined(old)
            if patch.old_path != patch.new_path:
                self._new[patch.old_path] = None
        if patch.new_path:
            self._new[patch.new_path] = _joined(new)
        self._patches.append(patch)

    def compared(self) -> Compared:
        """The two sides."""
        entries = {entry.path: entry for entry in self._snapshot.files}
        for path, content in self._new.items():
            if content is None:
                entries.pop(path, None)
            else:
                oid = blob_id(content, self._snapshot.object_format)
                entries[path] = FileEntry(path, oid, len(content))
        written = {path: content for path, content in self._new.items() if content is not None}
        snapshot = replace(
            self._snapshot,
            files=tuple(sorted(entries.values())),
            source=_Written(self._snapshot.source, written),
        )
        return Compared(
            snapshot, tuple(self._patches), self._old, tuple(sorted(set(self._skipped)))
        )

    def _sides(self, patch: FilePatch) -> tuple[list[str], list[str]]:
        after = self._lines(patch.new_path)
        if after is not None or not patch.new_path:
            try:
                return applied(patch.hunks, after or [], reverse=True), after or []
            except PatchError:
                if not patch.old_path:
                    raise
        before = self._lines(patch.old_path) or []
        return before, applied(patch.hunks, before)

    def _lines(self, path: str) -> list[str] | None:
        content = read_file(self._snapshot, path) if path else None
        return None if content is None else split_lines(decode(content) or "")


@dataclass(frozen=True, slots=True)
class _Written:
    """Files of a snapshot, some of them overwritten."""

    source: BlobSource
    written: Mapping[str, bytes]

    def read(self, entries: Iterable[FileEntry]) -> Iterator[tuple[FileEntry, bytes | None]]:
        """Yield each entry with its bytes, in the order given."""
        for is_written, run in groupby(entries, key=lambda entry: entry.path in self.written):
            if is_written:
                yield from ((entry, self.written[entry.path]) for entry in run)
            else:
                yield from self.source.read(run)


def _joined(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
