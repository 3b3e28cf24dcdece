"""How long a question and its follow-up take to their first tokens, each in a process of its own.

    python benchmarks/follow_up.py REPOSITORY [QUESTION]

With the built-in model, once without and once with a prefix cache on disk. What is kept lies in a
folder of its own, which is removed. CPU-seconds are those of the whole command, with an answer of 8
tokens: indexing is done before, and starting and loading are in them.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from running import run

from repoqa.models.open import PREFIXES
from repoqa.settings import read_settings

QUESTION = "why is a prompt longer than the window that the server reads"
FOLLOWING = "and how do I fix it?"
ANSWER = "8"


def main() -> None:
    """Print a table of both questions, without and with a prefix cache."""
    repository = Path(sys.argv[1])
    question = sys.argv[2] if len(sys.argv) > 2 else QUESTION
    models = read_settings(environment={}, flags={}).cache_dir / "models"
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        cache.mkdir()
        (cache / "models").symlink_to(models)
        variables = {
            "REPOQA_CACHE_DIR": str(cache),
            "REPOQA_ANSWER": ANSWER,
            "XDG_STATE_HOME": folder,
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-m", "repoqa", "ask", "--json", "--no-stdin"]
        run([*command[:3], "index"], folder=repository, environment=variables)
        print("| prefix cache | question | tokens | first token, s | CPU-s | on disk, MB |")
        print("|---|---|---:|---:|---:|---:|")
        for limit in ("0", "2G"):
            for text in ([question], ["-c", FOLLOWING]):
                known = {**variables, "REPOQA_PREFIX_CACHE": limit}
                cost, output = run([*command, *text], folder=repository, environment=known)
                report = json.loads(output)
                first = report["usage"]["seconds"]["first_token"]
                size = sum(f.stat().st_size for f in (cache / PREFIXES).glob("*")) / 1e6
                cells = (limit, text[-1], f"{report['usage']['prompt']:,}", f"{first:.1f}")
                print(f"| {' | '.join(cells)} | {cost.cpu:.1f} | {size:.0f} |", flush=True)
        shutil.rmtree(cache / PREFIXES, ignore_errors=True)


if __name__ == "__main__":
    main()
