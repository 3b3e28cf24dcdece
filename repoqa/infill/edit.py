"""A filled file as a unified diff, and written in place of the old one: whole or not at all."""

import contextlib
import difflib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from repoqa.errors import JobError
from repoqa.infill.place import Site

NO_LINE_END = "\\ No newline at end of file\n"


def unified_diff(site: Site, filled: str) -> str:
    """What filling changes, as `git apply` and `patch` read it; "" where that is nothing."""
    path = site.file.path
    before, after = _lines(site.file.text), _lines(filled)
    lines = difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")
    return "".join(_ended(lines))


def diff_bytes(site: Site, diff: str) -> bytes:
    """The diff for a program that applies it: the lines are in the file's own encoding."""
    header, at, lines = diff.partition("@@")
    encoding = "utf-8" if site.file.encoding.startswith("utf") else site.file.encoding
    return os.fsencode(header) + (at + lines).encode(encoding)


def write(path: Path, site: Site, filled: str) -> None:
    """Put the filled text into the file; its mode stays, and so does every byte outside the gap.

    The new file takes the old one's place in one step. A link stays one, to the file that it names.
    Raises JobError where the file has changed since it was read, or cannot be written.
    """
    content = site.file.encoded(filled)
    target = path.resolve()
    try:
        if target.read_bytes() != site.file.encoded(site.file.text):
            raise JobError(f"{path} has changed since it was read", remedy="Run the command again.")
        _replace(target, content)
    except OSError as error:
        raise JobError(
            f"{path} cannot be written: {error.strerror}",
            remedy="Make it and its folder writable, or take the diff: leave out --write.",
        ) from error


def _replace(target: Path, content: bytes) -> None:
    status = target.stat()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            with contextlib.suppress(OSError):  # somebody else's file, in a folder of ours
                os.fchown(stream.fileno(), status.st_uid, status.st_gid)
            os.fchmod(stream.fileno(), status.st_mode & 0o7777)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _lines(text: str) -> list[str]:
    """The lines with their ends; nothing but a line feed ends one."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1].removesuffix("\n")
    return lines if lines[-1] else lines[:-1]


def _ended(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n{NO_LINE_END}"
