"""An answer on its way: the model's text, by one prompt or by a sweep, and what it was made of."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import cast

from repoqa.api.job import Job, unheard
from repoqa.diagnosis.prepare import Preparation
from repoqa.diagnosis.single import diagnose
from repoqa.diagnosis.sweep import WindowRead, after, found_by, read_windows
from repoqa.diagnosis.windows import Cut, cut, window_tokens
from repoqa.protocols import Model, Progress

NONE_FOUND = (
    "no window named a suspect: answering from the best code, {tokens:,} tokens in one prompt"
)


def _ignored(read: WindowRead) -> None:
    """What a window named is not shown."""


@dataclass(slots=True)
class Answering:
    """A question being answered. `read` grows while the windows of a sweep are read; `shown` is
    what the last prompt holds; `heard` is told each window as it is read, `note` what the user
    should know."""

    job: Job
    heard: Callable[[WindowRead], None] = _ignored
    note: Callable[[str], None] = unheard
    read: list[WindowRead] = field(default_factory=list)
    shown: Preparation = field(init=False)

    def __post_init__(self) -> None:
        self.shown = self.job.preparation

    @property
    def prompt_tokens(self) -> int:
        """The tokens of all prompts so far."""
        windows = sum(read.window.prompt.tokens for read in self.read)
        swept_only = self.job.strategy == "sweep" and self.shown is self.job.preparation
        return windows + (0 if swept_only else self.shown.prompt.tokens)

    def stream(self, model: Model, *, progress: Progress) -> Iterator[str]:
        """The answer's text as it is generated; closing the iterator stops the model.

        Raises what the model raises.
        """
        if self.job.strategy == "sweep":
            self._sweep(model, progress=progress)
        stream = diagnose(self.shown, model, progress=progress)
        with closing(cast("Generator[str, None, None]", stream)):
            yield from stream

    def _sweep(self, model: Model, *, progress: Progress) -> None:
        preparation = self.job.preparation
        found = cut(preparation)
        self._tell(found)
        reads = read_windows(
            found.windows,
            preparation,
            model,
            progress=progress,
            at_once=self.job.profile.windows_at_once,
        )
        with closing(cast("Generator[WindowRead, None, None]", reads)):
            for read in reads:
                self.read.append(read)
                self.note(window_line(read))
                self.heard(read)
        self.shown = after(preparation, self.read)
        if not found_by(self.read):
            self.note(NONE_FOUND.format(tokens=self.shown.prompt.tokens))

    def _tell(self, found: Cut) -> None:
        count = len(found.windows)
        self.note(
            f"{self.job.profile.name} reads {window_tokens(self.job.preparation):,} tokens "
            f"reliably: the code is read in {count} {'window' if count == 1 else 'windows'} "
            "(--strategy single reads it at once)"
        )
        if found.too_long:
            lines = "1 line is" if found.too_long == 1 else f"{found.too_long:,} lines are"
            self.note(f"{lines} longer than a window and not read")


def window_line(read: WindowRead) -> str:
    """`window 3 of 7: 2 suspects`."""
    count = len(read.suspects)
    suspects = "1 suspect" if count == 1 else f"{count or 'no'} suspects"
    return f"window {read.window.number} of {read.window.of}: {suspects}"
