"""Progress of a call, told to its client, and where a call that was cancelled stops."""

import time
from collections.abc import Callable

SECONDS_BETWEEN = 0.1

Tell = Callable[[float, float | None, str], None]


class Told:
    """The Progress of one call. `tell` is given what is done of all stages so far, which only ever
    grows, as the protocol wants, the total where it is known, and words; `check` raises where the
    call was cancelled."""

    def __init__(self, tell: Tell, check: Callable[[], None]) -> None:
        self._tell = tell
        self._check = check
        self._before = 0  # units of the stages that are over
        self._done = 0
        self._total: int | None = None
        self._words = ""
        self._told: float | None = None

    def start(self, stage: str, *, total: int | None = None, unit: str = "") -> None:
        """Begin a stage; its first unit is told at once."""
        self.finish()
        self._total, self._told = total, None
        self._words = f"{stage} ({total:,} {unit})" if total else stage

    def advance(self, amount: int = 1) -> None:
        """Tell how far it is, where that was not told just before."""
        self._check()
        self._done += amount
        now = time.monotonic()
        if self._told is None or now - self._told >= SECONDS_BETWEEN:
            self._told = now
            total = self._total and self._before + self._total
            self._tell(self._before + self._done, total, self._words)

    def finish(self) -> None:
        """The stage is over."""
        self._check()
        self._before += self._done
        self._done = 0
