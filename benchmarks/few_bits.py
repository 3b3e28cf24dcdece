"""What weights, keys and values in 8 and 4 bits lose, and what they cost and save.

    python benchmarks/few_bits.py TOKENS FILE...

With the built-in model on this machine's CPU: the perplexity of the last half of each text's first
TOKENS tokens, the tokens a second that are read and that are answered behind them (the median of
the texts), and what the weights, and the keys and values, take by the plan. Each setting runs in a
process of its own, in turn over the texts.
"""

import json
import subprocess
import sys
import time
from dataclasses import replace
from math import exp
from pathlib import Path
from statistics import geometric_mean, median

from repoqa.models.plan import Setting

ANSWER = 32
MIB = 2**20
SETTINGS = (
    Setting(16, 32),
    Setting(16, 8),
    Setting(8, 32),
    Setting(8, 8),
    Setting(4, 32),
    Setting(4, 8),
    Setting(4, 4),
)


def main() -> None:
    """Print a row for each setting."""
    if sys.argv[1] == "--one":
        tokens, weights, cache = map(int, sys.argv[2:5])
        one(tokens, Setting(weights, cache), Path(sys.argv[5]))  # type: ignore[arg-type]
        return
    length, texts = sys.argv[1], sys.argv[2:]
    found: dict[Setting, list[list[float]]] = {setting: [] for setting in SETTINGS}
    for text in texts:
        for setting, rows in found.items():
            command = [sys.executable, __file__, "--one", length]
            bits = [str(setting.weights), str(setting.cache)]
            done = subprocess.run([*command, *bits, text], capture_output=True, check=True)
            rows.append(json.loads(done.stdout))
    print("| weights | keys, values | perplexity | read, tokens/s | answered, tokens/s | MiB |")
    print("|---|---|---:|---:|---:|---:|")
    for setting, rows in found.items():
        nats, read, answered, weights, cache = zip(*rows, strict=True)
        print(
            f"| {setting.weights}-bit | {setting.cache}-bit "
            f"| {geometric_mean(map(exp, nats)):.3f} | {median(read):.0f} | {median(answered):.1f} "
            f"| {weights[0] / MIB:.0f} + {cache[0] / MIB:.0f} |"
        )


def one(tokens: int, setting: Setting, text: Path) -> None:
    """Print what one setting gives on one text, as JSON."""
    from repoqa.models.checkpoint import read_config
    from repoqa.models.device import choose_device, place_of
    from repoqa.models.load import load
    from repoqa.models.memory import parameters
    from repoqa.models.plan import Work, need
    from repoqa.models.profile import load_profile
    from repoqa.models.reading import Reader
    from repoqa.models.tokens import codec_of
    from repoqa.models.weights import find_checkpoint, weight_files
    from repoqa.settings import read_settings

    profile = load_profile("smollm2-135m")
    settings = read_settings(environment={}, flags={})
    checkpoint = find_checkpoint(profile, cache=settings.cache_dir)
    if checkpoint is None:
        sys.exit("Fetch the weights first: repoqa models pull smollm2-135m")
    config = read_config(profile, checkpoint)
    device = replace(choose_device(stored=config.stored, packs=True), bits=setting.weights)
    ids = codec_of(checkpoint, name=profile.name).encode(text.read_text())[:tokens]
    reader = Reader(
        load(checkpoint, config, device), tokens + ANSWER, told=lambda _: None, setting=setting
    )
    began = time.perf_counter()
    reader.read(ids[: tokens // 2])
    read = time.perf_counter() - began
    nats = reader.surprise(ids[tokens // 2 :])
    began = time.perf_counter()
    reader.continuation(ids[-1:], limit=ANSWER)
    answered = time.perf_counter() - began
    work = Work(config, parameters(weight_files(checkpoint)), tokens)
    needed = need(work, setting, place_of(device))
    speeds = (tokens // 2 / read, (ANSWER + 1) / answered)
    print(json.dumps([nats, *speeds, needed.weights, needed.cache]))


if __name__ == "__main__":
    main()
