"""The cache of file records, by content: one SQLite file in the user's cache directory.

It is disposable. Every payload carries a checksum, and whatever is damaged, locked for long or not
writable is treated as absent: the file is parsed again and the answer still comes.
"""

import contextlib
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from repoqa.index.outline import KeptOutline
from repoqa.index.record import PackedRecord, Postings, unpack_postings

SCHEMA_VERSION = "4"
# The files of every release, with their journals.
DATABASES = "records-*.sqlite*"
SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    key TEXT PRIMARY KEY, used INTEGER NOT NULL, outline BLOB NOT NULL, postings BLOB NOT NULL
)
"""
# Long enough for another process's transaction, short enough not to look like a hang.
LOCK_SECONDS = 10
# SQLite allows 999 variables a statement in its oldest supported builds.
KEYS_PER_QUERY = 900
CHECKSUM_BYTES = 4
# Records of some kilobytes each: in SQLite's usual pages of 4,096 bytes a fifth stays empty.
PAGE_BYTES = 32_768
# What SQLite says of locks, permissions and full disks: the file itself may be fine.
SURROUNDINGS = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)
PRIMARY_CODE = 0xFF  # the rest of an extended code is detail


class Store:
    """File records by key. Without a directory, or where it fails, it lives in memory.

    `limit` is how many bytes the directory may take; None for any number. `problem` says why it
    is not the directory that is used, "" where it is.
    """

    def __init__(self, directory: Path | None, *, limit: int | None = None) -> None:
        self.directory, self.limit = directory, limit
        self.problem = ""
        self._database = self._open(directory)

    def outlines(self, keys: Iterable[str]) -> Iterator[tuple[str, KeptOutline]]:
        """Yield the cached outlines among the keys; damaged ones are absent."""
        for key, payload in self._select("outline", keys):
            try:
                yield key, KeptOutline(_opened(payload, key))
            except (msgspec.MsgspecError, zlib.error):
                self._forget(key)

    def postings(self, keys: Iterable[str]) -> Iterator[tuple[str, Postings]]:
        """Yield the cached postings among the keys; damaged ones are absent."""
        for key, payload in self._select("postings", keys):
            try:
                yield key, unpack_postings(_opened(payload, key))
            except (msgspec.MsgspecError, zlib.error, ValueError, TypeError):
                self._forget(key)

    def add(self, records: Sequence[tuple[str, PackedRecord]]) -> None:
        """Keep records. Where that fails (full disk, read-only), goes on in memory."""
        now = int(time.time())
        rows = [
            (key, now, _sealed(record.outline, key), _sealed(record.postings, key))
            for key, record in records
        ]
        try:
            self._insert(rows)
        except sqlite3.Error as error:
            self._fall_back(error)
            self._insert(rows)

    def catalogue(self) -> list[tuple[str, int, int]]:
        """Every record's key, when it was added (seconds since 1970) and its size in bytes."""
        try:
            return self._database.execute(
                "SELECT CAST(key AS TEXT), CAST(used AS INTEGER),"
                " coalesce(length(outline) + length(postings), 0) FROM records"
            ).fetchall()
        except sqlite3.Error as error:
            self._fall_back(error)
            return []

    def remove(self, keys: Sequence[str]) -> None:
        """Remove records and give their pages back, as far as other processes let us."""
        try:
            for start in range(0, len(keys), KEYS_PER_QUERY):
                some = keys[start : start + KEYS_PER_QUERY]
                with self._database:
                    self._database.execute(
                        f"DELETE FROM records WHERE key IN ({','.join('?' * len(some))})", some
                    )
            # execute() would take one step of it, which frees one page.
            self._database.executescript("PRAGMA incremental_vacuum")
        except sqlite3.Error as error:
            if _is_damage(error):  # else it is locked for long, or has no room for the journal
                self._fall_back(error)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _insert(self, rows: Sequence[tuple[str, int, bytes, bytes]]) -> None:
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)", rows)

    def _select(self, column: str, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        wanted = list(keys)
        for start in range(0, len(wanted), KEYS_PER_QUERY):
            some = wanted[start : start + KEYS_PER_QUERY]
            marks = ",".join("?" * len(some))
            query = f"SELECT key, {column} FROM records WHERE key IN ({marks})"
            try:
                rows = self._database.execute(query, some).fetchall()
            except sqlite3.Error as error:
                self._fall_back(error)
                return
            yield from rows

    def _forget(self, key: str) -> None:
        try:
            with self._database:
                self._database.execute("DELETE FROM records WHERE key = ?", (key,))
        except sqlite3.Error as error:
            self._fall_back(error)

    def _open(self, directory: Path | None) -> sqlite3.Connection:
        """Open or make the database; a damaged one is thrown away and made anew."""
        if directory is None:
            return _connect(":memory:")
        path = database_path(directory)
        for attempt in range(2):
            try:
                directory.mkdir(parents=True, exist_ok=True)
                database = _connect(str(path))
            except sqlite3.DatabaseError as error:
                self.problem = f"the index cache cannot be used ({error})"
                if attempt == 0 and _is_damage(error):
                    _remove(path)
            except OSError as error:
                self.problem = f"the index cache cannot be used ({error})"
            else:
                self.problem = ""
                return database
        return _connect(":memory:")

    def _fall_back(self, error: sqlite3.Error) -> None:
        """Go on in memory after a failure; a damaged file is removed for the next run."""
        self.problem = f"the index cache cannot be used ({error})"
        self._database.close()
        if _is_damage(error) and self.directory is not None:
            _remove(database_path(self.directory))
        self._database = _connect(":memory:")


def database_path(directory: Path) -> Path:
    """Where the records are, in the cache's index directory."""
    return directory / f"records-{SCHEMA_VERSION}.sqlite"


def _connect(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=LOCK_SECONDS)
    try:
        database.execute("PRAGMA synchronous = OFF")  # a crash may lose it: it is a cache
        database.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")  # else evicting frees no disk
        database.execute(SCHEMA)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether an error tells of a damaged file, and not of its surroundings."""
    code = getattr(error, "sqlite_errorcode", None)  # Python's own errors have none
    return code is None or code & PRIMARY_CODE not in SURROUNDINGS


def _remove(path: Path) -> None:
    for suffix in ("", "-journal"):
        with contextlib.suppress(OSError):  # in a folder that is read-only it stays
            path.with_name(path.name + suffix).unlink()


def _checksum(packed: bytes, key: str) -> bytes:
    return zlib.crc32(packed, zlib.crc32(key.encode())).to_bytes(CHECKSUM_BYTES, "little")


def _sealed(packed: bytes, key: str) -> bytes:
    return _checksum(packed, key) + packed


def _opened(sealed: object, key: str) -> bytes:
    """What was sealed. Raises zlib.error where the checksum does not hold."""
    if not isinstance(sealed, bytes):  # damage can make a number or a text of it
        raise zlib.error("no payload")
    packed = sealed[CHECKSUM_BYTES:]
    if _checksum(packed, key) != sealed[:CHECKSUM_BYTES]:
        raise zlib.error("checksum")
    return packed
