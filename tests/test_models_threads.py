"""Threads that have no processor to themselves are given up, and taken again."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints import byte_level_tokenizer, write_checkpoint
from hypothesis import given
from hypothesis import strategies as st

from repoqa.models import generation
from repoqa.models.checkpoint import read_config
from repoqa.models.device import Device
from repoqa.models.generation import Sampling, generate
from repoqa.models.load import load
from repoqa.models.profile import Profile
from repoqa.models.threads import FEW, FIRST_WAIT, FORGET_SECONDS, LONGEST_WAIT, Moment, Threads
from repoqa.protocols import Silent

BUSY = "while True: pass"
MOST = 4


class Machine:
    """A clock of processors, of which other programs take some.

    What one thread does in a second is shared out, and done when the slowest is: the thread that
    gets but a part of a processor, and waits for it each time. `spins`: threads that wait for
    others take CPU time.
    """

    def __init__(self, processors: float, *, spins: bool = True) -> None:
        self.processors, self.spins = processors, spins
        self.counts: list[int] = []
        self._moment = Moment(0.0, 0.0)

    def now(self) -> Moment:
        return self._moment

    def work(self, threads: Threads, *, tokens: int = 1) -> int:
        """Work long enough for a look; how many threads did."""
        with threads.working(tokens):
            count = torch.get_num_threads()
            share = min(1.0, self.processors - (count - 1))
            if share <= 0:  # all of them take turns
                share = self.processors / count
            seconds = 1 / count / (share if share > 0.95 else share / 2)
            cpu = seconds * min(count, self.processors) * (1.0 if self.spins else 0.3)
            self.rest(seconds, cpu)
        self.counts.append(count)
        return count

    def rest(self, seconds: float, cpu: float = 0.0) -> None:
        self._moment = Moment(self._moment.clock + seconds, self._moment.cpu + cpu)

    def seconds_with(self, threads: Threads, *, until: float) -> dict[int, float]:
        """Work until then; for how long with each number of threads."""
        spent = dict.fromkeys(range(1, MOST + 1), 0.0)
        while (began := self._moment.clock) < until:
            count = self.work(threads)
            spent[count] += self._moment.clock - began
        return spent


@pytest.fixture(autouse=True)
def four_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(MOST)
    yield
    torch.set_num_threads(before)


def test_on_an_idle_machine_all_threads_compute() -> None:
    machine = Machine(MOST)
    machine.seconds_with(Threads(machine.now), until=3 * LONGEST_WAIT)
    assert set(machine.counts) == {MOST}


@pytest.mark.parametrize(("free", "count"), [(1, 1), (1.5, 1), (2, 2), (2.97, 3), (3, 3), (3.5, 3)])
def test_as_many_compute_as_get_a_processor_each(free: float, count: int) -> None:
    machine = Machine(free)
    threads = Threads(machine.now)
    machine.seconds_with(threads, until=30)
    spent = machine.seconds_with(threads, until=330)
    assert spent[count] > 0.9 * sum(spent.values())


def test_a_thread_without_a_processor_is_given_up_after_one_look() -> None:
    machine = Machine(3.5)
    threads = Threads(machine.now)
    assert [machine.work(threads), machine.work(threads)] == [4, 3]


def test_more_threads_are_tried_less_and_less_often_while_that_is_in_vain() -> None:
    machine = Machine(1)
    threads = Threads(machine.now)
    machine.seconds_with(threads, until=200)
    tries = [place for place, count in enumerate(machine.counts) if place and count > 1]
    between = [late - early for early, late in zip(tries, tries[1:], strict=False)]
    assert between == sorted(between)
    assert between[-1] >= 50


def test_all_threads_compute_again_once_the_processors_are_free() -> None:
    machine = Machine(1)
    threads = Threads(machine.now)
    machine.seconds_with(threads, until=5)
    machine.processors = MOST
    spent = machine.seconds_with(threads, until=5 + 10 * FIRST_WAIT)
    assert threads.count == MOST
    assert spent[MOST] > 5 * FIRST_WAIT


def test_threads_that_wait_without_cpu_time_are_not_given_up_for_it() -> None:
    machine = Machine(MOST, spins=False)
    spent = machine.seconds_with(Threads(machine.now), until=300)
    assert spent[MOST] > 0.9 * sum(spent.values())


def test_after_a_pause_all_threads_are_tried_at_once() -> None:
    machine = Machine(1)
    threads = Threads(machine.now)
    machine.seconds_with(threads, until=100)
    machine.rest(FORGET_SECONDS + 1)
    assert machine.work(threads) == MOST


def test_a_pass_over_many_tokens_is_not_compared_with_one_over_few() -> None:
    machine = Machine(1)
    threads = Threads(machine.now)
    assert machine.work(threads, tokens=256) == MOST
    assert threads.count == 1
    # A second for one pass is no slower than a second for 256 tokens: one thread is not judged yet.
    assert [machine.work(threads, tokens=FEW) for _ in range(3)] == [1, 3, 1]


def test_pytorchs_own_setting_holds_between_works_and_after_errors() -> None:
    machine = Machine(1)
    threads = Threads(machine.now)
    machine.work(threads)
    assert torch.get_num_threads() == MOST
    with suppress(KeyError), threads.working(1):
        during = torch.get_num_threads()
        raise KeyError
    assert (during, torch.get_num_threads()) == (1, MOST)


def test_another_setting_of_pytorchs_is_followed() -> None:
    machine = Machine(1)
    threads = Threads(machine.now)
    machine.work(threads)
    torch.set_num_threads(2)
    assert machine.work(threads) == 2


def test_each_python_thread_has_a_number_of_its_own() -> None:
    machine = Machine(1)
    threads = Threads(machine.now)
    machine.work(threads)
    counts: list[int] = []

    def elsewhere() -> None:
        torch.set_num_threads(MOST)
        counts.append(machine.work(threads))

    other = threading.Thread(target=elsewhere)
    other.start()
    other.join()
    assert (counts, threads.count) == ([MOST], 1)


@given(st.lists(st.floats(0.1, 6.0), min_size=1, max_size=200))
def test_whatever_others_take_between_one_thread_and_all_compute(free: list[float]) -> None:
    machine = Machine(0)
    threads = Threads(machine.now)
    for machine.processors in free:
        assert 1 <= machine.work(threads) <= MOST
    assert torch.get_num_threads() == MOST


def test_an_answer_is_computed_by_the_threads_that_were_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = Machine(1)
    threads = Threads(machine.now)
    machine.work(threads)
    monkeypatch.setattr(generation, "threads", threads)
    checkpoint = write_checkpoint(tmp_path, byte_level_tokenizer())
    config = read_config(Profile("tiny", "transformers", "chatml", ""), checkpoint)
    model = load(checkpoint, config, Device("cpu", "this machine", torch.float32))
    counts: list[int] = []

    def head(values: torch.Tensor) -> Any:
        counts.append(torch.get_num_threads())
        return model.head(values)

    watched = replace(model, head=head)
    sampling = Sampling(limit=3, ends=frozenset())
    seen = [
        torch.get_num_threads() for _ in generate(watched, [1, 2, 3], sampling, progress=Silent())
    ]
    assert set(counts) == {1}
    assert set(seen) == {MOST}  # between two tokens PyTorch is as it was


def test_beside_busy_programs_fewer_threads_compute() -> None:
    torch.set_num_threads(2)
    threads = Threads()
    numbers = torch.randn(1 << 20)  # PyTorch's own threads share such work out on any system
    with ExitStack() as busy:
        for _ in range(16):
            program = busy.enter_context(subprocess.Popen([sys.executable, "-c", BUSY]))
            busy.callback(program.kill)
        give_up = time.monotonic() + 60
        counts: set[int] = set()
        while counts != {1, 2} and time.monotonic() < give_up:
            with threads.working(512):
                counts.add(torch.get_num_threads())
                for _ in range(20):
                    numbers.sin()
    assert counts == {1, 2}
