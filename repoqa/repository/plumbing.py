"""Finds and opens a git repository, and gives it its commands.

Nothing here knows what the commands mean.
"""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from repoqa.errors import RepositoryError
from repoqa.repository.running import Finished, Running, no_git, start_git, without_inherited

if TYPE_CHECKING:
    from git.cmd import Git as Commands

NO = ("", "false", "no", "off", "0")
NO_FILTER = {"clean": "", "smudge": "", "process": "", "required": "false"}


@dataclass(frozen=True, slots=True)
class Git:
    """A repository on disk. `root` is its working tree, or the git directory where it is bare.

    `settings` are git's, keys in lower case as git prints them, the last value of each.
    """

    root: Path
    git_dir: Path
    common_dir: Path
    settings: Mapping[str, str]
    commands: "Commands"

    @property
    def bare(self) -> bool:
        """Whether there is no working tree to read."""
        return self.root == self.git_dir

    @property
    def object_format(self) -> str:
        """`sha1` or `sha256`."""
        return self.settings.get("extensions.objectformat", "sha1")

    def enables(self, key: str) -> bool:
        """Whether a yes-or-no setting says yes."""
        return self.settings.get(key, "").lower() not in NO

    @property
    def promisor_filters(self) -> tuple[str, ...]:
        """The object filters of a partial clone's remotes; empty for a whole clone."""
        return tuple(
            self.settings.get(f"{key.removesuffix('.promisor')}.partialclonefilter", "")
            for key in sorted(self.settings)
            if key.startswith("remote.") and key.endswith(".promisor") and self.enables(key)
        ) or tuple("" for key in self.settings if key == "extensions.partialclone")

    def without_filters(self) -> dict[str, str]:
        """Settings that empty every filter: comparing files with their blobs would run them."""
        names = {key.rpartition(".")[0] for key in self.settings if key.startswith("filter.")}
        return {
            f"{name}.{key}": value for name in sorted(names) for key, value in NO_FILTER.items()
        }

    def start(
        self, *arguments: str, settings: Mapping[str, str] | None = None, pipe: bool = False
    ) -> Running:
        """Start `git arguments`, with a pipe to its standard input where `pipe` says so."""
        own = {"GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.root)}
        command = ("-C", str(self.root), *arguments)
        return start_git(self.commands, command, settings=settings, pipe=pipe, environment=own)

    def attempt(self, *arguments: str, stdin: bytes | None = None) -> Finished:
        """Run `git arguments` to its end; the caller looks at the status."""
        return self.start(*arguments, pipe=stdin is not None).finish(stdin)

    def run(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        """Run `git arguments` and return its output. Raises RepositoryError where git fails."""
        return succeeded(self.attempt(*arguments, stdin=stdin), self.root).output


def succeeded(finished: Finished, root: Path) -> Finished:
    """The same, or RepositoryError with git's own words where its status is not 0."""
    if finished.status == 0:
        return finished
    folder = shlex.quote(str(root))
    raise RepositoryError(
        f"git cannot read {root}: {_complaint(finished)}",
        remedy=f"Look at what `git -C {folder} status` and `git -C {folder} fsck` say.",
    )


def _complaint(finished: Finished) -> str:
    """The line of git's that says why it ended."""
    lines = [line for line in finished.errors.splitlines() if line.strip()] or ["git failed"]
    said = next((line for line in lines if line.startswith("fatal: ")), lines[-1])
    return said.removeprefix("fatal: ").strip()


def open_git(start: Path, *, upward: bool = True) -> Git | None:
    """Open the repository at `start` or, `upward`, the nearest one above; None without one.

    Raises RepositoryError where git is not installed or refuses the repository.
    """
    with without_inherited():
        found = _find(start, upward=upward)
    if found is None:
        return None
    root, git_dir, common_dir, commands = found
    # The only command that git itself finds the repository for: it checks who owns it.
    located = start_git(commands, ("-C", str(root), "rev-parse", "--absolute-git-dir")).finish()
    if located.status:
        raise _refusal(located, root)
    if not Path(os.fsdecode(located.output.removesuffix(b"\n"))).samefile(git_dir):
        raise RepositoryError(
            f"git does not take {git_dir} for a repository",
            remedy=f"Look at what `git -C {shlex.quote(str(root))} status` says.",
        )
    git = Git(root, git_dir, common_dir, settings={}, commands=commands)
    return replace(git, settings=_settings(git))


def _find(start: Path, *, upward: bool) -> tuple[Path, Path, Path, "Commands"] | None:
    """The working tree (or git directory), git directory and common directory at `start`."""
    try:
        from git import InvalidGitRepositoryError, NoSuchPathError, Repo
        from git.cmd import Git as Commands
    except ImportError as error:
        raise no_git() from error
    import configparser

    path = os.path.realpath(start)
    try:
        with Repo(path, search_parent_directories=upward, expand_vars=False) as repository:
            git_dir = Path(os.path.realpath(repository.git_dir))
            common_dir = Path(os.path.realpath(repository.common_dir))
            tree = None if repository.bare else repository.working_tree_dir
    except (InvalidGitRepositoryError, NoSuchPathError):
        return None
    except (configparser.Error, UnicodeError) as error:
        raise RepositoryError(
            f"the git settings of {path} cannot be read: {str(error).splitlines()[0]}",
            remedy=f"Look at what `git -C {shlex.quote(path)} config --list` says.",
        ) from error
    root = git_dir if tree is None else Path(os.path.realpath(git_dir / tree))
    if tree is not None and not _belongs(root, git_dir):
        root = git_dir
    # Without a folder of its own: GitPython would expand `$NAME` in that. Commands get -C instead.
    return root, git_dir, common_dir, Commands()


def _belongs(root: Path, git_dir: Path) -> bool:
    """Whether `root` itself names `git_dir` as its repository.

    A `core.worktree` setting that points elsewhere would hand us files that are none of the
    repository's, so the folder has to point back.
    """
    link = root / ".git"
    if link.is_dir():
        return link.samefile(git_dir)
    try:
        target = os.fsdecode(link.read_bytes().removeprefix(b"gitdir: ").rstrip(b"\r\n"))
    except OSError:
        return False
    return Path(os.path.realpath(root / target)) == git_dir


def _refusal(located: Finished, root: Path) -> RepositoryError:
    """What git said when it would not open the repository, with the command that mends it."""
    remedy = re.search(r"git config --global --add safe\.directory .*", located.errors)
    if "dubious ownership" in located.errors or "unsafe repository" in located.errors:
        command = (
            remedy[0]
            if remedy
            else f"git config --global --add safe.directory {shlex.quote(str(root))}"
        )
        return RepositoryError(
            f"git refuses to read {root}: it belongs to another user",
            remedy=f"If you trust it: {command}",
        )
    return RepositoryError(
        f"git refuses to read {root}: {_complaint(located)}",
        remedy=f"Look at what `git -C {shlex.quote(str(root))} status` says.",
    )


def _settings(git: Git) -> dict[str, str]:
    listed = os.fsdecode(git.run("config", "--list", "-z")).split("\0")
    pairs = (setting.partition("\n") for setting in listed if setting)
    return {key: value if separator else "true" for key, separator, value in pairs}
