"""Writes a result where the user said, whole or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path

from repoqa.errors import UsageError

NEW_FILE = 0o666  # less what the user's umask takes


def check_target(path: Path, *, option: str) -> None:
    """Raise UsageError where nothing can be written at `path`, before the work for it begins.

    `option` is what named it (`--html`).
    """
    target = _real(path)
    folder = target.parent
    if target.is_dir():
        problem = "it is a folder"
    elif target.exists() and not os.access(target, os.W_OK):
        problem = "it may not be changed"
    elif not folder.is_dir():
        problem = f"there is no folder {folder}"
    elif not target.exists() and not os.access(folder, os.W_OK):
        problem = f"nothing may be written into {folder}"
    else:
        return
    raise _refusal(path, problem, option)


def write_file(path: Path, content: bytes, *, option: str) -> None:
    """Write a file in place of the one before; a link's file, a pipe or a device is written itself.

    Nobody sees half of a file. Raises UsageError where it cannot be written.
    """
    target = _real(path)
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)
        else:
            _replace(target, content)
    except OSError as error:
        raise _refusal(path, error.strerror or str(error), option) from error


def _replace(target: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(name).chmod(_mode(target))
        Path(name).replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _mode(target: Path) -> int:
    """The permissions of the file there is, or those that a new one would get."""
    if target.exists():
        return target.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return NEW_FILE & ~umask


def _real(path: Path) -> Path:
    """What a link leads to, and the path itself otherwise."""
    return Path(os.path.realpath(path))


def _refusal(path: Path, problem: str, option: str) -> UsageError:
    return UsageError(
        f"{option}: {path} cannot be written: {problem}", remedy=f"Name another file: {option} FILE"
    )
