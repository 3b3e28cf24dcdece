"""Merges the postings of many files into one segment."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from repoqa.index.batches import POSTINGS_AT_A_TIME, Batches, distinct_terms
from repoqa.index.files import Files, Note
from repoqa.index.parts import PARTS, part_of
from repoqa.index.record import Postings
from repoqa.index.segment import Arrays, Segment
from repoqa.index.spool import Spool
from repoqa.index.terms import count_terms, term_hash

# Parts of paths that are kept worked out: in the order of paths those of one folder are together.
MOST_PARTS_KEPT = 1 << 12
Numbers = NDArray[np.int64]


class ReadFile(NamedTuple):
    """A file's postings, with where they are from."""

    path: str
    oid: str
    postings: Postings


class _Arrived(NamedTuple):
    """What is kept of a file beside its postings."""

    path: str
    oid: str
    note: Note


def merge(
    kind: str,
    read: Iterable[ReadFile],
    *,
    folder: Path | None = None,
    at_a_time: int = POSTINGS_AT_A_TIME,
) -> Segment:
    """One segment of the postings of many files, which come in any order.

    Of the postings about `at_a_time` are held at once; the others wait in a temporary file in
    `folder` (None: the system's), or in memory where there is no room for it.
    """
    arrived: list[_Arrived] = []
    with closing(Spool(folder)) as spool:
        batches = Batches(spool, at_a_time)
        for path, oid, postings in read:
            arrived.append(_Arrived(path, oid, Note(postings.left_out, postings.problem)))
            batches.add(postings.counts)
        order = sorted(range(len(arrived)), key=lambda number: arrived[number].path)
        merged, lengths = batches.merged(np.array(order, np.int64))
    files = [arrived[number] for number in order]
    sizes = np.array([batches.sizes[number] for number in order], np.int64)
    paths = [file.path for file in files]
    path_terms, path_offsets, path_files = _path_postings(paths)
    arrays = Arrays(
        **merged._asdict(),
        unit_file=np.repeat(np.arange(len(files), dtype=np.int32), sizes),
        unit_number=_inside(sizes),
        lengths=lengths,
        path_terms=path_terms,
        path_offsets=path_offsets,
        path_files=path_files,
        path_lengths=np.array(list(map(_path_length, paths)), dtype=np.int32),
        path_parts=np.array([PARTS.index(part_of(path)) for path in paths], dtype=np.uint8),
    )
    return Segment(_files(kind, files), arrays)


def _files(kind: str, files: Sequence[_Arrived]) -> Files:
    notes = {number: file.note for number, file in enumerate(files) if any(file.note)}
    return Files(kind, tuple(file.path for file in files), tuple(file.oid for file in files), notes)


def _inside(sizes: Numbers) -> NDArray[np.int32]:
    """The numbers from 0 of each of some runs."""
    numbers = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return numbers.astype(np.int32)


def _path_postings(
    paths: Sequence[str],
) -> tuple[NDArray[np.uint64], Numbers, NDArray[np.int32]]:
    """The terms of paths, the offsets of their postings, and the files' numbers."""
    held = [
        sorted({term for part in path.split("/") for term in _part_terms(part)}) for path in paths
    ]
    terms = np.array([term for some in held for term in some], dtype=np.uint64)
    files = np.repeat(np.arange(len(paths), dtype=np.int32), [len(some) for some in held])
    order = np.argsort(terms, kind="stable")
    distinct, firsts = distinct_terms(terms[order])
    return distinct, np.append(firsts, len(terms)).astype(np.int64), files[order]


def _path_length(path: str) -> int:
    """How many terms a path has, a term in each of its parts counted once."""
    return sum(len(_part_terms(part)) for part in path.split("/"))


@lru_cache(maxsize=MOST_PARTS_KEPT)
def _part_terms(part: str) -> frozenset[int]:
    """The hashes of the terms of one part of a path."""
    return frozenset(map(term_hash, count_terms(part)))
