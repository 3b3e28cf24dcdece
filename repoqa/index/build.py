"""From a snapshot to its index: what is cached is reused, what is new is parsed once."""

from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from operator import attrgetter, eq, ne
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from repoqa.index import files
from repoqa.index.eviction import InUse, keep_bounded
from repoqa.index.index import AS_CHUNKS, Fresh, Index
from repoqa.index.merge import ReadFile, merge
from repoqa.index.places import mark_used, place_of, segment_directory
from repoqa.index.record import PackedRecord, unpack_postings
from repoqa.index.segment import Segment, load, save
from repoqa.index.store import Store
from repoqa.index.terms import TERMS_VERSION
from repoqa.parsing.version import NO_GRAMMAR, parser_version
from repoqa.protocols import Progress
from repoqa.records import FileEntry, SkippedFile, Snapshot
from repoqa.repository.listing import PATH

# Raised by hand when records or segments change for the same parse: units, fields, what is left
# out, what a path says.
RECORD_VERSION = "7"
# A segment is written anew when more of its files changed than this: reading the changed files'
# records one by one then costs more than one sequential write.
FEWEST_CHANGED = 64
CHANGED_SHARE = 0.05
RECORDS_PER_WRITE = 256
# Files whose postings are looked for at once; they are in memory together.
FILES_PER_QUERY = 900
OID: Callable[[FileEntry], str] = attrgetter("oid")


def build(snapshot: Snapshot, store: Store, *, progress: Progress) -> Index:
    """The index of a snapshot. Damaged or missing cache entries are rebuilt silently."""
    kind = record_kind(snapshot.object_format)
    directory = _segment_directory(snapshot, store)
    if store.directory is not None:
        mark_used(store.directory, place_of(snapshot))
    base = load(directory) if directory else None
    alive, changed = _compared(base, kind, snapshot.files)
    if len(alive) - alive.sum() + len(changed) > most_changed(len(snapshot.files)):
        base, alive, changed = None, alive[:0], snapshot.files
    reader = _Reader(snapshot, store, progress)
    fresh = merge(kind, reader.read(changed), folder=None if store.problem else store.directory)
    if base is None and directory is not None:
        _save_quietly(fresh, directory)
    if base is None or reader.parsed:
        keys = (record_key(entry, snapshot.object_format) for entry in snapshot.files)
        keep_bounded(store, InUse(place_of(snapshot), keys))
    return Index(
        snapshot,
        store,
        segments=[segment for segment in (base, fresh) if segment and segment.files] or [fresh],
        alive=np.append(alive, np.ones(len(fresh.files), dtype=bool)),
        fresh=Fresh(reader.parsed, tuple(reader.missing), tuple(sorted(reader.failed))),
    )


def most_changed(files: int) -> int:
    """How many files may differ from the segment of a snapshot of so many."""
    return max(FEWEST_CHANGED, int(CHANGED_SHARE * files))


def record_kind(object_format: str) -> str:
    """What the keys of all records begin with that are of use now."""
    return f"{RECORD_VERSION}.{TERMS_VERSION}.{parser_version()}:{object_format}"


def record_key(entry: FileEntry, object_format: str) -> str:
    """The key of a file's record: its content and its name (which tells the language)."""
    return files.record_key(record_kind(object_format), entry.path, entry.oid)


def _compared(
    base: Segment | None, kind: str, wanted: Sequence[FileEntry]
) -> tuple[NDArray[np.bool_], Sequence[FileEntry]]:
    """For each file of the base whether it is still to be found, and the files that it lacks."""
    if base is None or base.files.kind != kind:
        return np.zeros(0, dtype=bool), wanted
    known = base.files
    lasting = np.ones(len(known), dtype=bool)
    lasting[[number for number, note in known.notes.items() if not _lasts(note.problem)]] = False
    paths, oids = tuple(map(PATH, wanted)), tuple(map(OID, wanted))
    if paths == known.paths and oids == known.oids and lasting.all():
        return lasting, ()
    sought = dict(zip(paths, oids, strict=True))
    alive = lasting & np.array(list(map(eq, map(sought.get, known.paths), known.oids)), bool)
    kept = dict(compress(zip(known.paths, known.oids, strict=True), alive))
    return alive, list(compress(wanted, map(ne, map(kept.get, paths), oids)))


class _Reader:
    """Reads the postings of files from the store, and of the rest from their bytes."""

    def __init__(self, snapshot: Snapshot, store: Store, progress: Progress) -> None:
        self.snapshot, self.store, self.progress = snapshot, store, progress
        self.missing: list[SkippedFile] = []
        self.failed: list[SkippedFile] = []
        self.parsed = 0

    def read(self, entries: Sequence[FileEntry]) -> Iterator[ReadFile]:
        """Yield the files' postings: first those in the store, then the others."""
        fresh: list[FileEntry] = []
        for start in range(0, len(entries), FILES_PER_QUERY):
            some = entries[start : start + FILES_PER_QUERY]
            keys = [record_key(entry, self.snapshot.object_format) for entry in some]
            cached = dict(self.store.postings(sorted(set(keys))))
            for entry, key in zip(some, keys, strict=True):
                if key in cached:
                    yield ReadFile(entry.path, entry.oid, cached[key])
                else:
                    fresh.append(entry)
        if fresh:
            yield from self._analyzed(fresh)

    def _analyzed(self, entries: Sequence[FileEntry]) -> Iterator[ReadFile]:
        from repoqa.index.analysis import analyzed

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
            yield ReadFile(entry.path, entry.oid, postings)
        self.store.add(batch)
        self.progress.finish()


def _lasts(problem: str) -> bool:
    """Whether a file is to be cached: what a broken installation gave is tried again."""
    return not problem.startswith(NO_GRAMMAR)


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
