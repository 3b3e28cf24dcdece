"""Opens a repository at a revision, or as it lies in the working tree, for reading."""

from functools import partial
from pathlib import Path
from typing import Protocol

from repoqa.errors import RepositoryError
from repoqa.records import Snapshot
from repoqa.repository.listing import Found
from repoqa.repository.plumbing import Git, open_git
from repoqa.repository.revision import list_revision, resolve
from repoqa.repository.tracked import KeptAt
from repoqa.repository.walk import OBJECT_FORMAT, walk
from repoqa.repository.worktree import start_listing


class Opening(Protocol):
    """A repository that is being opened."""

    def __call__(self, *, kept_at: KeptAt | None = None) -> Snapshot:
        """Wait for git and give the snapshot. `kept_at` tells where the copies of git's indexes are
        kept; without it none are used. Raises RepositoryError."""


def open_snapshot(
    start: Path,
    *,
    revision: str | None = None,
    plain: bool = False,
    kept_at: KeptAt | None = None,
) -> Snapshot:
    """Open the repository at `start` or the nearest one above it.

    `revision` is any name git knows for a commit or tree; the snapshot carries its full id. None
    reads the working tree: uncommitted and untracked files are in, ignored ones are not. `plain`
    says that the user named `start`, which then may be a folder outside git. `kept_at` is told of
    at `Opening`.

    Raises RepositoryError where there is nothing to read, with what to do about it.
    """
    return start_opening(start, revision=revision, plain=plain)(kept_at=kept_at)


def start_opening(start: Path, *, revision: str | None = None, plain: bool = False) -> Opening:
    """Open the repository likewise, and have git begin to look through its working tree: meanwhile
    the caller can do other work. What is returned waits for git.

    Both raise RepositoryError.
    """
    if not start.is_dir():
        raise RepositoryError(
            f"{start} is not a folder" if start.exists() else f"there is no folder {start}",
            remedy="Name the folder of a repository: --repo DIR",
        )
    try:
        root = start.resolve()
    except FileNotFoundError as error:
        raise RepositoryError(
            "the current folder is gone", remedy="cd into one that exists, or name one: --repo DIR"
        ) from error
    git = open_git(root)
    if git is not None:
        return _start_repository(git, revision)
    if revision is not None:
        raise RepositoryError(
            f"{root} is not in a git repository, so it has no revision {revision!r}",
            remedy="Leave the revision away to read the files as they are.",
        )
    if not plain:
        raise RepositoryError(
            f"no git repository at or above {root}",
            remedy="cd into one, or name any folder to read: --repo DIR",
        )
    return lambda *, kept_at=None: _snapshot(root, walk(root), object_format=OBJECT_FORMAT)


def read_file(snapshot: Snapshot, path: str) -> bytes | None:
    """The bytes of the file at `path`; None where the snapshot has none."""
    wanted = [entry for entry in snapshot.files if entry.path == path]
    return next((content for _, content in snapshot.source.read(wanted)), None)


def _start_repository(git: Git, revision: str | None) -> Opening:
    notes = []
    if revision is None and git.bare:
        notes.append(f"{git.root.name} has no working tree: reading HEAD")
        revision = "HEAD"
    if revision is None:
        listed = start_listing(git)
    else:
        revision = resolve(git, revision)
        listed = partial(_revision_listed, git, revision)
    return lambda *, kept_at=None: _snapshot(
        git.root,
        listed(kept_at),
        object_format=git.object_format,
        revision=revision,
        notes=tuple(notes),
    )


def _revision_listed(git: Git, revision: str, _kept_at: KeptAt | None) -> Found:
    return list_revision(git, revision)


def _snapshot(
    root: Path,
    found: Found,
    *,
    object_format: str,
    revision: str | None = None,
    notes: tuple[str, ...] = (),
) -> Snapshot:
    if not found.files:
        raise _nothing(root, found)
    return Snapshot(
        root=root,
        name=_name(root),
        revision=revision,
        object_format=object_format,
        files=found.files,
        skipped=found.skipped,
        source=found.source,
        notes=notes,
    )


def _name(root: Path) -> str:
    """The folder's name; of `project.git` and `project/.git`, `project`."""
    own = root.name.removesuffix(".git")
    return own or root.parent.name or str(root)


def _nothing(root: Path, found: Found) -> RepositoryError:
    if not found.skipped:
        return RepositoryError(
            f"nothing to read in {root}: it has no files",
            remedy="Add files, or name another folder: --repo DIR",
        )
    first = found.skipped[0]
    others = f" and {len(found.skipped) - 1} more" if len(found.skipped) > 1 else ""
    return RepositoryError(
        f"nothing to read in {root}: {first.path!r} is left out ({first.why}){others}",
        remedy="Add files that can be read, or name another folder: --repo DIR",
    )
