"""Asks a model for each task's code, runs it in the sandbox, and counts what passed."""

import queue
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from typing import cast

import msgspec

from repoqa.evaluation.code.programs import gathered, program_of
from repoqa.evaluation.code.tasks import Task
from repoqa.evaluation.sandbox import Sandbox
from repoqa.models.profile import Profile

Ask = Callable[[Task, int], Iterator[str]]
"""A task and the number of a sample, to the model's text as it comes."""


class Sample(msgspec.Struct, frozen=True):
    """One answer to a task. `reason` is why it has not passed, "" where it has; `text` is what the
    model wrote. `temperature` tells samples of different runs apart."""

    suite: str
    model: str
    task: str
    number: int
    temperature: float
    reason: str
    text: str

    @property
    def passed(self) -> bool:
        """Whether it passed all tests."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class Run:
    """What is measured: a model on a suite, with so many samples a task."""

    suite: str
    profile: Profile
    tasks: tuple[Task, ...]
    samples: int = 1


def measure(
    run: Run, known: Sequence[Sample], *, ask: Ask, sandboxes: Sequence[Sandbox]
) -> Iterator[Sample]:
    """The samples that are not `known` yet, each as soon as it is judged: as many side by side as
    there are sandboxes. Raises what the model and the sandbox raise."""
    done = {(sample.task, sample.number) for sample in known}
    wanted = [
        (task, number)
        for number in range(run.samples)
        for task in run.tasks
        if (task.id, number) not in done
    ]
    free: queue.SimpleQueue[Sandbox] = queue.SimpleQueue()
    for sandbox in sandboxes:
        free.put(sandbox)

    def judge(task: Task, number: int) -> Sample:
        stream = cast("Generator[str, None, None]", ask(task, number))
        with closing(stream) as pieces:
            text = gathered(pieces, task, run.profile)
        sandbox = free.get()
        try:
            reason = sandbox.run(program_of(text, task, run.profile)).reason
        finally:
            free.put(sandbox)
        profile = run.profile
        return Sample(run.suite, profile.name, task.id, number, profile.temperature, reason, text)

    with ThreadPoolExecutor(len(sandboxes)) as pool:
        waiting = [pool.submit(judge, task, number) for task, number in wanted]
        try:
            for judged in as_completed(waiting):
                yield judged.result()
        finally:
            for each in waiting:
                each.cancel()


def counts(samples: Sequence[Sample]) -> list[tuple[int, int]]:
    """The samples of each task, and how many of them passed."""
    asked = Counter(sample.task for sample in samples)
    passed = Counter(sample.task for sample in samples if sample.passed)
    return [(asked[task], passed[task]) for task in sorted(asked)]
