"""Prompts as long as Code Llama's longest, through a tiny random Code Llama."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from checkpoints import byte_level_tokenizer
from commands import ROOT

from repoqa.models import generation
from repoqa.models.key_values import key_values
from repoqa.models.local import LocalModel
from repoqa.models.profile import load_profile
from repoqa.protocols import Silent
from repoqa.settings import profile_directory

NAME = "tiny-codellama"
LONGEST = 100_000
# A quarter of a minute; `make long-prompt` reads 100,000, which takes minutes.
TOKENS = int(os.environ.get("LONG_PROMPT_TOKENS", "30000"))
# The most that memory may grow over what was planned.
TOLERATED = 1.25
# In a process of its own, where nothing else has taken memory. Writing 5 forgets the most taken.
MEASURED = """\
import json, random, sys
from pathlib import Path
from repoqa.models.generation import Sampling, generate
from repoqa.models.local import LocalModel
from repoqa.models.memory import most_taken, taken
from repoqa.models.plan import choose
from repoqa.models.profile import load_profile
from repoqa.models.survey import places, work_of
from repoqa.settings import profile_directory

class Counted:
    def __init__(self): self.chunks = []
    def start(self, stage, *, total=None, unit=""): pass
    def advance(self, amount=1): self.chunks.append(amount)
    def finish(self): pass

tokens, answer = int(sys.argv[1]), 4
profile = load_profile("tiny-codellama", directories=(profile_directory(),))
progress = Counted()
model = LocalModel(profile, Path(profile.weights)).loaded(tokens, progress=progress)
planned = choose(work_of(profile, tokens, cache=Path()), places(profile, cache=Path())[0]).need
ids = [random.Random(3).randrange(600) for _ in range(tokens)]
progress.chunks.clear()  # those of loading
Path("/proc/self/clear_refs").write_text("5")
before = taken()
sampling = Sampling(limit=answer, ends=frozenset())
written = list(generate(model, ids, sampling, progress=progress))
print(json.dumps({
    "grown": most_taken() - before, "planned": planned.cache + planned.working,
    "chunks": len(progress.chunks), "read": sum(progress.chunks), "written": len(written),
}))
"""


@pytest.fixture(autouse=True)
def tiny(tmp_path: Path) -> Path:
    """The checkpoint of benchmarks/tiny_codellama.py, and the profile that names it."""
    byte_level_tokenizer().save(str(tmp_path / "tokenizer.json"))
    folder = tmp_path / "tiny"
    script = ROOT / "benchmarks" / "tiny_codellama.py"
    command = [sys.executable, str(script), str(folder), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def measured(tokens: int) -> dict[str, Any]:
    command = [sys.executable, "-c", MEASURED, str(tokens)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_it_has_code_llamas_positions_and_windows(tiny: Path) -> None:
    profile = load_profile(NAME, directories=(profile_directory(),))
    assert (profile.rope_theta, profile.maximum, profile.rope) == (1e6, LONGEST, "none")
    config = json.loads((tiny / "config.json").read_text())
    assert config["rope_parameters"]["rope_theta"] == profile.rope_theta
    assert config["max_position_embeddings"] == profile.trained_window


def test_4k_tokens_read_in_chunks_give_the_logits_of_one_pass(tiny: Path) -> None:
    import torch

    profile = load_profile(NAME, directories=(profile_directory(),))
    model = LocalModel(profile, tiny).loaded(4096, progress=Silent())
    ids = [random.Random(7).randrange(600) for _ in range(4096)]
    with torch.inference_mode():
        whole = model(torch.tensor([ids]), logits_to_keep=1).logits[0, -1]
    cache = key_values(model.config, tokens=len(ids))
    chunked = generation.read(model, ids, cache, chunk=256, progress=Silent())
    torch.testing.assert_close(chunked, whole, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_a_long_prompt_takes_no_more_memory_than_was_planned() -> None:
    told = measured(TOKENS)
    assert (told["read"], told["written"]) == (TOKENS, 4)
    assert told["chunks"] > TOKENS // 330
    # Keys and values of all tokens were there, and little beyond the plan.
    assert told["grown"] > TOKENS * 2 * 2 * 64 * 4
    assert told["grown"] <= TOLERATED * told["planned"]
