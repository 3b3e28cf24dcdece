"""What the ways of listing a repository have in common: what they found, and what they left out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter

from repoqa.records import BlobSource, FileEntry, SkippedFile
from repoqa.repository.ignore import IgnoreRules

NOT_CHECKED_OUT = "a submodule that is not checked out"
OTHER_REPOSITORY = "a git repository of its own"
OUTSIDE_SPARSE = "outside the sparse checkout"
BEHIND_SYMLINK = "behind a symbolic link"
NOT_FETCHED = "not fetched yet by this partial clone"
MISSING_OBJECT = "missing from the object database"
# What files are sorted by.
PATH: Callable[[FileEntry], str] = attrgetter("path")


@dataclass(slots=True)
class Listing:
    """Files found and left out so far, in any order, and the ignore rules met on the way."""

    files: list[FileEntry] = field(default_factory=list)
    skipped: list[SkippedFile] = field(default_factory=list)
    rules: IgnoreRules = field(default_factory=IgnoreRules)

    def add(self, entry: FileEntry | SkippedFile) -> bool:
        """Take a file in, or note why it is left out; True for a file."""
        if isinstance(entry, SkippedFile):
            self.skipped.append(entry)
            return False
        self.files.append(entry)
        return True

    def skip(self, path: str, why: str) -> None:
        """Leave a file out, and say why."""
        self.skipped.append(SkippedFile(path, why))


@dataclass(frozen=True, slots=True)
class Found:
    """A whole listing, sorted by path, and what reads its files."""

    files: tuple[FileEntry, ...]
    skipped: tuple[SkippedFile, ...]
    source: BlobSource


def found(listing: Listing, source: BlobSource) -> Found:
    """Close a listing."""
    files = sorted(listing.files, key=PATH)
    return Found(tuple(files), tuple(sorted(set(listing.skipped))), source)
