"""The git that is installed here."""

from repoqa.repository.running import no_git, start_git


def git_version() -> str:
    """Its version, as it tells it: `2.39.5`. Raises RepositoryError where there is no git."""
    try:
        from git import Git as Commands
    except ImportError as error:  # GitPython's way to say that git does not run
        raise no_git() from error
    said = start_git(Commands(), ("version",)).finish().output.decode(errors="replace")
    return said.strip().removeprefix("git version ")
