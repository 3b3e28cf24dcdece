"""A segment: the postings of many files in sorted arrays, memory-mapped from the cache.

The snapshot's segment is written once and mapped by every later question; files that changed since
are a second, small segment in memory, and their old entries in the first are masked out.
"""

import shutil
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from repoqa.index.files import Files, Note
from repoqa.index.gaps import unpack_run
from repoqa.repository.tracked import UNFINISHED

TABLE = "table"
OLD = "old"
CHECKSUM_BYTES = 4
LARGE_COUNT = 255
# Paths are bytes to git; what is not UTF-8 in them has to come back as it was.
PATHS = ("utf-8", "surrogateescape")
NUL = "\0"
DTYPES: Mapping[str, type] = MappingProxyType(
    {
        "terms": np.uint64,
        "offsets": np.int64,
        "gaps": np.uint8,
        "gap_offsets": np.int64,
        "counts": np.uint8,
        "large_places": np.int64,
        "large_counts": np.uint16,
        "unit_file": np.int32,
        "unit_number": np.int32,
        "lengths": np.int32,
        "path_terms": np.uint64,
        "path_offsets": np.int64,
        "path_files": np.int32,
        "path_lengths": np.int32,
        "path_parts": np.uint8,
    }
)


@dataclass(frozen=True, slots=True)
class Arrays:
    """T distinct terms, P postings, U units, F files; postings are sorted by (term, unit).

    `terms` uint64[T], `offsets` int64[T+1] into `counts` uint8[P], and `gap_offsets` int64[T+1]
    into `gaps`, the units as `gaps.py` packs them. A count of 255 or more is 255 in `counts` and
    whole in `large_counts` uint16[L], at the place in `counts` that `large_places` int64[L] tells.
    `unit_file` int32[U], `unit_number` int32[U] (inside the file), `lengths` int32[U] text terms.
    `path_terms`, `path_offsets` and `path_files` are the same for the files' paths, `path_lengths`
    int32[F] the number of terms of each, `path_parts` uint8[F] the part of the project that each is
    of, by its place among `parts.PARTS`.
    """

    terms: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    gaps: NDArray[np.uint8]
    gap_offsets: NDArray[np.int64]
    counts: NDArray[np.uint8]
    large_places: NDArray[np.int64]
    large_counts: NDArray[np.uint16]
    unit_file: NDArray[np.int32]
    unit_number: NDArray[np.int32]
    lengths: NDArray[np.int32]
    path_terms: NDArray[np.uint64]
    path_offsets: NDArray[np.int64]
    path_files: NDArray[np.int32]
    path_lengths: NDArray[np.int32]
    path_parts: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Segment:
    """Files, sorted by path, and the arrays over them."""

    files: Files
    arrays: Arrays

    def postings(self, term: int) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
        """The units that hold a term, sorted, and its count in each."""
        arrays = self.arrays
        place = _place(arrays.terms, term)
        if place is None:
            return np.zeros(0, np.int64), np.zeros(0, np.uint16)
        start, end = map(int, arrays.offsets[place : place + 2])
        counts = arrays.counts[start:end].astype(np.uint16)
        large = slice(*np.searchsorted(arrays.large_places, (start, end)))
        counts[arrays.large_places[large] - start] = arrays.large_counts[large]
        return unpack_run(arrays.gaps[slice(*arrays.gap_offsets[place : place + 2])]), counts

    def files_named(self, term: int) -> NDArray[np.int32]:
        """The files that have a term in their path, sorted."""
        arrays = self.arrays
        place = _place(arrays.path_terms, term)
        return arrays.path_files[
            slice(0) if place is None else slice(*arrays.path_offsets[place : place + 2])
        ]


def _place(terms: NDArray[np.uint64], term: int) -> int | None:
    """Where a term stands among sorted ones; None where it does not."""
    place = int(np.searchsorted(terms, np.uint64(term)))
    return place if place < len(terms) and int(terms[place]) == term else None


_Table = tuple[str, bytes, bytes, dict[int, Note], dict[str, int]]
_TABLE_DECODER = msgspec.msgpack.Decoder(_Table)


def save(segment: Segment, directory: Path) -> None:
    """Write a segment so that a reader sees all of it or nothing. Raises OSError."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=directory.parent, prefix=UNFINISHED))
    try:
        checksums = {}
        for field in fields(Arrays):
            array = np.ascontiguousarray(getattr(segment.arrays, field.name))
            checksums[field.name] = zlib.crc32(array.data)
            array.tofile(work / field.name)
        files = segment.files
        rows = (_joined(files.paths), _joined(files.oids), files.notes)
        table = msgspec.msgpack.encode((files.kind, *rows, checksums))
        (work / TABLE).write_bytes(_checksum(table) + table)
        if directory.exists():
            directory.rename(work / OLD)
        work.rename(directory)
        shutil.rmtree(directory / OLD, ignore_errors=True)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def load(directory: Path) -> Segment | None:
    """The saved segment, its arrays mapped; None where there is none or it is damaged."""
    try:
        arrays = {name: _mapped(directory / name, dtype) for name, dtype in DTYPES.items()}
        checking = _Checking(arrays)
        try:
            files, checksums = _table(directory)
        finally:
            found = checking.checksums()
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    return Segment(files, Arrays(**arrays)) if found == checksums else None


class _Checking:
    """The checksums of arrays, worked out by a thread of their own, if there may be one."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = arrays
        self._found: dict[str, int] = {}
        self._thread = Thread(target=self._work)
        try:
            self._thread.start()
        except RuntimeError:  # the user has no more of them: it is done here
            self._work()

    def _work(self) -> None:
        for name, array in self._arrays.items():
            self._found[name] = zlib.crc32(array.data)

    def checksums(self) -> dict[str, int]:
        """Wait for them: by the arrays' names."""
        if self._thread.ident is not None:
            self._thread.join()
        return self._found


def listed_files(directory: Path) -> Files:
    """The files of a saved segment; none where there is no segment or its table is damaged."""
    try:
        return _table(directory)[0]
    except (OSError, ValueError, msgspec.MsgspecError):
        return Files("")


def _table(directory: Path) -> tuple[Files, dict[str, int]]:
    """The files of a saved segment, and its arrays' checksums. Raises ValueError on damage."""
    payload = (directory / TABLE).read_bytes()
    table = payload[CHECKSUM_BYTES:]
    if _checksum(table) != payload[:CHECKSUM_BYTES]:
        raise ValueError("checksum")
    kind, paths, oids, notes, checksums = _TABLE_DECODER.decode(table)
    return Files(kind, _parted(paths), _parted(oids), notes), checksums


def _joined(names: tuple[str, ...]) -> bytes:
    """Names as bytes, a NUL after each: there is none in a path."""
    return "".join(f"{name}{NUL}" for name in names).encode(*PATHS)


def _parted(content: bytes) -> tuple[str, ...]:
    return tuple(content.decode(*PATHS).split(NUL)[:-1])


def _mapped(path: Path, dtype: type) -> NDArray[Any]:
    """A file as a read-only array. Raises ValueError where its size does not fit."""
    if path.stat().st_size == 0:  # nothing to map
        return np.zeros(0, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r")


def _checksum(payload: bytes) -> bytes:
    return zlib.crc32(payload).to_bytes(CHECKSUM_BYTES, "little")
