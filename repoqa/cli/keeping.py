"""What a long measurement has so far, in the file that `--out` names: one JSON object a line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from repoqa.errors import UsageError

if TYPE_CHECKING:
    import msgspec

Measured = TypeVar("Measured", bound="msgspec.Struct")


def kept(out: Path | None, kind: type[Measured]) -> list[Measured]:
    """What a run before kept, in its order; a line that was cut off is taken away.

    Raises UsageError for a file that holds something else or cannot be written: before anything is
    measured.
    """
    if out is None:
        return []
    with _translated(out), out.open("a+b") as file:
        file.seek(0)
        content = file.read()
        *lines, rest = content.split(b"\n")
        measured = [_decoded(line, kind) for line in lines if line.strip()]
        if rest and not measured:
            raise UsageError("--out names a file of something else", remedy="Name another file.")
        if rest:
            file.truncate(len(content) - len(rest))
    return measured


def keep(measured: "msgspec.Struct", out: Path | None) -> None:
    """Add one to the file, which an interrupted run then has."""
    import msgspec

    if out:
        with _translated(out), out.open("ab") as file:
            file.write(msgspec.json.encode(measured) + b"\n")


@contextmanager
def _translated(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"{out} cannot be written: {error.strerror}", remedy="Name another file with --out."
        ) from error


def _decoded(line: bytes, kind: type[Measured]) -> Measured:
    import msgspec

    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.DecodeError as error:
        raise UsageError(
            f"--out names a file that holds something else: {error}", remedy="Name another file."
        ) from error
