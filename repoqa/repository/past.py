"""Past commits one by one: what each changed, and files as they were before it.

Nothing is fetched: what a shallow or partial clone lacks is not there.
"""

from pathlib import Path

from repoqa.errors import RepositoryError
from repoqa.repository.diff import FORM, SETTINGS
from repoqa.repository.plumbing import Git, open_git
from repoqa.repository.revision import resolve

# A fix that people review is far smaller; the larger ones import or generate code.
LARGEST_FIX_BYTES = 1024 * 1024
LONGEST_SECONDS = 20.0


class Past:
    """A repository's past commits. Raises RepositoryError where there is no repository."""

    def __init__(self, root: Path) -> None:
        git = open_git(root)
        if git is None:
            raise RepositoryError(
                f"no git repository at or above {root}, so no history",
                remedy="cd into a repository, or name one: --repo DIR",
            )
        self._git: Git = git

    @property
    def root(self) -> Path:
        """The working tree, or the git directory of a bare repository."""
        return self._git.root

    def head(self) -> str:
        """The id of the commit that is checked out. Raises RepositoryError where there is none."""
        return resolve(self._git, "HEAD")

    def parent(self, commit: str) -> str | None:
        """The commit before; None for a first one, and where a shallow clone is cut."""
        found = self._git.attempt("rev-parse", "--verify", "--quiet", f"{commit}^1^{{commit}}")
        return None if found.status else found.output.decode().strip()

    def diff(self, old: str, new: str) -> str | None:
        """What changed between two commits; None where that is too large, or not all here."""
        running = self._git.start("diff", *FORM, old, new, "--", settings=SETTINGS)
        finished, is_whole = running.finish_within(seconds=LONGEST_SECONDS, limit=LARGEST_FIX_BYTES)
        if finished.status or not is_whole:
            return None
        return finished.output.decode(errors="surrogateescape")

    def content(self, commit: str, path: str) -> bytes | None:
        """The bytes of a file at a commit; None where there are none."""
        found = self._git.attempt("cat-file", "blob", f"{commit}:{path}")
        return None if found.status else found.output
