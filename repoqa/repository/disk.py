"""Reads files from disk, and says which git blob their bytes make."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from repoqa.records import FileEntry, SkippedFile
from repoqa.repository.objects import LARGEST_FILE_BYTES, ObjectReader, blob_id
from repoqa.repository.plumbing import Git

SHA1_DIGITS = 40
MEGABYTE = 1024 * 1024
# A FIFO that took a file's place since it was listed must not be waited for, nor a link followed.
OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
DELETED = "deleted in the working tree"
SYMLINK = "a symbolic link"
IRREGULAR = "not a regular file"
ABSENT = (errno.ENOENT, errno.ENOTDIR)
REASONS = {
    **dict.fromkeys(ABSENT, DELETED),
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ELOOP: SYMLINK,
    errno.ENXIO: IRREGULAR,
}


def too_large(size: int) -> str:
    """Why a file of `size` bytes is left out, or "" where it is not."""
    return f"too large ({size / MEGABYTE:.1f} MB)" if size > LARGEST_FILE_BYTES else ""


def why_unread(error: OSError) -> str:
    """What went wrong, in words for the user."""
    return REASONS.get(error.errno or 0) or (error.strerror or str(error)).lower()


def read_file(path: bytes) -> bytes:
    """A regular file's bytes; no link is followed. Raises OSError, also where it is too large."""
    descriptor = os.open(path, OPEN_FLAGS)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.ENXIO, IRREGULAR)
        limit = min(status.st_size, LARGEST_FILE_BYTES) + 1
        content = os.read(descriptor, limit)
        if len(content) == status.st_size:
            return content
        # It is too large, or grew or shrank since the line above.
        while len(content) <= LARGEST_FILE_BYTES and (piece := os.read(descriptor, MEGABYTE)):
            content += piece
        if len(content) > LARGEST_FILE_BYTES:
            raise OSError(errno.EFBIG, too_large(max(len(content), status.st_size)))
        return content
    finally:
        os.close(descriptor)


def hash_file(location: bytes, path: str, object_format: str) -> FileEntry | SkippedFile:
    """The entry of the file at `location`, known as `path`, or why it cannot be one."""
    try:
        status = os.lstat(location)
        why = irregularity(status.st_mode) or too_large(status.st_size)
        if why:
            return SkippedFile(path, why)
        content = read_file(location)
    except OSError as error:
        return SkippedFile(path, why_unread(error))
    return FileEntry(path, blob_id(content, object_format), len(content))


def irregularity(mode: int) -> str:
    """Why a directory entry of this mode is no file to read, or "" where it is one."""
    if stat.S_ISREG(mode):
        return ""
    return SYMLINK if stat.S_ISLNK(mode) else IRREGULAR


class LinkedFolders:
    """Knows which folders of a tree are reached over a symbolic link, looking at each once."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._linked = {"": False}

    def lead_to(self, path: str) -> bool:
        """Whether a folder above `path` is a symbolic link: what is there is not git's."""
        folder = path.rpartition("/")[0]
        chain_down = []
        while folder not in self._linked:
            chain_down.append(folder)
            folder = folder.rpartition("/")[0]
        linked = self._linked[folder]
        for name in reversed(chain_down):
            linked = linked or Path(self._root + name).is_symlink()
            self._linked[name] = linked
        return linked


@dataclass(frozen=True, slots=True)
class Disk:
    """The files of a working tree or a folder.

    Reading and hashing a file takes a fifth of the time in which git inflates its blob, and the
    hash proves the bytes. Where an unmodified file's differs from the id in git's index, a
    line-end or another filter stands between blob and file, or the file was edited since it was
    listed: then the blob is read. `stored` are the repositories that hold the blobs by path
    prefix, the longest first; `own` are the paths whose bytes only the disk has.
    """

    root: bytes
    own: frozenset[str] = frozenset()
    stored: Sequence[tuple[str, Git]] = ()

    def read(self, entries: Iterable[FileEntry]) -> Iterator[tuple[FileEntry, bytes | None]]:
        """Yield each entry with its bytes, in the order given; None where they are gone.

        Id and size of the entry are those of the bytes, also where the file changed meanwhile.
        """
        readers: dict[str, ObjectReader] = {}
        try:
            for entry in entries:
                yield self._read(entry, readers)
        finally:
            for reader in readers.values():
                reader.close()

    def _read(
        self, entry: FileEntry, readers: dict[str, ObjectReader]
    ) -> tuple[FileEntry, bytes | None]:
        try:
            content = read_file(self.root + b"/" + os.fsencode(entry.path))
        except OSError:
            content = None
        # A submodule's object format may differ from that of the repository it is in.
        object_format = "sha1" if len(entry.oid) == SHA1_DIGITS else "sha256"
        oid = "" if content is None else blob_id(content, object_format)
        if oid == entry.oid:
            return entry, content
        blob = None if entry.path in self.own else self._blob(entry, readers)
        if blob is not None:
            return FileEntry(entry.path, entry.oid, len(blob)), blob
        if content is None:
            return entry, None
        return FileEntry(entry.path, oid, len(content)), content

    def _blob(self, entry: FileEntry, readers: dict[str, ObjectReader]) -> bytes | None:
        for prefix, git in self.stored:
            if entry.path.startswith(prefix):
                if prefix not in readers:
                    readers[prefix] = ObjectReader(git)
                return next(readers[prefix].blobs([entry.oid]))
        return None
