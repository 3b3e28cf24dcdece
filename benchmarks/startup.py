"""How long `repoqa --help` takes, from the shell's point of view: the median of several runs.

python benchmarks/startup.py [RUNS]
"""

import statistics
import subprocess
import sys
import time

DEFAULT_RUNS = 15
WANTED_SECONDS = 0.3


def seconds(*arguments: str) -> float:
    """Wall time of one run of the command."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "repoqa", *arguments], check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    """Print the median and the fastest run, for `python` alone too."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_RUNS
    seconds("--help")  # compiles what is not compiled yet
    for arguments in (["--version"], ["--help"], ["ask", "--help"]):
        times = [seconds(*arguments) for _ in range(runs)]
        print(
            f"repoqa {' '.join(arguments)}: median {statistics.median(times):.3f} s, "
            f"fastest {min(times):.3f} s, wanted below {WANTED_SECONDS} s, {runs} runs"
        )


if __name__ == "__main__":
    main()
