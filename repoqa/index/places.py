"""Whose indexes are in the cache, and when each was last used.

A place is a working tree or a revision. Its file in `places/` is named for a digest of what it
holds, so that damage shows; the time of its last change is when the place was last used. Of the
same name are its segment in `segments/` and, for a working tree, its listing in `listings/`.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from repoqa.records import Snapshot

SEGMENTS = "segments"
PLACES = "places"
LISTINGS = "listings"
DIGEST_BYTES = 12
SEPARATOR = b"\0"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A repository's root, and the revision; "" stands for the working tree."""

    root: str
    revision: str = ""

    @property
    def name(self) -> str:
        """The name of its folder in `segments` and of its files in `places` and `listings`."""
        return blake2b(self.content, digest_size=DIGEST_BYTES).hexdigest()

    @property
    def content(self) -> bytes:
        """What its file holds."""
        return SEPARATOR.join((os.fsencode(self.root), os.fsencode(self.revision)))


def index_directory(cache: Path) -> Path:
    """Where the index is in the cache."""
    return cache / "index"


def place_of(snapshot: Snapshot) -> Place:
    """The place that a snapshot is of."""
    return Place(str(snapshot.root), snapshot.revision or "")


def segment_directory(directory: Path, place: Place) -> Path:
    """Where the segment of a place is, in the cache's index directory."""
    return directory / SEGMENTS / place.name


def listing_of(directory: Path, name: str) -> Path:
    """Where what git's index lists is kept of the place with this name."""
    return directory / LISTINGS / name


def kept_listings(cache: Path) -> Callable[[Path], Path]:
    """Where the listing of the working tree with a given root is kept in the cache."""
    directory = index_directory(cache)
    return lambda root: listing_of(directory, Place(str(root)).name)


def mark_used(directory: Path, place: Place) -> None:
    """Note that a place is used now. Where that fails it only counts as unused for longer."""
    file = directory / PLACES / place.name
    try:
        if file.is_file() and file.read_bytes() == place.content:
            os.utime(file)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(place.content)
    except OSError:
        return


def used_places(directory: Path) -> Iterator[tuple[Place, float]]:
    """Every place with the time of its last use, in seconds since 1970; damaged files are left
    out. A time in the future (the clock was set back since) is now."""
    now = time.time()
    try:
        files = sorted((directory / PLACES).iterdir())
    except OSError:
        return
    for file in files:
        try:
            content, used = file.read_bytes(), min(file.stat().st_mtime, now)
        except OSError:  # gone since it was listed
            continue
        root, _, revision = content.partition(SEPARATOR)
        place = Place(os.fsdecode(root), os.fsdecode(revision))
        if place.name == file.name:
            yield place, used


def size_of_place(directory: Path, name: str) -> int:
    """The bytes of what is kept of one place alone."""
    try:
        listing = listing_of(directory, name).lstat().st_size
    except OSError:
        listing = 0
    return size_of(directory / SEGMENTS / name) + listing


def size_of(folder: Path) -> int:
    """The bytes of the files below a folder; what cannot be read counts as nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).lstat().st_size
            except OSError:  # gone since it was listed
                continue
    return total
