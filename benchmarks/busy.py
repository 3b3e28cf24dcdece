"""How fast the built-in model reads and writes while other programs keep processors busy: with all
of PyTorch's threads, with one, and with the number that `repoqa` chooses.

    python benchmarks/busy.py [--tokens 1000] [--busy 0 1 2] [--rounds 3]

Each round takes the three in turn, in another order, beside so many programs that do nothing but
count. The median of the rounds.
"""

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median

import torch

from repoqa.models import generation, lookup, threads
from repoqa.models.generation import Sampling, generate
from repoqa.models.local import LocalModel
from repoqa.models.profile import load_profile
from repoqa.models.threads import Threads
from repoqa.models.weights import ensure_checkpoint
from repoqa.protocols import Silent
from repoqa.settings import read_settings

WRITTEN = 64
NEVER = 1e6  # so many processors are never missed
BUSY = "while True: pass"


def rotated(names: list[str], number: int) -> list[str]:
    """The names in an order that begins `number` places later."""
    begin = number % len(names)
    return names[begin:] + names[:begin]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tokens", type=int, default=1000)
    parser.add_argument("--busy", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    profile = load_profile("smollm2-135m")
    cache = read_settings(environment={}, flags={}).cache_dir
    checkpoint = ensure_checkpoint(profile, cache=cache, progress=Silent())
    model = LocalModel(profile, checkpoint).loaded(1, progress=Silent())
    # An answer to random tokens repeats itself, and would be guessed: `benchmarks/lookup.py`.
    lookup.MOST_GUESSED = 0
    every, usual = torch.get_num_threads(), threads.MOST_LOST
    chance = random.Random(5)
    prompt = [chance.randrange(1000, 40_000) for _ in range(given.tokens)]
    penalty = profile.repetition_penalty
    sampling = Sampling(limit=WRITTEN + 1, ends=frozenset(), repetition_penalty=penalty)

    def speeds(count: int, most_lost: float = NEVER) -> tuple[float, float]:
        """Tokens read and written a second."""
        torch.set_num_threads(count)
        threads.MOST_LOST, generation.threads = most_lost, Threads()
        began = time.perf_counter()
        answer = generate(model, prompt, sampling, progress=Silent())
        next(answer)
        read = time.perf_counter()
        assert len(list(answer)) == WRITTEN
        return len(prompt) / (read - began), WRITTEN / (time.perf_counter() - read)

    ways: dict[str, Callable[[], tuple[float, float]]] = {
        f"all {every} threads": lambda: speeds(every),
        "one thread": lambda: speeds(1),
        "as repoqa chooses": lambda: speeds(every, usual),
    }
    print("| busy programs | | read/s | written/s |")
    print("|---|---|---|---|")
    for programs in given.busy:
        with ExitStack() as busy:
            for _ in range(programs):
                program = busy.enter_context(subprocess.Popen([sys.executable, "-c", BUSY]))
                busy.callback(program.kill)
            rounds = [
                {name: ways[name]() for name in rotated(list(ways), number)}
                for number in range(given.rounds)
            ]
        for name in ways:
            read, written = (median(each) for each in zip(*(r[name] for r in rounds), strict=True))
            print(f"| {programs} | {name} | {read:.1f} | {written:.1f} |", flush=True)


if __name__ == "__main__":
    main()
