"""The cache of vectors, by the texts they stand for: one SQLite file in the user's cache directory.

It is disposable: every vector carries a checksum, and what is damaged, locked or not writable is
treated as absent, so that the text is embedded again.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from repoqa.protocols import Embedder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from repoqa.protocols import Progress

# The folder below the cache's root.
VECTORS = "vectors"
FILE_NAME = "vectors-1.sqlite"
SCHEMA = "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, sealed BLOB NOT NULL)"
# Some 80 MB; the ones kept longest go first.
MOST_VECTORS = 100_000
LOCK_SECONDS = 5
KEYS_PER_QUERY = 900  # of the 999 variables that SQLite's oldest supported builds allow
KEY_BYTES = 16
CHECKSUM_BYTES = 4
# Half the room, and a hundredth of the differences that change an order.
KEPT = np.float16

Kept = dict[bytes, "NDArray[np.float32]"]


class CachedEmbedder:
    """An Embedder that keeps its vectors in a directory; fulfils `protocols.Embedder` itself.

    Vectors are rounded as they are kept, so that a kept one equals a new one.
    """

    def __init__(self, embedder: Embedder, directory: Path, *, most: int = MOST_VECTORS) -> None:
        self._embedder, self._directory, self._most = embedder, directory, most
        self.name = embedder.name

    def embed(self, texts: Sequence[str], *, progress: "Progress") -> "NDArray[np.float32]":
        """The texts' vectors, one a row; only those that are not kept yet are embedded."""
        keys = [_key(self.name, text) for text in texts]
        kept = self._read(keys)
        absent = {key: text for key, text in zip(keys, texts, strict=True) if key not in kept}
        if absent:
            vectors = self._embedder.embed(list(absent.values()), progress=progress)
            fresh = dict(zip(absent, vectors.astype(KEPT), strict=True))
            self._write(fresh)
            kept |= {key: vector.astype(np.float32) for key, vector in fresh.items()}
        return np.array([kept[key] for key in keys], np.float32)

    def _read(self, keys: Iterable[bytes]) -> Kept:
        wanted = sorted(set(keys))
        found: dict[bytes, bytes] = {}
        try:
            database = _connect(self._directory)
            for start in range(0, len(wanted), KEYS_PER_QUERY):
                some = wanted[start : start + KEYS_PER_QUERY]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, sealed FROM vectors WHERE key IN ({marks})"
                found |= dict(database.execute(query, some).fetchall())
            database.close()
        except (sqlite3.Error, OSError) as error:
            _remove_damaged(self._directory, error)
        vectors = ((key, _opened(sealed, key)) for key, sealed in found.items())
        return {key: vector for key, vector in vectors if vector is not None}

    def _write(self, vectors: "dict[bytes, NDArray[np.float16]]") -> None:
        rows = [(key, _sealed(vector.tobytes(), key)) for key, vector in vectors.items()]
        try:
            database = _connect(self._directory)
            with database:
                database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
                newest = "SELECT max(rowid) - ? FROM vectors"
                database.execute(f"DELETE FROM vectors WHERE rowid <= ({newest})", (self._most,))
            database.close()
        except (sqlite3.Error, OSError) as error:
            _remove_damaged(self._directory, error)


def _connect(directory: Path) -> sqlite3.Connection:
    directory.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(directory / FILE_NAME, timeout=LOCK_SECONDS)
    try:
        database.execute("PRAGMA synchronous = OFF")  # a crash may lose it: it is a cache
        database.execute(SCHEMA)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _remove_damaged(directory: Path, error: Exception) -> None:
    """Remove a file that is no database; one that is locked or not writable is left alone."""
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        (directory / FILE_NAME).unlink(missing_ok=True)


def _key(name: str, text: str) -> bytes:
    content = f"{name}\0{text}".encode("utf-8", "surrogateescape")
    return blake2b(content, digest_size=KEY_BYTES).digest()


def _checksum(payload: bytes, key: bytes) -> bytes:
    return zlib.crc32(payload, zlib.crc32(key)).to_bytes(CHECKSUM_BYTES, "little")


def _sealed(payload: bytes, key: bytes) -> bytes:
    return _checksum(payload, key) + payload


def _opened(sealed: bytes, key: bytes) -> "NDArray[np.float32] | None":
    """The vector of a sealed one, or None where its checksum does not hold."""
    payload = sealed[CHECKSUM_BYTES:]
    if _checksum(payload, key) != sealed[:CHECKSUM_BYTES]:
        return None
    return np.frombuffer(payload, KEPT).astype(np.float32)
