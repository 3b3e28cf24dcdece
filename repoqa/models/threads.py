"""How many threads compute: as many as make the work faster.

PyTorch's threads wait for each other some hundred times a token, and a thread whose processor is
busy with another program lets all of them wait. On two processors of which one was busy, a prompt
took three times as long as on an idle machine, and twice as long as with one thread
(`benchmarks/busy.py`). A container that may use fewer processors than it sees is the same case.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import NamedTuple

import torch

# A shorter time tells little; most chunks of a prompt take longer, and so do ten tokens.
LOOK_SECONDS = 0.2
# Of a processor. Threads that wait are counted as working where they wait busily, as PyTorch's do
# by default: with two on an idle machine 0.05 was much, and one busy program took 0.6 and more.
MOST_LOST = 0.25
# After so many seconds another number is tried; each time in vain, after twice as many.
FIRST_WAIT, LONGEST_WAIT = 3.0, 60.0
# After such a pause the machine may be another.
FORGET_SECONDS = 60.0
# Up to so many tokens at once take about as long as one; more take as long as they are many.
FEW = 8


class Moment(NamedTuple):
    """The clock, and the CPU time of all threads of this process, in seconds."""

    clock: float
    cpu: float


def now() -> Moment:
    """This moment."""
    return Moment(time.perf_counter(), time.process_time())


class Threads(threading.local):
    """The number of threads, from all that PyTorch is set to down to one.

    Fewer are tried where processors are missed, more now and then, and what was faster stays. Each
    Python thread has a number of its own, as with PyTorch's setting; but one that uses PyTorch for
    the first time while another works with fewer begins with those.
    """

    def __init__(self, now: Callable[[], Moment] = now) -> None:
        self._now = now
        self._last = float("-inf")
        self._most = self.count = 0

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Work that is computed by so many; PyTorch's own setting holds again behind it."""
        most = torch.get_num_threads()
        if most != self._most or self._now().clock > self._last + FORGET_SECONDS:
            self._begin(most)
        try:
            if self.count != most:
                torch.set_num_threads(self.count)
            yield
        finally:
            if torch.get_num_threads() != most:
                torch.set_num_threads(most)

    @contextmanager
    def working(self, tokens: int) -> Iterator[None]:
        """The same, for a pass over so many tokens, by which the number is chosen anew."""
        with self.limited():
            began = self._now()
            yield
            ended = self._now()
        if self._most > 1:
            self._add(tokens, began, ended)
        self._last = ended.clock

    def _begin(self, most: int) -> None:
        self._most = self.count = most
        self._are_few = False
        self._wait, self._next_try = FIRST_WAIT, float("-inf")
        self._begin_look()
        self._tried_from: tuple[int, float] | None = None

    def _begin_look(self) -> None:
        self._work = 0
        self._seconds = self._cpu = 0.0

    def _add(self, tokens: int, began: Moment, ended: Moment) -> None:
        are_few = tokens <= FEW
        if are_few != self._are_few:  # a pass over many compares with none over few
            self._are_few = are_few
            self._begin_look()
            self._tried_from = None
        self._work += 1 if are_few else tokens
        self._seconds += ended.clock - began.clock
        self._cpu += ended.cpu - began.cpu
        if self._seconds >= LOOK_SECONDS:
            pace, lost = self._seconds / self._work, self.count - self._cpu / self._seconds
            self._begin_look()
            self._look(pace, lost, clock=ended.clock)

    def _look(self, pace: float, lost: float, *, clock: float) -> None:
        """Judge what was tried, or try another number, after a time at this pace, seconds a piece
        of work, in which so many processors were missed."""
        if self._tried_from:
            (before, pace_before), self._tried_from = self._tried_from, None
            if pace < pace_before:
                self._wait = FIRST_WAIT
            else:
                self.count = before
                self._wait = min(2 * self._wait, LONGEST_WAIT)
            self._next_try = clock + self._wait
        elif clock >= self._next_try and (other := self._other(lost)) != self.count:
            self._tried_from = self.count, pace
            self.count = other

    def _other(self, lost: float) -> int:
        """The number to try: without those that missed a processor, or half of the way up."""
        missed = ceil(lost - MOST_LOST)
        if missed > 0:
            return max(1, self.count - missed)
        return self.count + (self._most - self.count + 1) // 2
