"""Opens the submodules that are checked out in a working tree."""

from repoqa.errors import RepositoryError
from repoqa.repository.disk import LinkedFolders
from repoqa.repository.listing import BEHIND_SYMLINK, NOT_CHECKED_OUT
from repoqa.repository.plumbing import Git, open_git


def open_submodule(outer: Git, path: str) -> Git | str:
    """The repository checked out at `path` of another one, or why there is none to read."""
    location = outer.root / path
    if outer.bare:
        return NOT_CHECKED_OUT
    if LinkedFolders(f"{outer.root}/").lead_to(f"{path}/"):
        return BEHIND_SYMLINK
    try:
        # Without a repository of its own, git would find the outer one again.
        git = open_git(location, upward=False) if (location / ".git").exists() else None
    except OSError as error:
        return str(error.strerror).lower()
    except RepositoryError as error:
        return error.message
    return NOT_CHECKED_OUT if git is None or git.bare else git
