"""Where git looks for a repository's hooks: its own folder, or the one core.hooksPath names."""

import os
from dataclasses import dataclass
from pathlib import Path

from repoqa.repository.plumbing import Git

# How git says that a setting came from the command line, where the protection's own is.
COMMAND_SCOPE = "command"


@dataclass(frozen=True, slots=True)
class HookFolder:
    """A folder of hooks. `scope` is where core.hooksPath is set (`local`, `global`, `system`,
    `worktree`), "" where it is not. `is_in_tree`: it lies among the repository's own files."""

    path: Path
    scope: str
    is_in_tree: bool


def hook_folder(git: Git) -> HookFolder:
    """The folder of a repository's hooks, whether it exists or not."""
    form = ("--show-scope", "-z", "--type=path", "--get-all", "core.hooksPath")
    told = os.fsdecode(git.attempt("config", *form).output).split("\0")
    values = [
        (scope, value)
        for scope, value in zip(told[::2], told[1::2], strict=False)
        if scope != COMMAND_SCOPE
    ]
    if not values:
        return HookFolder(git.common_dir / "hooks", "", is_in_tree=False)
    scope, value = values[-1]
    path = Path(os.path.normpath(git.root / value))
    in_git = path.is_relative_to(git.common_dir) or path.is_relative_to(git.git_dir)
    in_tree = not git.bare and path.is_relative_to(git.root) and not in_git
    return HookFolder(path, scope, is_in_tree=in_tree)
