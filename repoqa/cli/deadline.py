"""Bounds a piece of work in time, whatever it waits for: a server, a lock, a model."""

import faulthandler
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

# Compiled code can keep Python from raising anything. After so many seconds more, the process ends.
GRACE_SECONDS = 3.0


class OutOfTime(BaseException):  # noqa: N818 - like KeyboardInterrupt, no error of the work's own
    """The time is up. It is raised in the middle of whatever runs: nothing catches it by chance."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise OutOfTime after `seconds`; end the process, with status 1, where that is not heard.

    Without SIGALRM (Windows) there is only the latter.
    """
    with Path(os.devnull).open("w") as nowhere:
        faulthandler.dump_traceback_later(seconds + GRACE_SECONDS, exit=True, file=nowhere)
        try:
            with _alarm(seconds):
                yield
        finally:
            faulthandler.cancel_dump_traceback_later()


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, _raise)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _raise(_number: int, _frame: FrameType | None) -> NoReturn:
    raise OutOfTime
