"""A segment: the postings of many files in sorted arrays, memory-mapped from the cache.

The snapshot's segment is written once and mapped by every later question; files that changed since
are a second, small segment in memory, and their old entries in the first are masked out.
"""

import shutil
import tempfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from repoqa.index.record import Postings

TABLE = "table"
OLD = "old"
# How the name of a folder begins that is being written.
UNFINISHED = ".repoqa-"
CHECKSUM_BYTES = 4
# Paths are bytes to git; what is not UTF-8 in them has to come back as it was.
PATHS = ("utf-8", "surrogateescape")
DTYPES: Mapping[str, type] = MappingProxyType(
    {
        "terms": np.uint64,
        "offsets": np.int64,
        "units": np.int32,
        "counts": np.uint16,
        "unit_file": np.int32,
        "unit_number": np.int32,
        "lengths": np.int32,
    }
)


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """A file of a segment: its path, its record's key, and the record's notes on it."""

    path: str
    key: str
    left_out: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Arrays:
    """T distinct terms, P postings, U units; postings are sorted by (term, unit).

    `terms` uint64[T], `offsets` int64[T+1] into `units` int32[P] and `counts` uint16[P];
    `unit_file` int32[U], `unit_number` int32[U] (inside the file), `lengths` int32[U] text terms.
    """

    terms: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    units: NDArray[np.int32]
    counts: NDArray[np.uint16]
    unit_file: NDArray[np.int32]
    unit_number: NDArray[np.int32]
    lengths: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Segment:
    """Files, sorted by path, and the arrays over them."""

    files: tuple[SegmentFile, ...]
    arrays: Arrays

    def postings(self, term: int) -> tuple[NDArray[np.int32], NDArray[np.uint16]]:
        """The units that hold a term, sorted, and its count in each."""
        arrays = self.arrays
        place = int(np.searchsorted(arrays.terms, np.uint64(term)))
        if place == len(arrays.terms) or int(arrays.terms[place]) != term:
            return arrays.units[:0], arrays.counts[:0]
        start, end = int(arrays.offsets[place]), int(arrays.offsets[place + 1])
        return arrays.units[start:end], arrays.counts[start:end]


_TABLE_DECODER = msgspec.msgpack.Decoder(tuple[list[tuple[bytes, str, str, str]], dict[str, int]])


def merge(files: Sequence[tuple[SegmentFile, Postings]]) -> Segment:
    """One segment of the postings of many files, which are sorted by path."""
    counted = [postings.counts for _, postings in files]
    sizes = np.array([len(counts.lengths) for counts in counted], dtype=np.int64)
    starts = np.concatenate(([0], np.cumsum(sizes)))
    terms = _joined((np.repeat(found.terms, found.runs) for found in counted), np.uint64)
    units = _joined(
        (found.units + start for found, start in zip(counted, starts, strict=False)),
        np.int32,
    )
    counts = _joined((found.counts for found in counted), np.uint16)
    # The files come in unit order and each is sorted by term: a stable sort by term does it all.
    order = np.argsort(terms, kind="stable")
    distinct, firsts = np.unique(terms[order], return_index=True)
    arrays = Arrays(
        terms=distinct,
        offsets=np.append(firsts, len(terms)).astype(np.int64),
        units=units[order],
        counts=counts[order],
        unit_file=np.repeat(np.arange(len(files), dtype=np.int32), sizes),
        unit_number=_joined((np.arange(size) for size in sizes), np.int32),
        lengths=_joined((found.lengths for found in counted), np.int32),
    )
    return Segment(tuple(file for file, _ in files), arrays)


def _joined(parts: Iterable[NDArray[Any]], dtype: type) -> NDArray[Any]:
    found: list[NDArray[Any]] = [part.astype(dtype, copy=False) for part in parts]
    return np.concatenate(found) if found else np.zeros(0, dtype=dtype)


def save(segment: Segment, directory: Path) -> None:
    """Write a segment so that a reader sees all of it or nothing. Raises OSError."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=directory.parent, prefix=UNFINISHED))
    try:
        checksums = {}
        for field in fields(Arrays):
            payload = np.ascontiguousarray(getattr(segment.arrays, field.name)).tobytes()
            checksums[field.name] = zlib.crc32(payload)
            (work / field.name).write_bytes(payload)
        rows = [(_bytes(f.path), f.key, f.left_out, f.problem) for f in segment.files]
        table = msgspec.msgpack.encode((rows, checksums))
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
        files, checksums = _table(directory)
        arrays = {name: _mapped(directory / name, dtype) for name, dtype in DTYPES.items()}
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    if any(zlib.crc32(array.data) != checksums.get(name) for name, array in arrays.items()):
        return None
    return Segment(files, Arrays(**arrays))


def listed_files(directory: Path) -> tuple[SegmentFile, ...]:
    """The files of a saved segment; none where there is no segment or its table is damaged."""
    try:
        return _table(directory)[0]
    except (OSError, ValueError, msgspec.MsgspecError):
        return ()


def _table(directory: Path) -> tuple[tuple[SegmentFile, ...], dict[str, int]]:
    """The files of a saved segment, and its arrays' checksums. Raises ValueError on damage."""
    payload = (directory / TABLE).read_bytes()
    table = payload[CHECKSUM_BYTES:]
    if _checksum(table) != payload[:CHECKSUM_BYTES]:
        raise ValueError("checksum")
    rows, checksums = _TABLE_DECODER.decode(table)
    return tuple(SegmentFile(path.decode(*PATHS), *rest) for path, *rest in rows), checksums


def _mapped(path: Path, dtype: type) -> NDArray[Any]:
    """A file as a read-only array. Raises ValueError where its size does not fit."""
    if path.stat().st_size == 0:  # nothing to map
        return np.zeros(0, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r")


def _bytes(path: str) -> bytes:
    return path.encode(*PATHS)


def _checksum(payload: bytes) -> bytes:
    return zlib.crc32(payload).to_bytes(CHECKSUM_BYTES, "little")
