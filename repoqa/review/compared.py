"""Two sides of a change as files to review: what differs, what is not read, what each side says."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from repoqa.index.build import record_key
from repoqa.index.index import Index
from repoqa.index.record import analyze
from repoqa.index.store import Store
from repoqa.parsing.text import decode, split_lines
from repoqa.records import FileEntry, SkippedFile, Snapshot
from repoqa.repository.comparison import ChangedFile, Ends, changed_files, patch_text
from repoqa.repository.diff import LARGEST_DIFF_BYTES
from repoqa.repository.objects import ObjectReader, blob_id
from repoqa.repository.plumbing import Git
from repoqa.review.patch import FilePatch, changed_lines, read_patch
from repoqa.review.versions import FileChange, Version

NOT_IN_SNAPSHOT = "left out by an ignore file or by --include and --exclude"
BINARY = "binary"
CUT = f"the diff is over {LARGEST_DIFF_BYTES // (1024 * 1024)} MB: this part of it was not read"
GONE = "its old content is not in this clone"


@dataclass(frozen=True, slots=True)
class Compared:
    """What differs. `old` is what the files were, by their old paths; a file in `not_reviewed` has
    no patch, or one that is not looked at."""

    snapshot: Snapshot
    patches: tuple[FilePatch, ...]
    old: Mapping[str, bytes]
    not_reviewed: tuple[SkippedFile, ...]


def compare(git: Git, ends: Ends, snapshot: Snapshot) -> Compared:
    """Compare the states that `ends` names; `snapshot` is the new one. Raises RepositoryError."""
    files = changed_files(git, ends)
    skipped = dict(_unread(files, snapshot))
    text, is_whole = patch_text(git, ends, without=_paths(files, skipped))
    patches = {patch.path: patch for patch in read_patch(text)}
    for file in files:
        patch = patches.get(file.path)
        if patch is None and not is_whole:
            skipped.setdefault(file.path, CUT)
        elif patch and patch.is_binary:
            skipped.setdefault(file.path, BINARY)
    read = [file for file in files if file.path not in skipped]
    old = dict(_old_contents(git, read))
    for file in read:
        if file.old_oid and file.old_path not in old:
            skipped[file.path] = GONE
    return Compared(
        snapshot=snapshot,
        patches=tuple(
            patches.get(file.path, FilePatch(file.old_path, file.new_path, ()))
            for file in read
            if file.path not in skipped
        ),
        old=old,
        not_reviewed=tuple(sorted(SkippedFile(path, why) for path, why in skipped.items())),
    )


def file_changes(compared: Compared, index: Index, store: Store) -> tuple[FileChange, ...]:
    """Each changed file, parsed on both sides; the old side comes from the cache where it can."""
    object_format = compared.snapshot.object_format
    keys = {
        path: record_key(
            FileEntry(path, blob_id(content, object_format), len(content)), object_format
        )
        for path, content in compared.old.items()
    }
    known = dict(store.outlines(sorted(set(keys.values()))))
    found = []
    for patch in compared.patches:
        old = new = None
        if patch.new_path and index.file_number(patch.new_path) is None:
            continue
        if patch.old_path in keys:
            content, outline = compared.old[patch.old_path], known.get(keys[patch.old_path])
            parsed = (outline or analyze(patch.old_path, content).outline).parsed
            old = Version(patch.old_path, parsed, split_lines(decode(content) or ""))
        if patch.new_path:
            lines = index.lines(patch.new_path)
            new = Version(patch.new_path, index.parsed(patch.new_path), lines)
        if old or new:
            found.append(FileChange(old, new, changed_lines(patch)))
    return tuple(found)


def unread(compared: Compared, index: Index) -> Iterator[SkippedFile]:
    """The changed files that the index leaves out, generated ones for example."""
    why = {skipped.path: skipped.why for skipped in index.skipped}
    for patch in compared.patches:
        if patch.new_path and index.file_number(patch.new_path) is None:
            yield SkippedFile(patch.new_path, why.get(patch.new_path, NOT_IN_SNAPSHOT))


def without(compared: Compared, left_out: Collection[SkippedFile]) -> Compared:
    """The same without the patches of these files."""
    paths = {skipped.path for skipped in left_out}
    kept = tuple(patch for patch in compared.patches if patch.new_path not in paths)
    return replace(compared, patches=kept)


def _unread(files: Sequence[ChangedFile], snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """The files that are not read, and why."""
    known = {entry.path for entry in snapshot.files}
    why = {skipped.path: skipped.why for skipped in snapshot.skipped}
    for file in files:
        if file.why_unread:
            yield file.path, file.why_unread
        elif file.new_path and file.new_path not in known:
            yield file.path, why.get(file.new_path, NOT_IN_SNAPSHOT)


def _paths(files: Sequence[ChangedFile], skipped: Mapping[str, str]) -> list[str]:
    """Both paths of the skipped files: git would find no rename between one of them and nothing."""
    both = (
        path for file in files if file.path in skipped for path in (file.old_path, file.new_path)
    )
    return [path for path in both if path]


def _old_contents(git: Git, files: Sequence[ChangedFile]) -> Iterator[tuple[str, bytes]]:
    old = [file for file in files if file.old_oid]
    reader = ObjectReader(git)
    try:
        contents = reader.blobs(file.old_oid for file in old)
        for file, content in zip(old, contents, strict=True):
            if content is not None:
                yield file.old_path, content
    finally:
        reader.close()
