"""What the cache holds, and for which repositories; and emptying it."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from repoqa.errors import JobError
from repoqa.index.places import (
    LISTINGS,
    PLACES,
    SEGMENTS,
    Place,
    segment_directory,
    size_of,
    size_of_place,
    used_places,
)
from repoqa.index.segment import listed_files
from repoqa.index.store import DATABASES, Store, database_path
from repoqa.repository.tracked import UNFINISHED


@dataclass(frozen=True, slots=True)
class CachedPlace:
    """The index of one working tree or revision. `size` is in bytes and counts what several
    places share for each of them; `used` is in seconds since 1970."""

    place: Place
    files: int
    size: int
    used: float


@dataclass(frozen=True, slots=True)
class Inventory:
    """The whole cache. `size` is what it takes on disk, in bytes; `records` counts the different
    files that it knows; `places` are sorted by their last use, the latest first."""

    directory: Path
    size: int
    records: int
    places: tuple[CachedPlace, ...]


def inventory(directory: Path) -> Inventory:
    """What is in the cache's index directory; nothing is made where there is none yet.

    Raises JobError where it is closed to the user.
    """
    sizes: dict[str, int] = {}
    if _has_records(directory):
        store = Store(directory)
        sizes = {key: size for key, _, size in store.catalogue()}
        store.close()
    places = sorted(_cached(directory, sizes), key=lambda cached: (-cached.used, cached.place))
    return Inventory(directory, size_of(directory), len(sizes), tuple(places))


def clear(directory: Path) -> int:
    """Empty the cache and return how many bytes that freed.

    Only what repoqa keeps there is removed, whatever folder the user has named. A question that
    runs meanwhile goes on without a cache. Raises JobError where something cannot be removed.
    """
    before = size_of(directory)
    try:
        for name in (SEGMENTS, LISTINGS, PLACES):
            _remove_folder(directory / name)
        for path in sorted(directory.glob(DATABASES)):
            path.unlink(missing_ok=True)
    except OSError as error:
        raise JobError(
            f"the index in {directory} cannot be removed: {error.strerror or error}",
            remedy=f"Make it writable, or remove the folder yourself: {directory}",
        ) from error
    return before - size_of(directory)


def _has_records(directory: Path) -> bool:
    try:
        return database_path(directory).exists()
    except OSError as error:
        raise JobError(
            f"the index in {directory} cannot be read: {error.strerror or error}",
            remedy=f"Make it readable, or remove the folder yourself: {directory}",
        ) from error


def _cached(directory: Path, sizes: dict[str, int]) -> Iterator[CachedPlace]:
    for place, used in used_places(directory):
        files = listed_files(segment_directory(directory, place))
        if files:
            records = sum(sizes.get(key, 0) for key in set(files.keys))
            yield CachedPlace(
                place, len(files), size_of_place(directory, place.name) + records, used
            )


def _remove_folder(folder: Path) -> None:
    """Remove a folder at once for whoever reads it, though not for the disk."""
    if folder.is_dir():
        work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=UNFINISHED))
        folder.rename(work / folder.name)
        shutil.rmtree(work)
