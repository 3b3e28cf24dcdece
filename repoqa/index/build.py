"""From a snapshot to its index: what is cached is reused, what is new is parsed once."""

from collections.abc import Iterator, Sequence, Set
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repoqa.index.analysis import analyzed
from repoqa.index.eviction import InUse, keep_bounded
from repoqa.index.index import AS_CHUNKS, Fresh, Index
from repoqa.index.places import mark_used, place_of, segment_directory
from repoqa.index.record import PackedRecord, Postings, unpack_postings
from repoqa.index.segment import Segment, SegmentFile, load, merge, save
from repoqa.index.store import Store
from repoqa.index.terms import TERMS_VERSION
from repoqa.parsing.parse import NO_GRAMMAR, PARSER_VERSION
from repoqa.protocols import Progress
from repoqa.records import FileEntry, SkippedFile, Snapshot

# Raised by hand when records change for the same parse: units, fields, what is left out.
RECORD_VERSION = "6"
# A segment is written anew when more of its files changed than this: reading the changed files'
# records one by one then costs more than one sequential write.
FEWEST_CHANGED = 64
CHANGED_SHARE = 0.05
RECORDS_PER_WRITE = 256

Keyed = tuple[FileEntry, str]


def build(snapshot: Snapshot, store: Store, *, progress: Progress) -> Index:
    """The index of a snapshot. Damaged or missing cache entries are rebuilt silently."""
    keyed = [(entry, record_key(entry, snapshot.object_format)) for entry in snapshot.files]
    directory = _segment_directory(snapshot, store)
    if store.directory is not None:
        mark_used(store.directory, place_of(snapshot))
    base = load(directory) if directory else None
    if base is not None and _changes(base, keyed) > max(FEWEST_CHANGED, CHANGED_SHARE * len(keyed)):
        base = None
    known = (
        {(file.path, file.key) for file in base.files if _lasts(file.problem)} if base else set()
    )
    changed = [(entry, key) for entry, key in keyed if (entry.path, key) not in known]
    reader = _Reader(snapshot, store, progress)
    fresh = merge(reader.read(changed))
    if base is None and directory is not None:
        _save_quietly(fresh, directory)
    if base is None or reader.parsed:
        keep_bounded(store, InUse(place_of(snapshot), [key for _, key in keyed]))
    return Index(
        snapshot,
        store,
        segments=(base, fresh) if base else (fresh,),
        alive=_alive(base, fresh, known.intersection((entry.path, key) for entry, key in keyed)),
        fresh=Fresh(reader.parsed, tuple(reader.missing), tuple(sorted(reader.failed))),
    )


def record_key(entry: FileEntry, object_format: str) -> str:
    """The key of a file's record: its content and its name (which tells the language)."""
    name = entry.path.rpartition("/")[2].encode("utf-8", "backslashreplace").decode()
    return f"{RECORD_VERSION}.{TERMS_VERSION}.{PARSER_VERSION}:{object_format}:{entry.oid}:{name}"


class _Reader:
    """Reads the postings of files from the store, and of the rest from their bytes."""

    def __init__(self, snapshot: Snapshot, store: Store, progress: Progress) -> None:
        self.snapshot, self.store, self.progress = snapshot, store, progress
        self.missing: list[SkippedFile] = []
        self.failed: list[SkippedFile] = []
        self.parsed = 0

    def read(self, keyed: Sequence[Keyed]) -> list[tuple[SegmentFile, Postings]]:
        """The files' postings, sorted by path."""
        cached = dict(self.store.postings(sorted({key for _, key in keyed})))
        found = [
            (_segment_file(entry.path, key, cached[key]), cached[key])
            for entry, key in keyed
            if key in cached
        ]
        fresh = [entry for entry, key in keyed if key not in cached]
        if fresh:
            found.extend(self._analyzed(fresh))
        return sorted(found, key=lambda pair: pair[0].path)

    def _analyzed(self, entries: Sequence[FileEntry]) -> Iterator[tuple[SegmentFile, Postings]]:
        self.progress.start("indexing", total=len(entries), unit="files")
        batch: list[tuple[str, PackedRecord]] = []
        for entry, record in analyzed(self.snapshot.source.read(entries), entries):
            self.progress.advance()
            if record is None:
                self.missing.append(SkippedFile(entry.path, "its content is not in this clone"))
                continue
            key = record_key(entry, self.snapshot.object_format)
            self.parsed += 1
            postings = unpack_postings(record.postings)
            if postings.problem:
                self.failed.append(SkippedFile(entry.path, f"{postings.problem}: {AS_CHUNKS}"))
            if _lasts(postings.problem):
                batch.append((key, record))
            if len(batch) == RECORDS_PER_WRITE:
                self.store.add(batch)
                batch = []
            yield _segment_file(entry.path, key, postings), postings
        self.store.add(batch)
        self.progress.finish()


def _segment_file(path: str, key: str, postings: Postings) -> SegmentFile:
    return SegmentFile(path, key, postings.left_out, postings.problem)


def _changes(base: Segment, keyed: Sequence[Keyed]) -> int:
    """How many files differ between a segment and the snapshot."""
    return len({(f.path, f.key) for f in base.files} ^ {(entry.path, key) for entry, key in keyed})


def _lasts(problem: str) -> bool:
    """Whether a file is to be cached: what a broken installation gave is tried again."""
    return not problem.startswith(NO_GRAMMAR)


def _alive(base: Segment | None, fresh: Segment, wanted: Set[tuple[str, str]]) -> NDArray[np.bool_]:
    """For each file of the segments in turn, whether it is to be found: those of the base that
    are wanted, by path and key, and all fresh ones."""
    kept = [(file.path, file.key) in wanted for file in base.files] if base else []
    return np.array(kept + [True] * len(fresh.files), dtype=bool)


def _segment_directory(snapshot: Snapshot, store: Store) -> Path | None:
    """Where this snapshot's segment is kept: one for each working tree and each revision."""
    if store.directory is None or store.problem:
        return None
    return segment_directory(store.directory, place_of(snapshot))


def _save_quietly(segment: Segment, directory: Path) -> None:
    """Save a segment; where that fails the next question builds it again."""
    try:
        save(segment, directory)
    except OSError:
        return
