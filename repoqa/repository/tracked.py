"""What git's index knows of a working tree, and the copy of it that is kept for the next time.

To print and parse a hundred thousand entries takes longer than all else that listing them does. A
copy is used only where the index's file is the same, byte for byte. Of a sparse checkout none is
kept: what git tells of it also depends on what lies on the disk.
"""

import contextlib
import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from sys import getfilesystemencoding
from typing import TypeAlias

import msgspec

from repoqa.records import FileEntry
from repoqa.repository.ignore import IGNORE_FILE
from repoqa.repository.objects import LARGEST_FILE_BYTES
from repoqa.repository.plumbing import Git

# Raised by hand when `Tracked` changes, or what is told apart.
KEPT_VERSION = 1
FILE_MODES = ("100644", "100755")
# Flags of an index entry at whose file git does not look: assume-unchanged, skip-worktree (outside
# a sparse checkout, mostly) and intent-to-add.
ASSUME_UNCHANGED, SKIP_WORKTREE, INTENT_TO_ADD = 0x8000, 0x40000000, 0x20000000
UNCOMPARED = ASSUME_UNCHANGED | SKIP_WORKTREE | INTENT_TO_ADD
# mode, id, path, size, flags
IndexEntry = tuple[str, str, str, str, str]
INDEX_ENTRY = re.compile(
    r"(\d{6}) ([0-9a-f]+) \d\t([^\0]*)\0"
    r"  ctime: [^\t]*\tino: [^\t]*\tgid: \d+\n"
    r"  size: (\d+)\tflags: ([0-9a-f]+)\n"
)
PLAIN_ENTRY = re.compile(r"(\d{6}) ([0-9a-f]+) \d\t([^\0]*)\0")
# How the name of a folder begins in which a file is being written.
UNFINISHED = ".repoqa-"
DIGEST_BYTES = 32
# Where the copy is kept for the working tree with this root.
KeptAt: TypeAlias = Callable[[Path], Path]


class Tracked(msgspec.Struct, frozen=True, array_like=True):
    """The index of one repository, with its own paths: the plain `files`, which are as the index
    knows them unless git finds a difference; the entries of all `others`; and the paths of the
    `.repoqaignore` files among both, but for the root's."""

    files: tuple[FileEntry, ...]
    others: tuple[IndexEntry, ...]
    ignore_files: tuple[str, ...]

    def told_apart(
        self, differing: Collection[str], *, prefix: str
    ) -> tuple[Sequence[FileEntry], Sequence[IndexEntry]]:
        """The files that do not differ, named with their prefix, and the entries of all others."""
        files, others = self.files, self.others
        if differing:
            files = tuple(file for file in self.files if file.path not in differing)
            others += tuple(_entry(file) for file in self.files if file.path in differing)
        if prefix:
            files = tuple(FileEntry(prefix + file.path, file.oid, file.size) for file in files)
        return files, others


class _Copy(msgspec.Struct, frozen=True, array_like=True):
    """What an index with this digest tracks, still packed."""

    digest: bytes
    tracked: msgspec.Raw


_Copies: TypeAlias = dict[str, _Copy]
_COPIES_DECODER = msgspec.msgpack.Decoder(_Copies)
_TRACKED_DECODER = msgspec.msgpack.Decoder(Tracked)
_ENCODER = msgspec.msgpack.Encoder()


class Indexes:
    """The indexes of a working tree: its own, and by their prefix those of its submodules.

    `path` is the file in which their copies are kept; None keeps none.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._kept = _load(path) if path else {}
        self._current: _Copies = {}

    def tracked(self, git: Git, *, prefix: str) -> Tracked:
        """What one repository tracks. Raises RepositoryError where git fails."""
        digest = _digest(git) if self._path else b""
        kept = self._kept.get(prefix)
        if digest and kept and kept.digest == digest:
            with contextlib.suppress(msgspec.MsgspecError):
                tracked = _TRACKED_DECODER.decode(kept.tracked)
                self._current[prefix] = kept
                return tracked
        tracked = read_tracked(git)
        if digest and _digest(git) == digest:  # else it changed while git read it
            with contextlib.suppress(UnicodeEncodeError):  # of a path that is not UTF-8
                _, packed = map(_ENCODER.encode, (prefix, tracked))
                self._current[prefix] = _Copy(digest, msgspec.Raw(packed))
        return tracked

    def keep(self) -> None:
        """Keep what was read for the next time; where that fails it is read again."""
        if self._path and self._current != self._kept:
            _save(self._current, self._path)


def read_tracked(git: Git) -> Tracked:
    """What git says that its index holds. Raises RepositoryError where git fails."""
    # A sparse index is not unfolded: the trees that takes may be absent from a partial clone.
    sparse = ("--sparse",) if git.enables("index.sparse") else ()
    entries = parse_index(git.run("ls-files", "--stage", "--debug", "-z", *sparse))
    if entries is None:
        entries = parse_plain_index(git.run("ls-files", "--stage", "-z", *sparse))
    files: list[FileEntry] = []
    others: list[IndexEntry] = []
    for entry in entries:
        mode, oid, path, size, flags = entry
        if (
            mode in FILE_MODES
            and (length := int(size)) <= LARGEST_FILE_BYTES
            and (flags == "0" or not int(flags, 16) & UNCOMPARED)
        ):
            files.append(FileEntry(path, oid, length))
        else:
            others.append(entry)
    return Tracked(tuple(files), tuple(others), ignore_files(entry[2] for entry in entries))


def parse_index(output: bytes) -> list[IndexEntry] | None:
    """Parse `ls-files --stage --debug -z`; None where it isn't the format known here.

    Git does not promise that format, so every entry (each has one NUL) must be understood.
    """
    text = os.fsdecode(output)
    entries: list[IndexEntry] = INDEX_ENTRY.findall(text)
    return entries if len(entries) == text.count("\0") else None


def parse_plain_index(output: bytes) -> list[IndexEntry]:
    """Parse `ls-files --stage -z`, which tells neither sizes nor flags: all will be hashed."""
    flags = f"{ASSUME_UNCHANGED:x}"
    return [(*entry, "0", flags) for entry in PLAIN_ENTRY.findall(os.fsdecode(output))]


def ignore_files(paths: Iterable[str]) -> tuple[str, ...]:
    """The `.repoqaignore` files among some paths, but for the root's."""
    ending = f"/{IGNORE_FILE}"
    return tuple(path for path in paths if path.endswith(ending))


def _entry(file: FileEntry) -> IndexEntry:
    return (FILE_MODES[0], file.oid, file.path, str(file.size), "0")


def _digest(git: Git) -> bytes:
    """Of the index's file and all else that decides what is told of it; b"" where no copy may be
    kept: without an index, or in a sparse checkout."""
    if git.enables("core.sparsecheckout"):
        return b""
    told = (KEPT_VERSION, LARGEST_FILE_BYTES, git.enables("index.sparse"), getfilesystemencoding())
    digest = sha256(repr(told).encode())
    try:
        digest.update((git.git_dir / "index").read_bytes())
    except OSError:
        return b""
    return digest.digest()


def _load(path: Path) -> _Copies:
    """What is kept in a file; nothing where there is none or it is damaged."""
    try:
        content = path.read_bytes()
        payload = memoryview(content)[DIGEST_BYTES:]
        if sha256(payload).digest() == content[:DIGEST_BYTES]:
            return _COPIES_DECODER.decode(payload)
    except (OSError, msgspec.MsgspecError):
        pass
    return {}


def _save(copies: _Copies, path: Path) -> None:
    """Write them so that a reader sees all of them or none."""
    import tempfile

    payload = _ENCODER.encode(copies)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=UNFINISHED) as folder:
            new = Path(folder) / path.name
            new.write_bytes(sha256(payload).digest() + payload)
            new.replace(path)
