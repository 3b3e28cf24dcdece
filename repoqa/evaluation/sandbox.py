"""The sandbox that generated code is run in: hostile code, as far as anyone knows.

A program gets a process below a jail (see `jail`) with an empty folder to write, the system's
programs to read, and none of the user's files, network, processes and environment. On a system that
does not allow namespaces, less is enforced, and what is not is listed.
"""

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import msgspec

from repoqa.errors import JobError

MIB = 1 << 20
JAIL = Path(__file__).with_name("jail")
CANARY = "assert sum([1, 2, 3]) == 6"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may take. Processor time is each process's, wall time all of them together,
    and so is memory where processes can be counted; a file and the folder are in bytes.

    The reference solutions of HumanEval need less than two seconds and 40 MiB.
    """

    cpu_seconds: int = 10
    wall_seconds: float = 30.0
    memory_bytes: int = 1024 * MIB
    processes: int = 32
    file_bytes: int = 16 * MIB
    folder_bytes: int = 64 * MIB


DEFAULTS = Limits()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended: `reason` says why it has not passed, and is "" where it has."""

    reason: str

    @property
    def passed(self) -> bool:
        """Whether the program came to its end without an error."""
        return not self.reason


class _Report(msgspec.Struct):
    reason: str = ""
    setup: str = ""
    unlimited: tuple[str, ...] = ()


class Sandbox:
    """Runs programs one after the other, each as if it were the first; close it in the end.

    `missing` is what is not enforced here, in words for the user; `is_weak`: not even namespaces,
    which `namespaces` False does without. `slot` keeps sandboxes apart that run side by side: each
    needs one of its own.
    """

    def __init__(
        self, *, limits: Limits = DEFAULTS, namespaces: bool = True, slot: int = 0
    ) -> None:
        self._limits = limits
        self._slot = slot
        self.is_weak = not namespaces
        self._jail = _start()
        try:
            self.missing = self._examine()
        except BaseException:
            self.close()
            raise

    def run(self, program: str) -> Outcome:
        """Run a program's text as Python. Raises JobError where the sandbox itself fails."""
        report = self._ask(program)
        if report.setup:
            raise JobError(
                f"the sandbox cannot be set up any more: {report.setup}",
                remedy="Run the command again: it goes on where it was.",
            )
        return Outcome(report.reason)

    def close(self) -> None:
        """End the jail, and with it whatever runs there. A jail that has ended already is fine."""
        for stream in (self._jail.stdin, self._jail.stdout):
            if stream is not None:
                # A request that a dead jail never took is flushed once more, in vain.
                with suppress(BrokenPipeError):
                    stream.close()
        try:
            self._jail.wait(timeout=self._limits.wall_seconds)
        except subprocess.TimeoutExpired:
            self._jail.kill()
            self._jail.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _examine(self) -> tuple[str, ...]:
        """What a harmless program shows to be missing here."""
        problem = "they are switched off"
        if not self.is_weak:
            report = self._ask(CANARY)
            problem, self.is_weak = report.setup, bool(report.setup)
        if self.is_weak:
            report = self._ask(CANARY)
        if report.setup or report.reason:
            raise JobError(
                f"programs cannot be run here: {report.setup or report.reason}",
                remedy="Evaluate on Linux: generated code is not run without limits.",
            )
        missing = [f"a limit on the memory of {kind}" for kind in report.unlimited]
        if self.is_weak:
            who = "nobody in particular" if os.geteuid() == 0 else "you"
            missing.insert(
                0,
                f"namespaces ({problem}): programs reach the network, see other processes, and "
                f"read and write what {who} may",
            )
        return tuple(missing)

    def _ask(self, program: str) -> _Report:
        stdin, stdout = self._jail.stdin, self._jail.stdout
        assert stdin is not None
        assert stdout is not None
        request = {
            **asdict(self._limits),
            "program": program,
            "namespaces": not self.is_weak,
            "slot": self._slot,
        }
        try:
            stdin.write(msgspec.json.encode(request) + b"\n")
            stdin.flush()
            return msgspec.json.decode(stdout.readline(), type=_Report)
        except (OSError, msgspec.DecodeError) as error:
            raise JobError(
                "the process that runs generated code has ended",
                remedy="Run the command again: it goes on where it was.",
            ) from error


def _start() -> "subprocess.Popen[bytes]":
    """The jail's process: Python without the environment, its packages and the user's."""
    # A virtual environment's own interpreter is a link into it; its base is the same program.
    interpreter = getattr(sys, "_base_executable", None) or sys.executable
    return subprocess.Popen(
        [interpreter, "-I", "-S", str(JAIL)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={},
        cwd="/",
        start_new_session=True,
    )
