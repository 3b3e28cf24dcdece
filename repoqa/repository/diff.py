"""Diffs as text: the working tree against HEAD, or one revision against another.

Neither external diffs, text conversions nor filters of the repository's own settings run.
"""

import os
import re
from pathlib import Path

from repoqa.errors import RepositoryError, UsageError
from repoqa.repository.plumbing import Git, open_git, succeeded
from repoqa.repository.revision import resolve

# What a prompt of 100,000 tokens could hold ten times over; a diff beyond it is not read by people
# either.
LARGEST_DIFF_BYTES = 4 * 1024 * 1024
LONGEST_SECONDS = 60.0
# The user's settings for `git diff` change its form; this is the one that is parsed everywhere.
FORM = (
    "--patch",
    "--unified=3",
    "--inter-hunk-context=0",
    "--find-renames",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--submodule=short",
    # Looking into a submodule's working tree would run git under that submodule's settings.
    "--ignore-submodules=dirty",
)
SETTINGS = {
    "core.quotePath": "false",
    "diff.autoRefreshIndex": "false",  # with it, git writes the user's index, whatever it is told
    "diff.suppressBlankEmpty": "false",
}
# What git says of a file whose stat changed and nothing else; every other header has a second line.
UNCHANGED = re.compile(r"^diff --git .*\n(?=diff --git |\Z)", re.MULTILINE)
RANGE = re.compile(r"(?P<old>.*?)(?P<dots>\.{2,3})(?P<new>.*)", re.DOTALL)


def working_tree_diff(root: Path) -> str:
    """What is edited since the last commit, staged or not; untracked files are not in it.

    "" where nothing is. Raises RepositoryError where there is no working tree.
    """
    git = _open(root)
    if git.bare:
        raise RepositoryError(
            f"{git.root} has no working tree to compare", remedy="Name a range: --diff-range A..B"
        )
    if git.attempt("rev-parse", "--verify", "--quiet", "HEAD").status:
        base = git.run("hash-object", "-t", "tree", os.devnull).decode().strip()
    else:
        base = resolve(git, "HEAD")
    return _diff(git, base)


def range_diff(root: Path, range_: str) -> str:
    """What `A..B` changes, from A to B; for `A...B`, from where B left A. A missing end is HEAD.

    Raises UsageError for a text that is no range, RepositoryError for an unknown revision.
    """
    git = _open(root)
    match = RANGE.fullmatch(range_)
    if match is None:
        raise UsageError(
            f"{range_!r} is not a range of revisions", remedy="Write it as A..B or A...B."
        )
    old, new = (resolve(git, match[end] or "HEAD") for end in ("old", "new"))
    if match["dots"] == "...":
        found = git.attempt("merge-base", old, new)
        if found.status:
            raise RepositoryError(
                f"the two ends of {range_!r} have no commit in common",
                remedy="Compare them directly, as A..B.",
            )
        old = found.output.decode().strip()
    return _diff(git, old, new)


def _open(root: Path) -> Git:
    git = open_git(root)
    if git is None:
        raise RepositoryError(
            f"no git repository at or above {root}, so nothing to compare",
            remedy="cd into a repository, or name one: --repo DIR",
        )
    return git


def _diff(git: Git, *ends: str) -> str:
    """The diff, cut after its last whole line where it is over the limits, and saying so."""
    running = git.start("diff", *FORM, *ends, "--", settings={**SETTINGS, **git.without_filters()})
    finished, is_whole = running.finish_within(seconds=LONGEST_SECONDS, limit=LARGEST_DIFF_BYTES)
    text = UNCHANGED.sub("", succeeded(finished, git.root).output.decode(errors="replace"))
    if is_whole:
        return text
    kept = text[: text.rfind("\n") + 1]
    return f"{kept}# The diff goes on; only its first {len(kept)} characters are here.\n"
