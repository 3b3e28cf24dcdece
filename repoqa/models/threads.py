"""How many threads compute: as many as get a processor each.

PyTorch's threads wait for each other some hundred times a token, and a thread whose processor is
busy with another program lets all of them wait. On two processors of which one was busy, a prompt
took three times as long as on an idle machine, and twice as long as with one thread
(`benchmarks/busy.py`). A container that may use fewer processors than it sees is the same case.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import NamedTuple

import torch

# A shorter time tells little; most chunks of a prompt take longer, and so do ten tokens.
LOOK_SECONDS = 0.2
# Of a processor: threads that wait are counted as working, so that on an idle machine 0.03 is much,
# and one other busy program costs 0.5 and more.
MOST_LOST = 0.25
# After so many looks more threads are tried; each time in vain, twice as many.
FIRST_WAIT, LONGEST_WAIT = 4, 64


class Moment(NamedTuple):
    """The clock, and the CPU time of all threads of this process, in seconds."""

    clock: float
    cpu: float


def now() -> Moment:
    """This moment."""
    return Moment(time.perf_counter(), time.process_time())


class Threads:
    """The number of threads, which follows what the machine gives: from all that PyTorch was set to
    down to one."""

    def __init__(self, now: Callable[[], Moment] = now) -> None:
        self._now = now
        self._begin(most=torch.get_num_threads())

    @property
    def count(self) -> int:
        """How many compute at present."""
        return self._count

    @contextmanager
    def working(self) -> Iterator[None]:
        """Work that is computed by so many; PyTorch's own setting holds again behind it."""
        most = torch.get_num_threads()
        if most != self._most:
            self._begin(most)
        if self._count != most:
            torch.set_num_threads(self._count)
        began = self._now()
        try:
            yield
        finally:
            ended = self._now()
            if self._count != most:
                torch.set_num_threads(most)
            self._add(ended.clock - began.clock, ended.cpu - began.cpu)

    def _begin(self, most: int) -> None:
        self._most = self._count = most
        self._seconds = self._cpu = 0.0
        self._looks, self._wait = 0, FIRST_WAIT
        self._tries = False

    def _add(self, seconds: float, cpu: float) -> None:
        self._seconds += seconds
        self._cpu += cpu
        if self._seconds >= LOOK_SECONDS:
            lost = self._count - self._cpu / self._seconds
            self._seconds = self._cpu = 0.0
            self._look(lost)

    def _look(self, lost: float) -> None:
        """Choose the number anew, after a time in which so many processors were missed."""
        tried, self._tries = self._tries, False
        self._looks += 1
        if lost > MOST_LOST:
            if tried:
                self._wait = min(2 * self._wait, LONGEST_WAIT)
            self._count = max(1, self._count - ceil(lost))
            self._looks = 0
        elif tried:
            self._looks, self._wait = 0, FIRST_WAIT
        elif self._count < self._most and self._looks >= self._wait:
            self._tries = True
            self._count = min(2 * self._count, self._most)
