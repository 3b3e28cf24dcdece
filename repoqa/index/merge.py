"""Merges the postings of many files into one segment, by runs: a file's postings of one term stay
together, so that what is sorted is a third of what there is."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from repoqa.index.files import Files, Note
from repoqa.index.gaps import pack_runs
from repoqa.index.record import Postings
from repoqa.index.segment import LARGE_COUNT, Arrays, Segment
from repoqa.index.terms import count_terms, term_hash

# Runs that are copied at a time; what that takes beside the arrays is a few megabytes.
RUNS_PER_COPY = 1 << 18
Numbers = NDArray[np.int64]


class ReadFile(NamedTuple):
    """A file's postings, with where they are from."""

    path: str
    oid: str
    postings: Postings


def merge(kind: str, read: Sequence[ReadFile]) -> Segment:
    """One segment of the postings of many files, which are sorted by path."""
    counted = [file.postings.counts for file in read]
    sizes = np.array([len(counts.lengths) for counts in counted], dtype=np.int64)
    bases = np.cumsum(sizes) - sizes
    terms = _joined((found.terms for found in counted), np.uint64)
    runs = _joined((found.runs for found in counted), np.int64)
    units = _joined(
        (found.units + base for found, base in zip(counted, bases, strict=True)), np.int32
    )
    counts = _joined((found.counts for found in counted), np.uint16)
    # The files come in unit order: sorting their runs by term, stably, sorts all postings.
    order = np.argsort(terms, kind="stable")
    starts, runs = (np.cumsum(runs) - runs)[order], runs[order]
    distinct, firsts = _distinct(terms[order])
    path_terms, path_offsets, path_files = _path_postings([file.path for file in read])
    offsets = (np.cumsum(runs) - runs)[firsts]
    gaps, gap_offsets = pack_runs(_gathered(units, starts, runs), offsets)
    counts = _gathered(counts, starts, runs)
    large = np.flatnonzero(counts >= LARGE_COUNT)
    arrays = Arrays(
        terms=distinct,
        offsets=np.append(offsets, runs.sum()),
        gaps=gaps,
        gap_offsets=gap_offsets,
        counts=np.minimum(counts, LARGE_COUNT).astype(np.uint8),
        large_places=large,
        large_counts=counts[large],
        unit_file=np.repeat(np.arange(len(read), dtype=np.int32), sizes),
        unit_number=_joined((np.arange(size) for size in sizes), np.int32),
        lengths=_joined((found.lengths for found in counted), np.int32),
        path_terms=path_terms,
        path_offsets=path_offsets,
        path_files=path_files,
        path_lengths=np.array([_path_length(file.path) for file in read], dtype=np.int32),
    )
    return Segment(_files(kind, read), arrays)


def _files(kind: str, read: Sequence[ReadFile]) -> Files:
    notes = {
        number: Note(file.postings.left_out, file.postings.problem)
        for number, file in enumerate(read)
        if file.postings.left_out or file.postings.problem
    }
    return Files(kind, tuple(file.path for file in read), tuple(file.oid for file in read), notes)


def _gathered(values: NDArray[Any], starts: Numbers, sizes: Numbers) -> NDArray[Any]:
    """The runs of `values` that begin at `starts` and are `sizes` long, one after the other."""
    gathered = np.empty_like(values)
    end = 0
    for first in range(0, len(starts), RUNS_PER_COPY):
        some = slice(first, first + RUNS_PER_COPY)
        inside = np.cumsum(sizes[some]) - sizes[some]
        places = np.repeat(starts[some] - inside, sizes[some])
        places += np.arange(len(places))
        gathered[end : end + len(places)] = values[places]
        end += len(places)
    return gathered


def _distinct(terms: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], Numbers]:
    """Sorted terms each once, and the place of the first of each."""
    is_first = np.ones(len(terms), dtype=bool)
    is_first[1:] = terms[1:] != terms[:-1]
    firsts = np.flatnonzero(is_first)
    return terms[firsts], firsts


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
    distinct, firsts = _distinct(terms[order])
    return distinct, np.append(firsts, len(terms)).astype(np.int64), files[order]


def _path_length(path: str) -> int:
    """How many terms a path has, a term in each of its parts counted once."""
    return sum(len(_part_terms(part)) for part in path.split("/"))


@lru_cache(maxsize=1 << 16)
def _part_terms(part: str) -> frozenset[int]:
    """The hashes of the terms of one part of a path."""
    return frozenset(map(term_hash, count_terms(part)))


def _joined(parts: Iterable[NDArray[Any]], dtype: type) -> NDArray[Any]:
    found: list[NDArray[Any]] = [part.astype(dtype, copy=False) for part in parts]
    return np.concatenate(found) if found else np.zeros(0, dtype=dtype)
