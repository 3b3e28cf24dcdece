"""The index of one snapshot: its postings, its units and its files, as ranking and packing read it.

Files and units are numbered through the segments in turn. A file that left the snapshot keeps its
number and is dead: no lookup returns it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from repoqa.index.record import KeptOutline, Outline, analyze
from repoqa.index.segment import Segment
from repoqa.index.store import Store
from repoqa.index.terms import Field, count_terms, hashed
from repoqa.parsing.text import decode, split_lines
from repoqa.records import FileEntry, ParsedFile, SkippedFile, Snapshot, Symbol

# Files that stand for their folder in a dotted module path.
AS_CHUNKS = "read as line chunks"
PACKAGE_FILES = ("__init__", "index", "mod", "lib")
Units = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Matches:
    """The living units that hold a term, sorted, and the term's count in each."""

    units: Units
    counts: Numbers


@dataclass(frozen=True, slots=True)
class Fresh:
    """What building had to read anew: how many files it parsed, those whose bytes are gone, and
    those that the parser gave up on."""

    parsed: int
    missing: tuple[SkippedFile, ...]
    failed: tuple[SkippedFile, ...] = ()


class Index:
    """See the module. Fulfils `protocols.CodeSource`."""

    def __init__(
        self,
        snapshot: Snapshot,
        store: Store,
        *,
        segments: Sequence[Segment],
        alive: NDArray[np.bool_],
        fresh: Fresh,
    ) -> None:
        self.snapshot = snapshot
        self.parsed_count = fresh.parsed
        self.failed = fresh.failed
        self._store = store
        self._segments = tuple(segments)
        self._files = tuple(file for segment in segments for file in segment.files)
        self._entries = {entry.path: entry for entry in snapshot.files}
        self.file_alive = alive & np.array([not f.left_out for f in self._files], dtype=bool)
        self.file_paths = tuple(file.path for file in self._files)
        self._number = {
            path: number for number, path in enumerate(self.file_paths) if self.file_alive[number]
        }
        starts = np.cumsum([0, *(len(segment.files) for segment in segments)])
        self.unit_file = np.concatenate(
            [s.arrays.unit_file + start for s, start in zip(segments, starts, strict=False)]
        )
        self._unit_number = np.concatenate([s.arrays.unit_number for s in segments])
        self.lengths = np.concatenate([s.arrays.lengths for s in segments]).astype(np.float64)
        self._bases = np.cumsum([0, *(len(s.arrays.unit_file) for s in segments)])
        self.unit_alive = self.file_alive[self.unit_file]
        self.reused_count = int(alive.sum()) - fresh.parsed
        self.skipped = tuple(sorted((*snapshot.skipped, *fresh.missing, *self._left_out(alive))))
        self._outlines: dict[str, Outline | KeptOutline] = {}
        self._lines: dict[str, list[str]] = {}

    def _left_out(self, alive: NDArray[np.bool_]) -> list[SkippedFile]:
        return [
            SkippedFile(file.path, file.left_out or f"{file.problem}: {AS_CHUNKS}")
            for file, is_alive in zip(self._files, alive, strict=True)
            if is_alive and (file.left_out or file.problem)
        ]

    @property
    def cache_problem(self) -> str:
        """Why nothing can be kept for the next question; "" where it is."""
        return self._store.problem

    @property
    def paths(self) -> Sequence[str]:
        """Every indexed path, sorted."""
        return sorted(self._number)

    def matches(self, field: Field, term: str) -> Matches:
        """The living units that hold a term in a field."""
        units, counts = [], []
        for segment, base in zip(self._segments, self._bases, strict=False):
            found, numbers = segment.postings(hashed(field, term))
            units.append(found.astype(np.int64) + base)
            counts.append(numbers.astype(np.float64))
        all_units = np.concatenate(units)
        alive = self.unit_alive[all_units]
        return Matches(all_units[alive], np.concatenate(counts)[alive])

    def file_number(self, path: str) -> int | None:
        """The number of a living file, or None."""
        return self._number.get(path)

    @cached_property
    def _named(self) -> dict[str, list[int]]:
        """The living files by the terms of their paths."""
        named: dict[str, list[int]] = defaultdict(list)
        for path, number in self._number.items():
            for term in {term for part in path.split("/") for term in _part_terms(part)}:
                named[term].append(number)
        return named

    @cached_property
    def path_lengths(self) -> Numbers:
        """For each file the number of terms of its path."""
        return np.array(
            [sum(len(_part_terms(part)) for part in path.split("/")) for path in self.file_paths],
            dtype=np.float64,
        )

    def files_named(self, term: str) -> list[int]:
        """The living files that have a term in their path."""
        return self._named.get(term, [])

    def stems_ending(self, tail: str) -> list[tuple[int, str]]:
        """The living files whose path without suffix (a package's: its folder) ends with `tail`."""
        found = self._stems.get(tail.rpartition("/")[2], [])
        return [(number, stem) for number, stem in found if f"/{stem}".endswith(f"/{tail}")]

    @cached_property
    def _stems(self) -> dict[str, list[tuple[int, str]]]:
        """The living files' paths without suffix, by their last part."""
        stems: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for path, number in self._number.items():
            stem = path.rpartition(".")[0] or path
            for package_file in PACKAGE_FILES:
                stem = stem.removesuffix(f"/{package_file}")
            stems[stem.rpartition("/")[2]].append((number, stem))
        return stems

    def units_of(self, file_number: int) -> range:
        """The numbers of a file's units, in order of their lines."""
        start = int(np.searchsorted(self.unit_file, file_number, side="left"))
        end = int(np.searchsorted(self.unit_file, file_number, side="right"))
        return range(start, end)

    def symbol(self, unit: int) -> Symbol:
        """The symbol of a unit."""
        outline = self._outline(self.file_paths[int(self.unit_file[unit])])
        return outline.units[int(self._unit_number[unit])]

    def prefetch(self, paths: Sequence[str]) -> None:
        """Load the outlines of several files in one query."""
        wanted = {path: self._files[self._number[path]].key for path in paths}
        found = dict(self._store.outlines(sorted(set(wanted.values()))))
        self._outlines |= {path: found[key] for path, key in wanted.items() if key in found}

    def parsed(self, path: str) -> ParsedFile:
        """The parsed file. Raises KeyError for a path that is not indexed."""
        return self._outline(path).parsed

    def lines(self, path: str) -> Sequence[str]:
        """The file's decoded lines without their ends. Raises KeyError likewise."""
        if path not in self._lines:
            self._lines[path] = split_lines(decode(self._content(path)) or "")
        return self._lines[path]

    def defined(self, name: str) -> Sequence[str]:
        """The sorted paths that define a symbol of this name (qualified, or its last part)."""
        field = Field.QUALIFIED if "." in name else Field.DEFINED
        files = np.unique(self.unit_file[self.matches(field, name).units])
        return sorted(self.file_paths[number] for number in files)

    def _outline(self, path: str) -> Outline | KeptOutline:
        if path not in self._outlines:
            self.prefetch([path])
        if path not in self._outlines:  # evicted or damaged since
            self._outlines[path] = analyze(path, self._content(path)).outline
        return self._outlines[path]

    def _content(self, path: str) -> bytes:
        entry: FileEntry = self._entries[path]
        for _, content in self.snapshot.source.read([entry]):
            return content or b""
        raise KeyError(path)


@lru_cache(maxsize=1 << 16)
def _part_terms(part: str) -> frozenset[str]:
    """The terms of one part of a path."""
    return frozenset(count_terms(part))
