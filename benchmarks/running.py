"""Runs a command and says what it took: wall time, CPU time, memory."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

# With it, each run compiles what an installed program finds compiled.
NOT_COMPILED = "PYTHONDONTWRITEBYTECODE"
KILOBYTES = 1024 if sys.platform != "darwin" else 1 << 20  # in one unit of ru_maxrss, per MB


class Cost(NamedTuple):
    """`wall` and `cpu` are seconds, the latter of all processes; `memory` is the largest process
    in MB."""

    wall: float
    cpu: float
    memory: float

    def __str__(self) -> str:
        return f"{self.wall:8.2f} s wall {self.cpu:8.2f} s CPU {self.memory:6.0f} MB"


def run(
    command: Sequence[str | Path], *, folder: Path, environment: Mapping[str, str] | None = None
) -> tuple[Cost, bytes]:
    """Run a command to its end; its cost and its standard output. Raises where it fails."""
    inherited = {name: value for name, value in os.environ.items() if name != NOT_COMPILED}
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**inherited, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    wall = time.perf_counter() - began
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / KILOBYTES), output


def middle(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(*(median(figures) for figures in zip(*costs, strict=True)))
