"""How long `repoqa --help` takes, and what a question imports, from the shell's point of view.

    python benchmarks/startup.py [RUNS]

The median of several runs, in turn. Of imports each line adds one to those above it.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

DEFAULT_RUNS = 15
WANTED_SECONDS = 0.3
HELPS = (("--version",), ("--help",), ("ask", "--help"))
# In the order in which a question imports them.
IMPORTS = ("typer", "repoqa.cli.pack", "git", "numpy", "repoqa.api.job")


def main() -> None:
    """Print the median and the fastest run of each."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_RUNS
    seconds("-m", "repoqa", "--help")  # compiles what is not compiled yet
    for arguments in HELPS:
        times = [seconds("-m", "repoqa", *arguments) for _ in range(runs)]
        print(
            f"repoqa {' '.join(arguments)}: median {statistics.median(times):.3f} s, "
            f"fastest {min(times):.3f} s, wanted below {WANTED_SECONDS} s, {runs} runs"
        )
    programs = dict(programs_of(IMPORTS))
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(runs):
        for name, program in programs.items():
            taken[name].append(seconds("-c", program))
    for name, times in taken.items():
        print(f"{name}: median {statistics.median(times):.3f} s, fastest {min(times):.3f} s")


def programs_of(modules: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Python alone, and with one import more each time."""
    yield "python", "pass"
    for number, module in enumerate(modules, 1):
        yield f"and {module}", f"import {', '.join(modules[:number])}"


def seconds(*arguments: str) -> float:
    """Wall time of one run of Python."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
