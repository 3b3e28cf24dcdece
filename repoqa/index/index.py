"""The index of one snapshot: its postings, its units and its files, as ranking and packing read it.

Files and units are numbered through the segments in turn. A file that left the snapshot keeps its
number and is dead: no lookup returns it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain, compress

import numpy as np
from numpy.typing import NDArray

from repoqa.index.files import Note, record_key
from repoqa.index.outline import KeptOutline, pack_outline
from repoqa.index.record import analyze
from repoqa.index.segment import Segment
from repoqa.index.store import Store
from repoqa.index.terms import Field, hashed, term_hash
from repoqa.parsing.text import decode, split_lines
from repoqa.records import FileEntry, ParsedFile, SkippedFile, Snapshot, Symbol
from repoqa.repository.snapshot import entry_at

# Stands for a unit of which nothing is left.
GONE = Symbol("L1-1", "section", 1, 1, header_end=1)
AS_CHUNKS = "read as line chunks"
# Files that stand for their folder in a dotted module path.
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
        self.file_paths = tuple(chain.from_iterable(s.files.paths for s in segments))
        self._oids = tuple(chain.from_iterable(s.files.oids for s in segments))
        self._file_bases = list(accumulate((len(s.files) for s in segments), initial=0))
        notes = self._living_notes(alive)
        self.file_alive = alive.copy()
        self.file_alive[[number for number, note in notes.items() if note.left_out]] = False
        self._number = dict(
            compress(zip(self.file_paths, range(len(alive)), strict=True), self.file_alive)
        )
        arrays = [segment.arrays for segment in segments]
        self.unit_file = np.concatenate(
            [a.unit_file + base for a, base in zip(arrays, self._file_bases, strict=False)]
        )
        self._unit_number = np.concatenate([a.unit_number for a in arrays])
        self.lengths = np.concatenate([a.lengths for a in arrays]).astype(np.float64)
        self.path_lengths = np.concatenate([a.path_lengths for a in arrays]).astype(np.float64)
        self.file_part = np.concatenate([a.path_parts for a in arrays])
        self._unit_bases = list(accumulate((len(a.unit_file) for a in arrays), initial=0))
        self.unit_alive = self.file_alive[self.unit_file]
        self.reused_count = int(alive.sum()) - fresh.parsed
        left_out = (
            SkippedFile(self.file_paths[number], note.left_out or f"{note.problem}: {AS_CHUNKS}")
            for number, note in notes.items()
        )
        self.skipped = tuple(sorted((*snapshot.skipped, *fresh.missing, *left_out)))
        self._matches: dict[int, Matches] = {}
        self._outlines: dict[str, KeptOutline] = {}
        self._lines: dict[str, list[str]] = {}

    def _living_notes(self, alive: NDArray[np.bool_]) -> dict[int, Note]:
        """The notes on files of the snapshot, by the files' numbers."""
        return {
            base + number: note
            for segment, base in zip(self._segments, self._file_bases, strict=False)
            for number, note in segment.files.notes.items()
            if alive[base + number]
        }

    @property
    def cache_problem(self) -> str:
        """Why nothing can be kept for the next question; "" where it is."""
        return self._store.problem

    @cached_property
    def paths(self) -> Sequence[str]:
        """Every indexed path, sorted."""
        return sorted(self._number)

    def matches(self, field: Field, term: str) -> Matches:
        """The living units that hold a term in a field."""
        hash_of_term = hashed(field, term)
        known = self._matches.get(hash_of_term)
        if known is None:
            known = self._matches[hash_of_term] = self._matching(hash_of_term)
        return known

    def _matching(self, term: int) -> Matches:
        units, counts = [], []
        for segment, base in zip(self._segments, self._unit_bases, strict=False):
            found, numbers = segment.postings(term)
            units.append(found + base)
            counts.append(numbers.astype(np.float64))
        all_units = np.concatenate(units)
        alive = self.unit_alive[all_units]
        return Matches(all_units[alive], np.concatenate(counts)[alive])

    def file_number(self, path: str) -> int | None:
        """The number of a living file, or None."""
        return self._number.get(path)

    def files_named(self, term: str) -> Units:
        """The living files that have a term in their path, sorted."""
        found = [
            segment.files_named(term_hash(term)).astype(np.int64) + base
            for segment, base in zip(self._segments, self._file_bases, strict=False)
        ]
        files = np.concatenate(found)
        return files[self.file_alive[files]]

    def stems_ending(self, tail: str) -> list[tuple[int, str]]:
        """The living files whose path without suffix (a package's: its folder) ends with `tail`."""
        found = []
        for path, number in self._number.items():
            if tail in path and f"/{stem_of(path)}".endswith(f"/{tail}"):
                found.append((number, stem_of(path)))
        return found

    def units_of(self, file_number: int) -> range:
        """The numbers of a file's units, in order of their lines."""
        start = int(np.searchsorted(self.unit_file, file_number, side="left"))
        end = int(np.searchsorted(self.unit_file, file_number, side="right"))
        return range(start, end)

    def symbol(self, unit: int) -> Symbol:
        """The symbol of a unit."""
        outline = self._outline(self.file_paths[int(self.unit_file[unit])])
        number = int(self._unit_number[unit])
        # Its record was evicted, and the file that it was read from anew is shorter by now.
        return outline.unit(number) if number < len(outline) else GONE

    def used(self, unit: int) -> Sequence[str]:
        """The names called, used as types or inherited from inside a unit."""
        symbol = self.symbol(unit)
        outline = self._outline(self.file_paths[int(self.unit_file[unit])])
        return outline.used(symbol.start, symbol.end)

    def prefetch(self, paths: Sequence[str]) -> None:
        """Load the outlines of several files in one query."""
        wanted = {path: self._key(self._number[path]) for path in paths}
        found = dict(self._store.outlines(sorted(set(wanted.values()))))
        self._outlines |= {path: found[key] for path, key in wanted.items() if key in found}

    def _key(self, number: int) -> str:
        kind = self._segments[0].files.kind
        return record_key(kind, self.file_paths[number], self._oids[number])

    def parsed(self, path: str) -> ParsedFile:
        """The parsed file. Raises KeyError for a path that is not indexed."""
        return self._outline(path).parsed

    def lines(self, path: str) -> Sequence[str]:
        """The file's decoded lines without their ends. Raises KeyError likewise."""
        if path not in self._lines:
            self._lines[path] = split_lines(decode(self._content(path)) or "")
        return self._lines[path]

    source_lines = lines

    def prefetch_lines(self, paths: Sequence[str]) -> None:
        """Read the lines of several files at once."""
        wanted = [self._entry(path) for path in paths if path not in self._lines]
        for entry, content in self.snapshot.source.read(wanted):
            self._lines[entry.path] = split_lines(decode(content or b"") or "")

    def defined(self, name: str) -> Sequence[str]:
        """The sorted paths that define a symbol of this name (qualified, or its last part)."""
        field = Field.QUALIFIED if "." in name else Field.DEFINED
        files = np.unique(self.unit_file[self.matches(field, name).units])
        return sorted(self.file_paths[number] for number in files)

    def _outline(self, path: str) -> KeptOutline:
        if path not in self._outlines:
            self.prefetch([path])
        if path not in self._outlines:  # evicted or damaged since
            found = analyze(path, self._content(path)).outline
            self._outlines[path] = KeptOutline(pack_outline(found))
        return self._outlines[path]

    def _content(self, path: str) -> bytes:
        for _, content in self.snapshot.source.read([self._entry(path)]):
            return content or b""
        raise KeyError(path)

    def _entry(self, path: str) -> FileEntry:
        entry = entry_at(self.snapshot, path)
        if entry is None:
            raise KeyError(path)
        return entry


def stem_of(path: str) -> str:
    """A path without suffix; a package's is its folder."""
    stem = path.rpartition(".")[0] or path
    for package_file in PACKAGE_FILES:
        stem = stem.removesuffix(f"/{package_file}")
    return stem
