"""The cache of file records, by content: one SQLite file in the user's cache directory.

It is disposable. Every payload carries a checksum, and whatever is damaged, locked for long or not
writable is treated as absent: the file is parsed again and the answer still comes.
"""

import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from repoqa.index.record import (
    FileRecord,
    Outline,
    Postings,
    decode_outline,
    decode_postings,
    encode_outline,
    encode_postings,
)

SCHEMA_VERSION = "1"
SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    key TEXT PRIMARY KEY, used INTEGER NOT NULL, outline BLOB NOT NULL, postings BLOB NOT NULL
) WITHOUT ROWID
"""
# Long enough for another process's transaction, short enough not to look like a hang.
LOCK_SECONDS = 10
# SQLite allows 999 variables a statement in its oldest supported builds.
KEYS_PER_QUERY = 900
COMPRESSION = 1
CHECKSUM_BYTES = 4


class Store:
    """File records by key. Without a directory, or where it fails, it lives in memory."""

    def __init__(self, directory: Path | None) -> None:
        self.directory = directory
        self.problem = ""
        self._database = self._open(directory)

    def outlines(self, keys: Iterable[str]) -> Iterator[tuple[str, Outline]]:
        """Yield the cached outlines among the keys; damaged ones are absent."""
        for key, payload in self._select("outline", keys):
            try:
                yield key, decode_outline(_opened(payload, key))
            except (msgspec.MsgspecError, zlib.error):
                self._forget(key)

    def postings(self, keys: Iterable[str]) -> Iterator[tuple[str, Postings]]:
        """Yield the cached postings among the keys; damaged ones are absent."""
        for key, payload in self._select("postings", keys):
            try:
                yield key, decode_postings(_opened(payload, key))
            except (msgspec.MsgspecError, zlib.error, ValueError):
                self._forget(key)

    def add(self, records: Sequence[tuple[str, FileRecord]]) -> None:
        """Keep records. Where that fails (full disk, read-only), goes on in memory."""
        now = int(time.time())
        rows = [
            (
                key,
                now,
                _sealed(encode_outline(record.outline), key),
                _sealed(encode_postings(record.postings), key),
            )
            for key, record in records
        ]
        try:
            self._insert(rows)
        except sqlite3.Error as error:
            self._fall_back(error)
            self._insert(rows)

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
        path = directory / f"records-{SCHEMA_VERSION}.sqlite"
        for attempt in range(2):
            try:
                directory.mkdir(parents=True, exist_ok=True)
                return _connect(str(path))
            except sqlite3.DatabaseError as error:
                self.problem = f"the index cache cannot be used ({error})"
                if attempt == 0 and not isinstance(error, sqlite3.OperationalError):
                    _remove(path)
            except OSError as error:
                self.problem = f"the index cache cannot be used ({error})"
        return _connect(":memory:")

    def _fall_back(self, error: sqlite3.Error) -> None:
        """Go on in memory after a failure; a damaged file is removed for the next run."""
        self.problem = f"the index cache cannot be used ({error})"
        self._database.close()
        damaged = not isinstance(error, sqlite3.OperationalError)
        if damaged and self.directory is not None:
            _remove(self.directory / f"records-{SCHEMA_VERSION}.sqlite")
        self._database = _connect(":memory:")


def _connect(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=LOCK_SECONDS)
    try:
        database.execute("PRAGMA synchronous = OFF")  # a crash may lose it: it is a cache
        database.execute(SCHEMA)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _remove(path: Path) -> None:
    for suffix in ("", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _checksum(packed: bytes, key: str) -> bytes:
    return zlib.crc32(packed, zlib.crc32(key.encode())).to_bytes(CHECKSUM_BYTES, "little")


def _sealed(payload: bytes, key: str) -> bytes:
    packed = zlib.compress(payload, COMPRESSION)
    return _checksum(packed, key) + packed


def _opened(sealed: bytes, key: str) -> bytes:
    """The payload of a sealed one. Raises zlib.error where the checksum does not hold."""
    packed = sealed[CHECKSUM_BYTES:]
    if _checksum(packed, key) != sealed[:CHECKSUM_BYTES]:
        raise zlib.error("checksum")
    return zlib.decompress(packed)
