"""Building a repository's index without asking anything."""

import os
import time
from dataclasses import dataclass

from repoqa.errors import RepositoryError
from repoqa.index.build import build
from repoqa.index.index import Index
from repoqa.index.places import index_directory
from repoqa.index.store import Store
from repoqa.protocols import Progress
from repoqa.records import Snapshot
from repoqa.repository.narrow import without_ignored
from repoqa.repository.snapshot import read_file
from repoqa.settings import REPOSITORY_FILE, read_settings


@dataclass(frozen=True, slots=True)
class Built:
    """An index, and how many seconds it took to build."""

    index: Index
    seconds: float


def build_index(snapshot: Snapshot, *, progress: Progress) -> Built:
    """The index that questions about the snapshot will use, kept in the user's cache."""
    began = time.perf_counter()
    settings = read_settings(
        environment=os.environ, flags={}, repository_file=read_file(snapshot, REPOSITORY_FILE)
    )
    files = without_ignored(snapshot, settings.ignore)
    if not files.files:
        raise RepositoryError(
            f"the setting `ignore` leaves none of the {len(snapshot.files):,} files",
            remedy="Take patterns away: `repoqa doctor --settings` shows where it is set.",
        )
    store = Store(index_directory(settings.cache_dir), limit=settings.cache_limit)
    index = build(files, store, progress=progress)
    store.close()
    return Built(index, time.perf_counter() - began)
