"""Opens a repository at a revision, or as it lies in the working tree, for reading."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from repoqa.errors import RepositoryError
from repoqa.records import FileEntry, Snapshot
from repoqa.repository.listing import PATH, Found
from repoqa.repository.plumbing import Git, open_git
from repoqa.repository.revision import list_revision, resolve
from repoqa.repository.tracked import KeptAt
from repoqa.repository.walk import OBJECT_FORMAT, walk
from repoqa.repository.worktree import start_listing


@dataclass(frozen=True, slots=True)
class Opening:
    """A repository that is being opened; `listed` waits for its files."""

    root: Path
    listed: Callable[[KeptAt | None], Found] = field(repr=False)
    object_format: str
    revision: str | None = None
    notes: tuple[str, ...] = ()

    def finish(self, *, kept_at: KeptAt | None = None) -> Snapshot:
        """Wait for git and give the snapshot. `kept_at` tells where the copies of git's indexes are
        kept; without it none are used. Raises RepositoryError."""
        found = self.listed(kept_at)
        if not found.files:
            raise _nothing(self.root, found)
        return Snapshot(
            root=self.root,
            name=_name(self.root),
            revision=self.revision,
            object_format=self.object_format,
            files=found.files,
            skipped=found.skipped,
            source=found.source,
            notes=self.notes,
        )


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
    says that the user named `start`, which then may be a folder outside git. `kept_at` is that of
    `Opening.finish`.

    Raises RepositoryError where there is nothing to read, with what to do about it.
    """
    return start_opening(start, revision=revision, plain=plain).finish(kept_at=kept_at)


def start_opening(start: Path, *, revision: str | None = None, plain: bool = False) -> Opening:
    """Open the repository likewise, and have git begin to look through its working tree: meanwhile
    the caller can do other work. Raises RepositoryError."""
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
    return Opening(root, lambda _: walk(root), OBJECT_FORMAT)


def entry_at(snapshot: Snapshot, path: str) -> FileEntry | None:
    """The file at `path`; None where the snapshot has none."""
    place = bisect_left(snapshot.files, path, key=PATH)
    found = snapshot.files[place : place + 1]
    return found[0] if found and found[0].path == path else None


def read_file(snapshot: Snapshot, path: str) -> bytes | None:
    """The bytes of the file at `path`; None where the snapshot has none."""
    entry = entry_at(snapshot, path)
    return next((content for _, content in snapshot.source.read([entry] if entry else [])), None)


def _start_repository(git: Git, revision: str | None) -> Opening:
    notes = []
    if revision is None and git.bare:
        notes.append(f"{git.root.name} has no working tree: reading HEAD")
        revision = "HEAD"
    if revision is None:
        return Opening(git.root, start_listing(git), git.object_format)
    resolved = resolve(git, revision)
    return Opening(
        git.root,
        lambda _: list_revision(git, resolved),
        git.object_format,
        revision=resolved,
        notes=tuple(notes),
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
