"""Threads that have no processor to themselves are given up, and taken again."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from repoqa.models.threads import FIRST_WAIT, LONGEST_WAIT, LOOK_SECONDS, Moment, Threads

LONG = 2 * LOOK_SECONDS
BUSY = "while True: pass"


class Machine:
    """A clock of processors, some of which other programs take."""

    def __init__(self, processors: float) -> None:
        self.processors = processors
        self.counts: list[int] = []
        self._moment = Moment(0.0, 0.0)

    def now(self) -> Moment:
        return self._moment

    def look(self, threads: Threads) -> int:
        """Work long enough for a look; how many threads did."""
        with threads.working():
            count = torch.get_num_threads()
            clock, cpu = self._moment
            got = LONG * min(count, self.processors)
            self._moment = Moment(clock + LONG, cpu + got)
        self.counts.append(count)
        return count


@pytest.fixture(autouse=True)
def four_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def test_on_an_idle_machine_all_threads_compute() -> None:
    machine = Machine(4)
    threads = Threads(machine.now)
    for _ in range(3 * LONGEST_WAIT):
        machine.look(threads)
    assert set(machine.counts) == {4}


def test_a_thread_without_a_processor_is_given_up_after_one_look() -> None:
    machine = Machine(3.5)
    threads = Threads(machine.now)
    assert [machine.look(threads), machine.look(threads)] == [4, 3]


def test_more_threads_are_tried_less_and_less_often_while_that_is_in_vain() -> None:
    machine = Machine(1)
    threads = Threads(machine.now)
    for _ in range(60):
        machine.look(threads)
    tried = [place for place, count in enumerate(machine.counts) if count > 1]
    # The first look, and after each wait the look that tries.
    assert tried == [0, 1 + FIRST_WAIT, 2 + 3 * FIRST_WAIT, 3 + 7 * FIRST_WAIT]


def test_all_threads_compute_again_once_the_processors_are_free() -> None:
    machine = Machine(1)
    threads = Threads(machine.now)
    for _ in range(3):
        machine.look(threads)
    machine.processors = 4
    counts = [machine.look(threads) for _ in range(4 * FIRST_WAIT)]
    assert counts[-1] == 4
    assert counts == sorted(counts)


def test_pytorchs_own_setting_holds_between_works_and_after_errors() -> None:
    machine = Machine(1)
    threads = Threads(machine.now)
    machine.look(threads)
    assert torch.get_num_threads() == 4
    with suppress(KeyError), threads.working():
        during = torch.get_num_threads()
        raise KeyError
    assert (during, torch.get_num_threads()) == (1, 4)


def test_another_setting_of_pytorchs_is_followed() -> None:
    machine = Machine(1)
    threads = Threads(machine.now)
    machine.look(threads)
    torch.set_num_threads(2)
    assert machine.look(threads) == 2


@given(st.lists(st.floats(0.1, 6.0), min_size=1, max_size=200))
def test_whatever_others_take_between_one_thread_and_all_compute(given: list[float]) -> None:
    machine = Machine(0)
    threads = Threads(machine.now)
    for machine.processors in given:
        assert 1 <= machine.look(threads) <= 4
    assert torch.get_num_threads() == 4


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor has one thread anyway")
def test_beside_busy_programs_fewer_threads_compute() -> None:
    torch.set_num_threads(os.cpu_count() or 1)
    threads = Threads()
    numbers = torch.randn(512, 512)
    least = torch.get_num_threads()
    with ExitStack() as busy:
        for _ in range(os.cpu_count() or 1):
            program = busy.enter_context(subprocess.Popen([sys.executable, "-c", BUSY]))
            busy.callback(program.kill)
        give_up = time.monotonic() + 60
        while threads.count == least and time.monotonic() < give_up:
            with threads.working():
                numbers @ numbers
    assert threads.count < least
