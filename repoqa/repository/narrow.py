"""The part of a snapshot that the user's globs choose, in gitignore's syntax, from the root."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from repoqa.errors import UsageError
from repoqa.records import Snapshot
from repoqa.repository.ignore import IgnoreRules


def narrow(snapshot: Snapshot, *, include: Iterable[str], exclude: Iterable[str]) -> Snapshot:
    """The snapshot with the files that `include` names (none named: all) but not `exclude`.

    Raises UsageError for a glob that is none, and where no file is left.
    """
    included, excluded = _matcher("--include", include), _matcher("--exclude", exclude)
    if included is None and excluded is None:
        return snapshot

    def is_chosen(path: str) -> bool:
        return (included is None or included(path)) and not (excluded and excluded(path))

    files = tuple(entry for entry in snapshot.files if is_chosen(entry.path))
    if not files:
        raise UsageError(
            f"--include and --exclude leave none of the {len(snapshot.files):,} files",
            remedy="Globs are as in .gitignore, from the root: --include 'src/**/*.py'",
        )
    skipped = tuple(left_out for left_out in snapshot.skipped if is_chosen(left_out.path))
    return replace(snapshot, files=files, skipped=skipped)


def without_ignored(snapshot: Snapshot, patterns: Sequence[str]) -> Snapshot:
    """The snapshot without the files that the `ignore` setting names."""
    if not patterns:
        return snapshot
    rules = IgnoreRules({"": [os.fsencode(pattern) for pattern in patterns]})
    files = tuple(entry for entry in snapshot.files if not rules.ignores(entry.path))
    return replace(snapshot, files=files)


def _matcher(option: str, globs: Iterable[str]) -> Callable[[str], bool] | None:
    """Whether a path matches; None where there are no globs."""
    # A shell completes `./src`, which git would take for a folder called `.`.
    lines = [f"/{glob.removeprefix('./')}" if glob.startswith("./") else glob for glob in globs]
    if not lines:
        return None
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines).match_file
    except ValueError as error:
        raise UsageError(
            f"{option} {' '.join(lines)!r} is not a glob: {error}",
            remedy="Globs are as in .gitignore: --include 'src/**/*.py'",
        ) from error
