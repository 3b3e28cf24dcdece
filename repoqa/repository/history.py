"""Reads past commits: what was said, and which files were touched. Nothing is fetched."""

import os
from collections.abc import Iterator
from pathlib import Path

from repoqa.errors import RepositoryError
from repoqa.records import Commit
from repoqa.repository.plumbing import Git, open_git
from repoqa.repository.revision import resolve

# About 100,000 commits of the Linux kernel's size; nothing reads more.
LARGEST_LOG_BYTES = 128 * 1024 * 1024
# Every field ends with NUL, which neither messages nor paths can hold; so do git's own paths.
FORMAT = "--format=tformat:%x00%H%x00%ct%x00%B%x00"
EMPTY_FILTERS = ("blob:none", "blob:limit")


def commits(root: Path, revision: str, *, limit: int, seconds: float) -> tuple[Commit, ...]:
    """The newest `limit` commits up to `revision`, newest first, without merges.

    Stops after `seconds` with what was read by then. Paths are left out where looking for them
    would fetch (a clone without folders) or mislead (where a shallow clone's history is cut).
    Raises RepositoryError for an unknown revision.
    """
    git = open_git(root)
    if git is None:
        raise RepositoryError(
            f"no git repository at or above {root}, so no history",
            remedy="cd into a repository, or name one: --repo DIR",
        )
    command = ["log", "-z", "--no-merges", f"--max-count={limit}", FORMAT, "--encoding=UTF-8"]
    settings = {"log.showRoot": "true"}
    if all(name.startswith(EMPTY_FILTERS) for name in git.promisor_filters):
        # Finding renames would read files' contents.
        command += ["--name-only", "--no-renames", "--no-ext-diff", "--no-textconv"]
    running = git.start(*command, resolve(git, revision), "--", settings=settings)
    finished, is_whole = running.finish_within(seconds=seconds, limit=LARGEST_LOG_BYTES)
    cut = _cut(git)
    parsed = tuple(parse_log(finished.output, is_whole=is_whole and finished.status == 0))
    return tuple(
        Commit(commit.oid, commit.time, commit.message, ()) if commit.oid in cut else commit
        for commit in parsed
    )


def _cut(git: Git) -> frozenset[str]:
    """The commits whose parents a shallow clone left out: they seem to add every file."""
    try:
        return frozenset((git.common_dir / "shallow").read_text().split())
    except OSError:
        return frozenset()


def parse_log(output: bytes, *, is_whole: bool) -> Iterator[Commit]:
    """The commits of a log; the last one is left out where the log was cut inside it."""
    # "", id, time, message, "", then "\n" and the paths, or the next commit's "".
    fields = output.split(b"\0")
    position = 0
    while position + 4 < len(fields):
        oid, time, message = fields[position + 1 : position + 4]
        position += 5
        first = position
        while position < len(fields) and fields[position]:
            position += 1
        if position >= len(fields) - 1 and not is_whole:
            return
        paths = [os.fsdecode(path) for path in fields[first:position]]
        if paths:
            paths[0] = paths[0].removeprefix("\n")
        text = message.decode(errors="replace").strip()
        yield Commit(oid.decode(), int(time), text, tuple(paths))
