"""Reads blobs in bulk from git's object databases, by one `cat-file --batch` for each."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice, tee

from repoqa.records import FileEntry
from repoqa.repository.plumbing import Git
from repoqa.repository.running import Running

# Source that people write stays under about 1 MB (SQLite's 8 MB amalgamation is put together by a
# program); longer files are data or generated, and one of them costs the memory and the time that
# thousands of others need.
LARGEST_FILE_BYTES = 4 * 1024 * 1024
# Half of what may be asked for before an answer is read. Twice these lines (a SHA-256 id and a
# line end each) stay below 4,096 bytes, which the smallest pipe of Linux takes without a reader:
# git and we never wait for one another.
BATCH = 31
# Git inflates the largest file in under 0.1 s; a slow disk may take much longer to begin.
PATIENCE = 30.0


HASHES = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}


def blob_id(content: bytes, object_format: str) -> str:
    """The id git gives a blob of these bytes."""
    digest = HASHES[object_format](b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


class BrokenAnswerError(Exception):
    """Git ended, stalled or said what is not the object that was asked for."""


class ObjectReader:
    """Blobs of one repository by id. The git process starts with the first one asked for."""

    def __init__(self, git: Git, *, patience: float = PATIENCE) -> None:
        """`patience` is how many seconds git may be silent in the middle of an answer."""
        self._git = git
        self._patience = patience
        self._running: Running | None = None
        self._unread = bytearray()

    def blobs(self, oids: Iterable[str]) -> Iterator[bytes | None]:
        """Yield each blob, in order; None where it is missing, broken, too large or no blob.

        Read to the end before calling again.
        """
        asked: deque[str] = deque()
        source = iter(oids)
        while batch := list(islice(source, BATCH)):
            self._ask(batch)
            asked.extend(batch)
            while len(asked) > BATCH:
                yield self._next(asked)
        while asked:
            yield self._next(asked)

    def close(self) -> None:
        """End the git process."""
        self._unread.clear()
        if self._running is not None:
            self._running.stop()
            self._running = None

    def _next(self, asked: deque[str]) -> bytes | None:
        oid = asked.popleft()
        try:
            return self._answer(oid)
        except BrokenAnswerError:
            # A damaged object can end git, or leave it with an answer shorter than it announced:
            # the others are asked of a new process.
            self.close()
            self._ask(asked)
            return None

    def _ask(self, oids: Iterable[str]) -> None:
        if self._running is None:
            self._running = self._git.start("cat-file", "--batch", pipe=True)
            self._running.ignore_errors()  # complaints about broken objects can be many
        requests = self._running.process.stdin
        assert requests is not None
        try:
            requests.write("".join(f"{oid}\n" for oid in oids).encode())
            requests.flush()
        except BrokenPipeError:
            return  # reading the answer tells what became of git

    def _answer(self, oid: str) -> bytes | None:
        """Read one answer. Raises BrokenAnswerError where it isn't the object asked for."""
        while (end := self._unread.find(b"\n")) < 0:
            self._fill()
        header = self._take(end + 1).split()
        if not header or header[0] != oid.encode():
            raise BrokenAnswerError
        if header[-1] == b"missing":
            return None
        size = int(header[-1])
        if size > LARGEST_FILE_BYTES:
            self._discard(size + 1)
            return None
        content = self._take(size + 1)[:-1]
        if header[1] != b"blob":
            return None
        if blob_id(content, self._git.object_format) != oid:
            raise BrokenAnswerError
        return content

    def _take(self, size: int) -> bytes:
        while len(self._unread) < size:
            self._fill()
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken

    def _discard(self, size: int) -> None:
        while len(self._unread) < size:
            size -= len(self._unread)
            self._unread.clear()
            self._fill()
        del self._unread[:size]

    def _fill(self) -> None:
        assert self._running is not None
        piece = self._running.read(seconds=self._patience)
        if not piece:
            raise BrokenAnswerError
        self._unread += piece


@dataclass(frozen=True, slots=True)
class Objects:
    """The files of a revision. `stored` are the repositories that hold them, by path prefix, the
    longest first."""

    stored: Sequence[tuple[str, Git]]

    def read(self, entries: Iterable[FileEntry]) -> Iterator[tuple[FileEntry, bytes | None]]:
        """Yield each entry with its bytes, in the order given; None where they are gone."""
        readers = [ObjectReader(git) for _, git in self.stored]
        try:
            for home, run in groupby(entries, key=self._home):
                ours, theirs = tee(run)
                yield from zip(
                    ours, readers[home].blobs(entry.oid for entry in theirs), strict=True
                )
        finally:
            for reader in readers:
                reader.close()

    def _home(self, entry: FileEntry) -> int:
        prefixes = enumerate(prefix for prefix, _ in self.stored)
        return next(number for number, prefix in prefixes if entry.path.startswith(prefix))
