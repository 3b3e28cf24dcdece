"""Lists a working tree: what git's index knows, what is untracked, and what was edited since.

An id of the index is trusted only where the file's stat is the one that git noted; everything else
is hashed as it lies on disk. Git is never asked to compare: that would run the repository's
filters.
"""

import os
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from repoqa.errors import RepositoryError
from repoqa.records import FileEntry, SkippedFile
from repoqa.repository.disk import (
    ABSENT,
    SYMLINK,
    Disk,
    hash_file,
    read_file,
    too_large,
    why_unread,
)
from repoqa.repository.ignore import IGNORE_FILE
from repoqa.repository.listing import (
    BEHIND_SYMLINK,
    NOT_CHECKED_OUT,
    OTHER_REPOSITORY,
    OUTSIDE_SPARSE,
    Found,
    Listing,
    found,
)
from repoqa.repository.plumbing import Git, open_git, succeeded

# How the modes of the index begin.
FILE, GITLINK, FOLDER = "100", "160", "040"
SKIP_WORKTREE = 0x40000000
NANOSECONDS = 10**9
# Two writes within one tick of the kernel's clock (10 ms at 100 Hz) leave the same time on a file,
# so a file no older than that than the index may have changed after git looked at it.
CLOCK_TICK = 10_000_000
# mode, id, stage, path, ctime (seconds, nanoseconds), mtime (likewise), size, flags
IndexEntry = tuple[str, str, str, str, str, str, str, str, str, str]
INDEX_ENTRY = re.compile(
    r"(\d{6}) ([0-9a-f]+) (\d)\t([^\0]*)\0"
    r"  ctime: (\d+):(\d+)\n"
    r"  mtime: (\d+):(\d+)\n"
    r"  dev: \d+\tino: \d+\n"
    r"  uid: \d+\tgid: \d+\n"
    r"  size: (\d+)\tflags: ([0-9a-f]+)\n"
)
PLAIN_ENTRY = re.compile(r"(\d{6}) ([0-9a-f]+) (\d)\t([^\0]*)\0")
NO_STAT = ("0",) * 6
UNREADABLE_FOLDER = re.compile(r"warning: could not open directory '(.*?)/?': (.*)")


@dataclass(frozen=True, slots=True)
class Part:
    """One repository of a working tree: the outer one (prefix "") or a submodule ("path/")."""

    prefix: str
    git: Git

    @property
    def folder(self) -> str:
        """Where it lies on disk, with the closing slash."""
        return f"{self.git.root}/"


def list_working_tree(git: Git) -> Found:
    """List the working tree, with its checked-out submodules, and make its reader."""
    listing = Listing()
    own: set[str] = set()
    waiting = [Part("", git)]
    stored: list[tuple[str, Git | None]] = []
    while waiting:
        part = waiting.pop()
        # A blob that a partial clone lacks would be fetched by asking for it.
        stored.append((part.prefix, None if part.git.promisor_filters else part.git))
        waiting += _list_part(part, listing, own=own)
    stored.sort(key=lambda home: len(home[0]), reverse=True)
    return found(listing, Disk(os.fsencode(git.root), frozenset(own), tuple(stored)))


def _list_part(part: Part, listing: Listing, *, own: set[str]) -> list[Part]:
    """Add one repository's files, and to `own` those that only the disk has as they are.

    Returns its checked-out submodules.
    """
    git = part.git
    untracked_listing = git.start("ls-files", "--others", "--exclude-standard", "-z")
    index_time = _modified(git.git_dir / "index")
    indexed: Sequence[IndexEntry] = _read_index(git)
    finished = succeeded(untracked_listing.finish(), git.root)
    for folder, reason in UNREADABLE_FOLDER.findall(finished.errors):
        listing.skip(f"{part.prefix}{folder}/", reason.lower())
    untracked: Sequence[str] = os.fsdecode(finished.output).split("\0")[:-1]
    _add_rules(part, listing, chain((entry[3] for entry in indexed), untracked))
    if listing.rules:
        ignores = listing.rules.ignores
        indexed = [entry for entry in indexed if not ignores(part.prefix + entry[3])]
        untracked = [path for path in untracked if not ignores(part.prefix + path)]
    submodules, edited = _add_indexed(part, listing, indexed, index_time=index_time)
    for path in chain(edited, untracked):
        name = part.prefix + path
        if path.endswith("/"):
            listing.skip(name, OTHER_REPOSITORY)
        elif listing.add(hash_file(os.fsencode(part.folder + path), name, git.object_format)):
            own.add(name)
    return submodules


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read_index(git: Git) -> list[IndexEntry]:
    # A sparse index is not unfolded: the trees that takes may be absent from a partial clone.
    sparse = ("--sparse",) if git.settings.get("index.sparse") == "true" else ()
    entries = parse_index(git.run("ls-files", "--stage", "--debug", "-z", *sparse))
    if entries is None:
        entries = parse_plain_index(git.run("ls-files", "--stage", "-z", *sparse))
    return entries


def parse_index(output: bytes) -> list[IndexEntry] | None:
    """Parse `ls-files --stage --debug -z`; None where it isn't the format known here.

    Git does not promise that format, so every entry (each has one NUL) must be understood.
    """
    text = os.fsdecode(output)
    entries: list[IndexEntry] = INDEX_ENTRY.findall(text)
    return entries if len(entries) == text.count("\0") else None


def parse_plain_index(output: bytes) -> list[IndexEntry]:
    """Parse `ls-files --stage -z`, which tells no stat: every file will be hashed."""
    return [(*entry, *NO_STAT) for entry in PLAIN_ENTRY.findall(os.fsdecode(output))]


def _add_rules(part: Part, listing: Listing, paths: Iterable[str]) -> None:
    """Add the `.repoqaignore` files among `paths`, and the root's even where git ignores it."""
    ending = f"/{IGNORE_FILE}"
    for path in sorted({path for path in paths if path.endswith(ending)} | {IGNORE_FILE}):
        try:
            content = read_file(os.fsencode(part.folder + path))
        except OSError:
            continue
        listing.rules.add((part.prefix + path).rpartition("/")[0], [content])


def _add_indexed(
    part: Part, listing: Listing, indexed: Iterable[IndexEntry], *, index_time: int
) -> tuple[list[Part], list[str]]:
    """Add the files that are as the index knows them. Return submodules and edited paths."""
    folder, prefix = part.folder, part.prefix
    links = LinkedFolders(folder)
    submodules: list[Part] = []
    edited: list[str] = []
    seen = ""
    for entry in indexed:
        mode, path = entry[0], entry[3]
        if path == seen:  # the stages of an unmerged file follow one another
            continue
        seen = path
        if links.lead_to(path):
            listing.skip(prefix + path, BEHIND_SYMLINK)
        elif mode.startswith(GITLINK):
            submodules += _open_submodule(part, listing, path)
        elif not mode.startswith(FILE):
            listing.skip(prefix + path, OUTSIDE_SPARSE if mode.startswith(FOLDER) else SYMLINK)
        elif file := _unmodified(
            entry, folder + path, name=prefix + path, certain_before=index_time - CLOCK_TICK
        ):
            listing.add(file)
        else:
            edited.append(path)
    return submodules, edited


def _unmodified(
    entry: IndexEntry, location: str, *, name: str, certain_before: int
) -> FileEntry | SkippedFile | None:
    """The file by its id in the index, or why it is left out; None where it must be hashed."""
    _, oid, _, _, changed, changed_rest, modified, modified_rest, size, flags = entry
    try:
        status = os.lstat(location)
    except OSError as error:
        is_outside = int(flags, 16) & SKIP_WORKTREE and error.errno in ABSENT
        return SkippedFile(name, OUTSIDE_SPARSE if is_outside else why_unread(error))
    time = int(modified) * NANOSECONDS + int(modified_rest)
    if (
        status.st_mtime_ns == time < certain_before
        and status.st_ctime_ns == int(changed) * NANOSECONDS + int(changed_rest)
        and status.st_size == int(size)
        and stat.S_ISREG(status.st_mode)
    ):
        why = too_large(status.st_size)
        return SkippedFile(name, why) if why else FileEntry(name, oid, status.st_size)
    return None


def _open_submodule(part: Part, listing: Listing, path: str) -> list[Part]:
    name = part.prefix + path
    location = Path(part.folder + path)
    try:
        # Without a repository of its own, git would find the outer one again.
        git = open_git(location, upward=False) if (location / ".git").exists() else None
    except (RepositoryError, OSError) as error:
        listing.skip(name, str(error).partition("\n")[0])
        return []
    if git is None or git.bare:
        listing.skip(name, NOT_CHECKED_OUT)
        return []
    return [Part(f"{name}/", git)]


class LinkedFolders:
    """Knows which folders of a tree are reached over a symbolic link, looking at each once."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._linked = {"": False}

    def lead_to(self, path: str) -> bool:
        """Whether a folder above `path` is a symbolic link: what is there is not git's."""
        folder = path.rpartition("/")[0]
        chain_down = []
        while folder not in self._linked:
            chain_down.append(folder)
            folder = folder.rpartition("/")[0]
        linked = self._linked[folder]
        for name in reversed(chain_down):
            linked = linked or Path(self._root + name).is_symlink()
            self._linked[name] = linked
        return linked
