"""Checks of where repoqa reads and writes: the repository, the cache and the state directory."""

import os
import shutil
import tempfile
from pathlib import Path

from repoqa.checkup.check import Check
from repoqa.errors import RepositoryError
from repoqa.index.places import size_of
from repoqa.records import Snapshot
from repoqa.settings import NOWHERE, log_directory

_MB = 1_000_000
_GB = 1_000_000_000


def repository(snapshot: Snapshot | RepositoryError) -> Check:
    """The repository the user is in, opened already, or why there is none to read."""
    if isinstance(snapshot, RepositoryError):
        is_absent = snapshot.message.startswith("no git repository")
        named = "a question from here has to name its repository"
        cost = named if is_absent else "no question can be asked from here"
        return Check(
            "repository",
            snapshot.message,
            "lacking" if is_absent else "missing",
            cost,
            snapshot.remedy,
        )
    skipped = f", {len(snapshot.skipped)} left out" if snapshot.skipped else ""
    return Check("repository", f"{snapshot.root} ({len(snapshot.files):,} files{skipped})")


def cache(folder: Path) -> Check:
    """Where the index and fetched weights are kept."""
    problem = why_not_writable(folder)
    if problem:
        return Check(
            "cache",
            f"{_named(folder)} cannot be written: {problem}",
            "lacking",
            "every question parses the whole repository again, and no model can be fetched",
            "export REPOQA_CACHE_DIR=DIR, with a folder that can be written",
        )
    sizes = ", ".join(f"{name} {megabytes(size_of(folder / name))}" for name in ("index", "models"))
    free = shutil.disk_usage(_existing(folder)).free / _GB
    return Check("cache", f"{folder} ({sizes}; {free:.1f} GB free)")


def state() -> Check:
    """Where the last answers and logs of unexpected errors are kept."""
    folder = log_directory()
    problem = why_not_writable(folder)
    if not problem:
        return Check("state", str(folder))
    return Check(
        "state",
        f"{_named(folder)} cannot be written: {problem}",
        "lacking",
        "-c has no answer to follow; the log of an unexpected error goes to a temporary folder",
        "export XDG_STATE_HOME=DIR, with a folder that can be written",
    )


def why_not_writable(folder: Path) -> str:
    """Why nothing can be kept in a folder that may not exist yet; "" where something can.

    A file without a name is made and gone again: permissions alone do not tell of read-only and
    full disks.
    """
    try:
        with tempfile.TemporaryFile(dir=_existing(folder)):
            return ""
    except OSError as error:
        return (error.strerror or str(error)).lower()


def megabytes(size: int) -> str:
    """`540 MB`, with a digit after the point where that is not much: `1.2 MB`."""
    return f"{size / _MB:.1f} MB" if size < 10 * _MB else f"{size / _MB:,.0f} MB"


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.parents) if os.path.lexists(path))


def _named(folder: Path) -> str:
    return "there is no home folder, and nowhere" if folder == NOWHERE else str(folder)
