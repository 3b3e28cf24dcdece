"""The last answer about each repository, kept in the user's state directory for a follow-up.

One small file a repository, without secrets even where the prompt was sent with them. A file that
is damaged is as if it were absent.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from repoqa.diagnosis.again import GROWTH, Again, Drawn, drawn
from repoqa.diagnosis.prepare import Preparation
from repoqa.errors import UsageError
from repoqa.prompts.redact import RedactedCode, Redactor
from repoqa.records import Excerpt, Form

MOST_REPOSITORIES = 100
# Longer answers are of no model here: only what a follow-up's prompt may hold is read again.
MOST_BYTES = 8_000_000
SUFFIX = ".json"
ASK_FIRST = 'Ask without -c first, as in: repoqa ask "why does login fail"'


@dataclass(frozen=True, slots=True)
class Shown:
    """Lines that the prompt showed, and how: `runs` are the first and last of those in a row."""

    path: str
    start: int
    end: int
    form: Form
    runs: tuple[tuple[int, int], ...] = ()

    @property
    def drawn(self) -> Drawn:
        """How it is drawn again."""
        runs = self.runs or ((self.start, self.end),)
        numbers = (number for first, last in runs for number in range(first, last + 1))
        return Drawn(self.path, self.form, tuple(numbers))


@dataclass(frozen=True, slots=True)
class Kept:
    """An answered question. `question` holds those that it followed, too; it, the log and the diff
    are kept as the prompt showed them. `cut_off`: the answer was stopped before its end. `stem` is
    how many of `shown` the prompt began with; a further follow-up begins with them as well."""

    repository: str
    revision: str | None
    question: str
    log: str
    diff: str
    answer: str
    shown: tuple[Shown, ...]
    cut_off: bool = False
    stem: int = 0

    def again(self, budget: int, *, maximum: int) -> Again:
        """What a follow-up within `budget` tokens begins with; it may grow to `maximum`."""
        longest = max(min(budget + budget // GROWTH, maximum), budget)
        return Again(tuple(each.drawn for each in self.shown[: self.stem]), longest)


def to_keep(preparation: Preparation, answer: str, *, cut_off: bool = False) -> Kept:
    """What is kept of an answered question: without secrets, `--no-redact` or not."""
    redactor = Redactor()
    code = RedactedCode(preparation.index, redactor)
    excerpts = preparation.context.excerpts
    for path in sorted({excerpt.path for excerpt in excerpts}):
        code.lines(path)  # a value that the code assigns may stand bare in the answer
    for text in (preparation.question.log, preparation.question.diff, answer):
        redactor.text(text)
    shown = redactor.question(preparation.shown)
    before = shown.earlier.question if shown.earlier else ""
    return Kept(
        repository=str(preparation.snapshot.root),
        revision=preparation.snapshot.revision,
        question="\n\n".join(text for text in (before, shown.text) if text.strip()),
        log=shown.log,
        diff=shown.diff,
        answer=redactor.text(answer),
        shown=tuple(map(_shown, excerpts)),
        cut_off=cut_off,
        stem=preparation.stem or len(excerpts),
    )


def _shown(excerpt: Excerpt) -> Shown:
    numbers = drawn(excerpt).numbers
    breaks = [place for place in range(1, len(numbers)) if numbers[place] != numbers[place - 1] + 1]
    edges = zip([0, *breaks], [*breaks, len(numbers)], strict=True)
    runs = tuple((numbers[first], numbers[end - 1]) for first, end in edges)
    return Shown(excerpt.path, excerpt.start, excerpt.end, excerpt.form, runs)


def keep(kept: Kept, directory: Path) -> None:
    """Keep the last answer about a repository, in place of the one before. Raises OSError.

    Of many repositories, those asked about longest ago are forgotten.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Escaped, since paths may hold bytes that are not UTF-8.
    content = json.dumps(msgspec.to_builtins(kept)).encode("ascii")
    target = _file(kept.repository, directory)
    descriptor, name = tempfile.mkstemp(dir=directory, prefix=f"{target.stem}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        Path(name).replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    _forget(directory)


def last(repository: Path, directory: Path) -> Kept:
    """The last answer about a repository. Raises UsageError where there is none to follow."""
    path = _file(str(repository), directory)
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        problem = f"no question about {repository.name} has been answered yet"
        raise UsageError(f"-c: {problem}", remedy=ASK_FIRST) from None
    except OSError as error:
        problem = f"the last answer about {repository.name} cannot be read: {error.strerror}"
        raise UsageError(f"-c: {problem}", remedy=ASK_FIRST) from error
    try:
        return msgspec.convert(json.loads(content), Kept)
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        problem = f"what was kept of the last answer about {repository.name} is damaged"
        raise UsageError(f"-c: {problem}", remedy=ASK_FIRST) from error


def _file(repository: str, directory: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(repository)).hexdigest()
    return directory / f"{digest[:32]}{SUFFIX}"


def _forget(directory: Path) -> None:
    """Remove the oldest files beyond the limit, those of writes that were cut off among them."""
    with contextlib.suppress(OSError):  # another process forgets too
        files = sorted((path.stat().st_mtime_ns, path) for path in directory.iterdir())
        for _, path in files[:-MOST_REPOSITORIES]:
            path.unlink()
