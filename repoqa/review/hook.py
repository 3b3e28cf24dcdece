"""The pre-push hook as a file: written beside a stranger's hook, which runs before it.

It is a POSIX shell script (Windows' git runs those too) that holds the way to this Python. What
stops a push is a word that repoqa prints, never an exit status: a Python that is broken ends with
the status of a review that blocks.
"""

import contextlib
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from repoqa.errors import JobError, UsageError
from repoqa.repository.hooks import HookFolder

NAME = "pre-push"
EARLIER_NAME = "pre-push.before-repoqa"
MARK = b"# repoqa pre-push hook"
MOST_BYTES = 1_000_000
EXECUTABLE = 0o755
BLOCKED = "blocked"
SCRIPT = """\
#!/bin/sh
# repoqa pre-push hook: `repoqa hook install` wrote it, `repoqa hook uninstall` takes it away.
# Whatever happens to repoqa, the push goes on: only a review that found what is to block stops it.
refs=$(cat 2>/dev/null; echo .)
refs=${refs%.}
earlier=$(dirname "$0")/@EARLIER@
if [ -x "$earlier" ]; then
    printf '%s' "$refs" | "$earlier" "$@" || exit $?
fi
case ${REPOQA_SKIP:-} in '' | 0 | false | no) ;; *) exit 0 ;; esac
python=@PYTHON@
if [ ! -x "$python" ]; then
    echo "repoqa: nothing was reviewed: $python is gone; the push goes on" >&2
    echo "repoqa: 'repoqa hook install' mends it, 'rm $0' ends it" >&2
    exit 0
fi
verdict=$(printf '%s' "$refs" | "$python" -P -m repoqa hook run --verdict@OPTIONS@ -- "$@")
status=$?
[ "$verdict" = @BLOCKED@ ] && exit 1
[ "$status" = 130 ] && exit 130
[ "$status" = 0 ] || echo "repoqa: it ended with status $status; the push goes on" >&2
exit 0
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """A hook on disk. `is_ours`: repoqa wrote it. `earlier` is the stranger's hook that runs
    before it, None for none; `python` is the interpreter that it holds, as written."""

    path: Path
    is_ours: bool
    earlier: Path | None
    python: str


def script(python: Path, options: Sequence[str] = ()) -> bytes:
    """The hook's text; `options` are given to `repoqa hook run`."""
    words = {
        "@EARLIER@": EARLIER_NAME,
        "@PYTHON@": shlex.quote(python.as_posix()),
        "@OPTIONS@": "".join(f" {shlex.quote(option)}" for option in options),
        "@BLOCKED@": BLOCKED,
    }
    text = SCRIPT
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return os.fsencode(text)


def installed(folder: HookFolder) -> Installed | None:
    """The pre-push hook that is there, or None."""
    path, earlier = folder.path / NAME, folder.path / EARLIER_NAME
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES)
    except OSError:
        return None if not path.is_symlink() else Installed(path, False, None, "")
    lines = os.fsdecode(content).splitlines()
    python = next((line for line in lines if line.startswith("python=")), "")
    return Installed(
        path=path,
        is_ours=MARK in content,
        earlier=earlier if earlier.exists() else None,
        python="".join(shlex.split(python.removeprefix("python="))),
    )


def install(folder: HookFolder, options: Sequence[str] = ()) -> Installed:
    """Write the hook; a stranger's is kept beside it. Raises UsageError and JobError."""
    if folder.is_in_tree:
        raise UsageError(
            f"core.hooksPath ({folder.scope}) puts hooks into {folder.path}, among the "
            "repository's own files, where repoqa writes nothing",
            remedy=f'End {folder.path / NAME} with the line: repoqa hook run "$@"',
        )
    found = installed(folder)
    target, earlier = folder.path / NAME, folder.path / EARLIER_NAME
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        if found and not found.is_ours:
            if earlier.exists():
                raise UsageError(
                    f"{target} is a stranger's hook, and {earlier} is kept from before",
                    remedy=f"Join the two in {EARLIER_NAME}, remove {NAME}, and install again.",
                )
            target.rename(earlier)
        _write(target, script(Path(sys.executable), options))
    except OSError as error:
        raise _unwritable(folder, error) from error
    written = installed(folder)
    assert written is not None
    return written


def uninstall(folder: HookFolder) -> bool:
    """Take the hook away and put a stranger's back in its place; False where none is ours."""
    found = installed(folder)
    if found is None or not found.is_ours:
        return False
    try:
        if found.earlier:
            found.earlier.replace(found.path)
        else:
            found.path.unlink()
    except OSError as error:
        raise _unwritable(folder, error) from error
    return True


def _write(target: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(name).chmod(EXECUTABLE)
        Path(name).replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _unwritable(folder: HookFolder, error: OSError) -> JobError:
    return JobError(
        f"{folder.path} cannot be written: {error.strerror or error}",
        remedy="See whose it is: `git config --show-origin core.hooksPath` tells who named it.",
    )
