"""The postings of many files, of which some are in memory at a time, sorted by term.

They are sorted by runs: a file's postings of one term stay together, so that what is sorted is a
third of what there is. Files are gathered to batches, which wait in a temporary file, sorted by
term, and are merged one range of terms after the other (external sorting: Knuth, The Art of
Computer Programming 3, section 5.4). What grows with the files is what comes out.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from repoqa.index.count import Counts
from repoqa.index.gaps import pack_runs
from repoqa.index.segment import LARGE_COUNT
from repoqa.index.spool import Spool, Spooled
from repoqa.index.terms import HASH_BYTES

# Postings that are sorted at a time: those of some 3,000 files of code, in some 100 MB.
POSTINGS_AT_A_TIME = 1 << 20
# A file takes memory however few postings it has.
FILES_AT_A_TIME = 1 << 13
# Runs that are copied at a time; what that takes beside the arrays is a few megabytes.
RUNS_PER_COPY = 1 << 18
Numbers = NDArray[np.int64]


class Merged(NamedTuple):
    """Postings sorted by (term, unit), as `segment.Arrays` has them."""

    terms: NDArray[np.uint64]
    offsets: Numbers
    gaps: NDArray[np.uint8]
    gap_offsets: Numbers
    counts: NDArray[np.uint8]
    large_places: Numbers
    large_counts: NDArray[np.uint16]


class _Batch(NamedTuple):
    """R runs sorted by term: `terms` uint64[R], `sizes` int32[R]; and their P postings, one run
    after the other: `units` int32[P], numbered as they arrived, `counts` uint16[P]."""

    terms: NDArray[Any] | Spooled
    sizes: NDArray[Any] | Spooled
    units: NDArray[Any] | Spooled
    counts: NDArray[Any] | Spooled


class _Cut(NamedTuple):
    """Where the runs and the postings of a range of terms are in a batch."""

    batch: _Batch
    runs: slice
    postings: slice


class Batches:
    """Files as they arrive. `sizes` are how many units each has."""

    def __init__(self, spool: Spool, at_a_time: int = POSTINGS_AT_A_TIME) -> None:
        self.sizes: list[int] = []
        self._spool, self._at_a_time = spool, at_a_time
        self._batches: list[_Batch] = []
        self._lengths: list[NDArray[np.int32]] = []
        self._waiting: list[Counts] = []
        self._units = self._postings = self._waiting_postings = 0

    def add(self, counts: Counts) -> None:
        """Add the postings of a file."""
        self.sizes.append(len(counts.lengths))
        self._waiting.append(counts)
        self._waiting_postings += len(counts.units)
        if self._waiting_postings >= self._at_a_time or len(self._waiting) == FILES_AT_A_TIME:
            self._batches.append(_Batch(*map(self._spool.put, self._sorted())))

    def merged(self, order: Numbers) -> tuple[Merged, NDArray[np.int32]]:
        """All postings and the lengths of all units, the files put in an order."""
        if self._waiting:
            self._batches.append(_Batch(*self._sorted()))
        sizes = np.array(self.sizes, np.int64)
        starts = np.cumsum(sizes) - sizes
        arrived = gathered(np.arange(sizes.sum(), dtype=np.int32), starts[order], sizes[order])
        numbers = np.empty_like(arrived)
        numbers[arrived] = np.arange(len(arrived), dtype=np.int32)
        merged = _joined_parts([_merged(cuts, numbers) for cuts in self._ranges()])
        return merged, joined(self._lengths, np.int32)[arrived]

    def _sorted(self) -> Iterator[NDArray[Any]]:
        """The arrays of a batch of what waits; nothing waits any more."""
        waiting, self._waiting, self._waiting_postings = self._waiting, [], 0
        self._lengths.append(joined((each.lengths for each in waiting), np.int32))
        bases = self._units + np.cumsum([0, *(len(each.lengths) for each in waiting)])
        self._units = int(bases[-1])
        terms = joined((each.terms for each in waiting), np.uint64)
        sizes = joined((each.runs for each in waiting), np.int32)
        units = joined(
            (each.units + base for each, base in zip(waiting, bases, strict=False)), np.int32
        )
        self._postings += len(units)
        order = np.argsort(terms, kind="stable")
        starts, sizes = _starts(sizes)[order], sizes[order]
        yield from (terms[order], sizes, gathered(units, starts, sizes))
        yield gathered(joined((each.counts for each in waiting), np.uint16), starts, sizes)

    def _ranges(self) -> Iterator[list[_Cut]]:
        """The batches cut at the same terms, so that each range of terms has about as many
        postings as are sorted at a time: hashes are spread evenly."""
        ranges = 1 + self._postings // self._at_a_time
        bounds = [(number << 8 * HASH_BYTES) // ranges for number in range(1, ranges)]
        cut = [_cuts(batch, np.array(bounds, np.uint64)) for batch in self._batches]
        for number in range(ranges):
            yield [cuts[number] for cuts in cut]


def _cuts(batch: _Batch, bounds: NDArray[np.uint64]) -> list[_Cut]:
    """A batch, cut at some terms."""
    terms, ends = batch.terms[:], np.cumsum(batch.sizes[:], dtype=np.int64)
    runs = np.concatenate(([0], np.searchsorted(terms, bounds), [len(terms)]))
    postings = np.concatenate(([0], ends))[runs]
    return [
        _Cut(batch, slice(*some), slice(*their))
        for some, their in zip(pairwise(runs.tolist()), pairwise(postings.tolist()), strict=True)
    ]


def _merged(cuts: Sequence[_Cut], numbers: NDArray[np.int32]) -> Merged:
    """The postings of one range of terms; `numbers` are those of the units that arrived."""
    terms = joined((cut.batch.terms[cut.runs] for cut in cuts), np.uint64)
    sizes = joined((cut.batch.sizes[cut.runs] for cut in cuts), np.int32)
    units = numbers[joined((cut.batch.units[cut.postings] for cut in cuts), np.int32)]
    counts = joined((cut.batch.counts[cut.postings] for cut in cuts), np.uint16)
    starts = _starts(sizes)
    # A run stands in one file: by its first unit it has its place among those of its term.
    order = np.lexsort((units[starts], terms))
    starts, sizes = starts[order], sizes[order]
    distinct, firsts = distinct_terms(terms[order])
    offsets = _starts(sizes)[firsts]
    gaps, gap_offsets = pack_runs(gathered(units, starts, sizes), offsets)
    counts = gathered(counts, starts, sizes)
    large = np.flatnonzero(counts >= LARGE_COUNT)
    return Merged(
        distinct,
        np.append(offsets, len(units)),
        gaps,
        gap_offsets,
        np.minimum(counts, LARGE_COUNT).astype(np.uint8),
        large,
        counts[large],
    )


def _joined_parts(parts: Sequence[Merged]) -> Merged:
    """Ranges of terms, one after the other."""
    bases = _starts(np.array([len(part.counts) for part in parts]))
    return Merged(
        joined((part.terms for part in parts), np.uint64),
        _joined_offsets([part.offsets for part in parts]),
        joined((part.gaps for part in parts), np.uint8),
        _joined_offsets([part.gap_offsets for part in parts]),
        joined((part.counts for part in parts), np.uint8),
        joined((p.large_places + base for p, base in zip(parts, bases, strict=True)), np.int64),
        joined((part.large_counts for part in parts), np.uint16),
    )


def _joined_offsets(parts: Sequence[Numbers]) -> Numbers:
    """Offsets, which begin with 0 and end with the end of the last, as those of the whole."""
    return np.cumsum(np.concatenate([[0], *map(np.diff, parts)]), dtype=np.int64)


def _starts(sizes: NDArray[np.integer]) -> Numbers:
    """Where each run starts."""
    return np.cumsum(sizes, dtype=np.int64) - sizes


def gathered(values: NDArray[Any], starts: Numbers, sizes: NDArray[np.integer]) -> NDArray[Any]:
    """The runs of `values` that begin at `starts` and are `sizes` long, one after the other."""
    found = np.empty_like(values)
    end = 0
    for first in range(0, len(starts), RUNS_PER_COPY):
        some = slice(first, first + RUNS_PER_COPY)
        places = np.repeat(starts[some] - _starts(sizes[some]), sizes[some])
        places += np.arange(len(places))
        found[end : end + len(places)] = values[places]
        end += len(places)
    return found


def distinct_terms(terms: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], Numbers]:
    """Sorted terms each once, and the place of the first of each."""
    is_first = np.ones(len(terms), dtype=bool)
    is_first[1:] = terms[1:] != terms[:-1]
    firsts = np.flatnonzero(is_first)
    return terms[firsts], firsts


def joined(parts: Iterable[NDArray[Any]], dtype: type) -> NDArray[Any]:
    """Arrays one after the other, as numbers of a type."""
    found: list[NDArray[Any]] = [part.astype(dtype, copy=False) for part in parts]
    return np.concatenate(found) if found else np.zeros(0, dtype=dtype)
