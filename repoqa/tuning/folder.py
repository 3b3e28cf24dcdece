"""A folder of training examples: `train.jsonl`, `held-out.jsonl`, and what they were made of.

The files are written whole or not at all. Nothing here knows a model.
"""

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import platformdirs

from repoqa.errors import JobError, UsageError
from repoqa.tuning.examples import Example, kind_of

TRAIN, HELD_OUT, ABOUT = "train.jsonl", "held-out.jsonl", "about.json"
SCHEMA = 1
_DIGITS = 8


class About(msgspec.Struct, frozen=True):
    """Where the examples come from, how many of each kind each part has, and what was left out:
    files and examples, by the reason why."""

    repo: str
    revision: str | None
    train: dict[str, int]
    held_out: dict[str, int]
    files_left_out: dict[str, int]
    examples_left_out: dict[str, int]
    redacted: int
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Data:
    """A folder's examples. `digest` is the SHA-256 of both parts, in hexadecimal."""

    about: About
    train: tuple[Example, ...]
    held_out: tuple[Example, ...]
    digest: str


def default_folder(root: Path) -> Path:
    """Where a repository's examples go unless the user names a folder: never into it.

    Raises UsageError for a user without a home.
    """
    try:
        own = platformdirs.user_data_path("repoqa", appauthor=False)
    except RuntimeError as error:
        raise UsageError(
            "you have no home folder for the examples", remedy="Name a folder: --out FOLDER."
        ) from error
    name = root.name.removesuffix(".git") or root.parent.name
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:_DIGITS]
    return own / "tune" / f"{name}-{digest}"


def checked(folder: Path, *, repository: Path) -> Path:
    """The folder, which may be written. Raises UsageError where it is inside the repository, and
    where it holds something else."""
    if folder.resolve().is_relative_to(repository.resolve()):
        raise UsageError(
            f"{folder} is inside the repository: nothing is written there",
            remedy="Name a folder elsewhere: --out FOLDER.",
        )
    if folder.is_file() or (
        folder.is_dir() and any(folder.iterdir()) and not (folder / ABOUT).is_file()
    ):
        raise UsageError(
            f"{folder} holds something else", remedy="Name a new folder: --out FOLDER."
        )
    return folder


def counted(examples: Sequence[Example]) -> dict[str, int]:
    """How many examples there are of each kind."""
    return dict(sorted(Counter(map(kind_of, examples)).items()))


def write(
    folder: Path, about: About, *, train: Sequence[Example], held_out: Sequence[Example]
) -> None:
    """Write the examples, in place of those that were there. Raises UsageError."""
    encode = msgspec.json.encode
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, examples in ((TRAIN, train), (HELD_OUT, held_out)):
            write_whole(folder / name, b"".join(encode(example) + b"\n" for example in examples))
        write_whole(folder / ABOUT, msgspec.json.format(encode(about), indent=2) + b"\n")
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written: {error.strerror}",
            remedy="Name another folder: --out FOLDER.",
        ) from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, even where the machine stops meanwhile. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read(folder: Path) -> Data:
    """The examples of a folder. Raises UsageError where it holds none, JobError where they do not
    read."""
    try:
        contents = [(folder / name).read_bytes() for name in (ABOUT, TRAIN, HELD_OUT)]
    except OSError as error:
        raise UsageError(
            f"{folder} holds no training examples: {error.strerror}",
            remedy="Name a folder that `repoqa tune data` made.",
        ) from error
    try:
        about = msgspec.json.decode(contents[0], type=About)
        decoder = msgspec.json.Decoder(Example)
        train, held_out = (tuple(decoder.decode_lines(part)) for part in contents[1:])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise JobError(
            f"the training examples in {folder} do not read: {error}",
            remedy="Make them again: repoqa tune data.",
        ) from error
    return Data(about, train, held_out, hashlib.sha256(b"\0".join(contents[1:])).hexdigest())
