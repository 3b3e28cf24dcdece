"""Progress on standard error: bars on a terminal, now and then a line elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from repoqa.protocols import Progress
from repoqa.terminal.output import Output

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import Task
    from rich.text import Text

QUIET_SECONDS = 3.0
"""How long a stage may take before a pipe or a log file hears of it."""
REPEAT_SECONDS = 30.0
"""How often it hears of it after that."""
MOMENT = 1e-3
"""The shortest time in seconds that a rate is taken over."""
MINUTE = 60.0
LONG_SECONDS = 2 * MINUTE
"""From here on, what is left is told in minutes."""
BYTES = "bytes"
MEGABYTE = 1_000_000


@contextmanager
def shown_progress(output: Output) -> Iterator[Progress]:
    """The Progress that suits standard error; leaves the terminal as it was."""
    if not output.shows_progress:
        yield Lines(output.note)
        return
    bars = Bars(output)
    try:
        yield bars
    finally:
        bars.finish()


class Lines:
    """A line about a stage that takes long, for a standard error that is no terminal."""

    def __init__(
        self, note: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._note = note
        self._clock = clock
        self._stage = ""
        self._unit = ""
        self._total: int | None = None
        self._done = 0
        self._began = 0.0
        self._next_note = 0.0

    def start(self, stage: str, *, total: int | None = None, unit: str = "") -> None:
        """Begin a stage; nothing is said yet."""
        self._stage, self._total, self._unit, self._done = stage, total, unit, 0
        self._began = self._clock()
        self._next_note = self._began + QUIET_SECONDS

    def advance(self, amount: int = 1) -> None:
        """Say how far the stage is, if it has been quiet for long enough."""
        self._done += amount
        if self._clock() >= self._next_note:
            self._next_note = self._clock() + REPEAT_SECONDS
            rate = self._done / max(self._clock() - self._began, MOMENT)
            left = None if self._total is None else (self._total - self._done) / rate
            amounts = counted(self._done, self._total, unit=self._unit)
            self._note(f"{self._stage}: {amounts}{pace(rate, left, unit=self._unit)}")

    def finish(self) -> None:
        """Say what a long stage took."""
        seconds = self._clock() - self._began
        if self._stage and seconds >= QUIET_SECONDS:
            rate = counted(self._done / seconds, unit=self._unit)
            self._note(f"{self._stage}: {seconds:.0f} s" + (f", {rate}/s" if self._done else ""))
        self._stage = ""


class Bars:
    """A rich bar for the open stage, with its rate; gone when the stage is done."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._bars: RichProgress | None = None

    def start(self, stage: str, *, total: int | None = None, unit: str = "") -> None:
        """Show a bar, or a spinner where the total is not known."""
        self.finish()
        self._bars = _rich_progress(self._output)
        self._bars.add_task(stage, total=total, unit=unit)
        self._bars.start()

    def advance(self, amount: int = 1) -> None:
        """Move the bar."""
        if self._bars is not None:
            self._bars.advance(self._bars.task_ids[0], amount)

    def finish(self) -> None:
        """Take the bar away."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None


def _rich_progress(output: Output) -> "RichProgress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.text import Text

    class AmountColumn(ProgressColumn):
        """What `amount` says; nothing for a stage that does not count."""

        def render(self, task: "Task") -> "Text":
            return Text(amount(task))

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        AmountColumn(),
        TimeElapsedColumn(),
        console=Console(file=output.stderr),
        transient=True,
    )


class Counted(Protocol):
    """What a bar knows of its stage, as rich's Task does."""

    completed: float
    total: float | None
    fields: dict[str, str]

    @property
    def speed(self) -> float | None:
        """Units per second, once known."""
        ...

    @property
    def time_remaining(self) -> float | None:
        """Seconds until all is done, once known."""
        ...


def amount(task: Counted) -> str:
    """`1,200 of 4,096 tokens, 154 tokens/s, 19 s left`, as much of it as is known."""
    if not task.completed:
        return ""
    unit = task.fields["unit"]
    return counted(task.completed, task.total, unit=unit) + pace(
        task.speed, task.time_remaining, unit=unit
    )


def pace(rate: float | None, left: float | None, *, unit: str) -> str:
    """`, 154 tokens/s, 19 s left`, as much of it as is known; `left` is in seconds."""
    # A rate that rounds to nothing says nothing: workers have only just begun.
    speed = f", {counted(rate, unit=unit)}/s" if rate and rate >= 1 else ""
    if not left:
        return speed
    if left < LONG_SECONDS:
        return f"{speed}, {left:.0f} s left"
    return f"{speed}, {left / MINUTE:.0f} min left"


def counted(done: float, total: float | None = None, *, unit: str) -> str:
    """`1,200 of 4,096 tokens`; bytes are shown as megabytes."""
    if unit == BYTES:
        done, total, unit = done / MEGABYTE, total and total / MEGABYTE, "MB"
    of = "" if total is None else f" of {total:,.0f}"
    return f"{done:,.0f}{of} {unit}".rstrip()
