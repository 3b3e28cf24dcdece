"""Two states of a repository side by side: which files differ, and the diff between them.

The states are named as `git diff` takes them: (old, new), (old,) for the working tree, ("--cached",
old) for what is staged. Nothing that the repository's own settings name is run.
"""

import os
import re
from collections.abc import Collection
from dataclasses import dataclass

from repoqa.errors import RepositoryError
from repoqa.repository.diff import FORM, LARGEST_DIFF_BYTES, LONGEST_SECONDS, SETTINGS
from repoqa.repository.plumbing import Git, succeeded

Ends = tuple[str, ...]
# A path has at most 4,096 bytes: this lists some 100,000 files.
LARGEST_LISTING_BYTES = 64 * 1024 * 1024
# Paths named on a command line, which has 2 MB on Linux and 32 kB on Windows.
MOST_LEFT_OUT = 200
SECTION = re.compile(r"^diff --git ", re.MULTILINE)
SYMLINK_MODE, SUBMODULE_MODE = "120000", "160000"


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that differs. A path is "" where the file is not on that side; an id is "" there, and
    where git has not worked it out (a file of the working tree)."""

    old_path: str
    new_path: str
    old_oid: str
    new_oid: str
    old_mode: str
    new_mode: str

    @property
    def path(self) -> str:
        """Where it is, or was."""
        return self.new_path or self.old_path

    @property
    def why_unread(self) -> str:
        """Why it is no file of text on both sides, in words for the user; "" where it is."""
        modes = (self.old_mode, self.new_mode)
        if SUBMODULE_MODE in modes:
            return "a submodule: only its commit is pushed here"
        return "a symbolic link" if SYMLINK_MODE in modes else ""


def empty_tree(git: Git) -> str:
    """The id of the tree without files."""
    return git.run("hash-object", "-t", "tree", os.devnull).decode().strip()


def changed_files(git: Git, ends: Ends) -> tuple[ChangedFile, ...]:
    """The files that differ, sorted by path, renames found. Raises RepositoryError."""
    form = ("--raw", "-z", "--no-abbrev", "--find-renames", "--ignore-submodules=dirty")
    output, is_whole = _diff(git, (*form, *ends, "--"), limit=LARGEST_LISTING_BYTES)
    if not is_whole:
        raise RepositoryError(
            f"git took over {LONGEST_SECONDS:.0f} s to compare the two sides",
            remedy="Review less at once: name a shorter range.",
        )
    return tuple(sorted(_parsed(os.fsdecode(output)), key=lambda file: file.path))


def patch_text(git: Git, ends: Ends, *, without: Collection[str]) -> tuple[str, bool]:
    """The diff, deleted files without their content, and whether that is all of it.

    At most `MOST_LEFT_OUT` of the paths in `without` are left out. What is cut ends with a whole
    file.
    """
    left_out = [f":(top,exclude,literal){path}" for path in sorted(without)[:MOST_LEFT_OUT]]
    form = (*FORM, "--irreversible-delete", *ends, "--", *left_out)
    output, is_whole = _diff(git, form, limit=LARGEST_DIFF_BYTES)
    text = output.decode("utf-8", "surrogateescape")
    if is_whole:
        return text, True
    starts = [match.start() for match in SECTION.finditer(text)]
    return text[: starts[-1] if starts else 0], False


def _diff(git: Git, arguments: Ends, *, limit: int) -> tuple[bytes, bool]:
    settings = {**SETTINGS, **git.without_filters()}
    running = git.start("diff", *arguments, settings=settings)
    finished, is_whole = running.finish_within(seconds=LONGEST_SECONDS, limit=limit)
    return succeeded(finished, git.root).output, is_whole


def _parsed(listing: str) -> list[ChangedFile]:
    """The entries of `--raw -z`; those of unmerged files are left out, being told twice."""
    fields = iter(listing.split("\0"))
    found = []
    for head in fields:
        if not head.startswith(":"):
            continue
        old_mode, new_mode, old_oid, new_oid, status = head[1:].split(" ")
        old_path = new_path = next(fields)
        if status[0] in "RC":
            new_path = next(fields)
        if status[0] == "U":
            continue
        found.append(
            ChangedFile(
                old_path="" if status[0] in "AC" else old_path,
                new_path="" if status[0] == "D" else new_path,
                old_oid=old_oid if old_oid.strip("0") else "",
                new_oid=new_oid if new_oid.strip("0") else "",
                old_mode=old_mode,
                new_mode=new_mode,
            )
        )
    return found
