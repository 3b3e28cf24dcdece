"""Keeps the cache below its limit: what was unused longest goes, records and segments alike.

A record counts as used when any place that holds it was. What the running question uses always
stays; a question of another process that loses records parses those files again, and keeps the
segment that it has mapped. Times in the future (a clock that was set back) count as now.
"""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from repoqa.index.places import (
    LISTINGS,
    PLACES,
    SEGMENTS,
    Place,
    listing_of,
    size_of,
    size_of_place,
    used_places,
)
from repoqa.index.segment import listed_files
from repoqa.index.store import DATABASES, Store, database_path
from repoqa.repository.tracked import UNFINISHED

# Below the limit by enough that the next questions need not evict again.
KEPT_SHARE = 0.8
# A folder that is still being written is younger; an older one was left by a process that died.
DEBRIS_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class InUse:
    """What a question uses: its place, and the keys of its records, which are asked for only where
    something has to go: to work them out takes long."""

    place: Place
    keys: Iterable[str]


class _Evictable(NamedTuple):
    """What may go, ordered by when it was used; `is_record` says what `name` is of."""

    used: float
    is_record: bool
    name: str
    size: int


def keep_bounded(store: Store, in_use: InUse) -> None:
    """Evict until the cache is well below the store's limit, or holds only what is in use."""
    directory = store.directory
    if directory is None or store.limit is None or store.problem:
        return
    _remove_debris(directory)
    if size_of(directory) <= store.limit:
        return
    _remove_other_layouts(directory)
    target = int(store.limit * KEPT_SHARE)
    candidates = sorted(_evictables(store, directory, in_use))
    while candidates and (excess := size_of(directory) - target) > 0:
        # A database gives back whole pages alone: what goes is seen only afterwards.
        evicted = _first(candidates, excess)
        del candidates[: len(evicted)]
        for segment in (item.name for item in evicted if not item.is_record):
            remove_place(directory, segment)
        store.remove([item.name for item in evicted if item.is_record])


def remove_place(directory: Path, name: str) -> None:
    """Remove a place with its listing and its segment, which a reader sees whole or not at all."""
    segment = directory / SEGMENTS / name
    with (
        contextlib.suppress(OSError),  # there is none, or another process was faster
        tempfile.TemporaryDirectory(dir=segment.parent, prefix=UNFINISHED) as work,
    ):
        segment.rename(Path(work) / name)
    for file in (listing_of(directory, name), directory / PLACES / name):
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _evictables(store: Store, directory: Path, in_use: InUse) -> Iterator[_Evictable]:
    now = time.time()
    used = {place.name: time_used for place, time_used in used_places(directory)}
    last_use: dict[str, float] = {}
    for name in sorted({*used, *_names(directory / SEGMENTS), *_names(directory / LISTINGS)}):
        when = used.get(name, 0.0)
        for key in listed_files(directory / SEGMENTS / name).keys:
            last_use[key] = max(last_use.get(key, 0.0), when)
        if name != in_use.place.name:
            yield _Evictable(when, False, name, size_of_place(directory, name))
    kept = set(in_use.keys)
    for key, added, size in store.catalogue():
        if key not in kept:
            when = max(min(float(added), now), last_use.get(key, 0.0))
            yield _Evictable(when, True, key, size)


def _names(folder: Path) -> list[str]:
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return []
    return [name for name in names if not name.startswith(".")]


def _first(candidates: list[_Evictable], excess: int) -> list[_Evictable]:
    """As many of the first candidates as are larger than the excess together, at least one."""
    taken = 0
    for number, item in enumerate(candidates, 1):
        taken += item.size
        if taken > excess:
            return candidates[:number]
    return list(candidates)


def _remove_debris(directory: Path) -> None:
    """Remove the folders that processes which died left half written."""
    unfinished = ((directory / name).glob(f"{UNFINISHED}*") for name in (SEGMENTS, LISTINGS))
    for folder in chain.from_iterable(unfinished):
        try:
            age = abs(time.time() - folder.stat().st_mtime)
        except OSError:
            continue
        if age > DEBRIS_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_other_layouts(directory: Path) -> None:
    """Remove the databases of releases whose layout was another."""
    own = database_path(directory).name
    for path in directory.glob(DATABASES):
        if not path.name.startswith(own):
            with contextlib.suppress(OSError):
                path.unlink()
