"""A segment: the postings of many files in sorted arrays, memory-mapped from the cache.

The snapshot's segment is written once and mapped by every later question; files that changed since
are a second, small segment in memory, and their old entries in the first are masked out.
"""

import shutil
import tempfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from repoqa.index.record import Postings

ARRAYS_FILE = "{}.npy"
TABLE_FILE = "table.msgpack"


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


def merge(files: Sequence[tuple[SegmentFile, Postings]]) -> Segment:
    """One segment of the postings of many files, which are sorted by path."""
    counted = [postings.counts for _, postings in files]
    sizes = np.array([len(counts.lengths) for counts in counted], dtype=np.int64)
    starts = np.concatenate(([0], np.cumsum(sizes)))
    terms = _joined((found.terms for found in counted), np.uint64)
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
    work = Path(tempfile.mkdtemp(dir=directory.parent, prefix="."))
    try:
        checksums = {}
        for field in fields(Arrays):
            array = np.ascontiguousarray(getattr(segment.arrays, field.name))
            checksums[field.name] = zlib.crc32(array.data)
            np.save(work / ARRAYS_FILE.format(field.name), array, allow_pickle=False)
        table = msgspec.msgpack.encode((segment.files, checksums))
        (work / TABLE_FILE).write_bytes(zlib.crc32(table).to_bytes(4, "little") + table)
        old = work / "old"
        if directory.exists():
            directory.rename(old)
        work.rename(directory)
        shutil.rmtree(directory / "old", ignore_errors=True)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def load(directory: Path) -> Segment | None:
    """The saved segment, its arrays mapped; None where there is none or it is damaged."""
    try:
        payload = (directory / TABLE_FILE).read_bytes()
        table = payload[4:]
        if zlib.crc32(table).to_bytes(4, "little") != payload[:4]:
            return None
        files, checksums = msgspec.msgpack.decode(
            table, type=tuple[tuple[SegmentFile, ...], dict[str, int]]
        )
        arrays = {}
        for field in fields(Arrays):
            path = directory / ARRAYS_FILE.format(field.name)
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            if zlib.crc32(array.data) != checksums[field.name]:
                return None
            arrays[field.name] = array
    except (OSError, ValueError, KeyError, msgspec.MsgspecError):
        return None
    return Segment(files, Arrays(**arrays))
