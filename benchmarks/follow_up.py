"""How long a question and its follow-up take to their first tokens.

    python benchmarks/follow_up.py REPOSITORY [QUESTION]

With the built-in model: each question in a process of its own, once without and once with a prefix
cache on disk, and both in one process from Python. What is kept lies in a folder of its own, which
is removed. CPU-seconds are those of the whole process, with an answer of 8 tokens: indexing is done
before; starting and loading are in them, and in the times to the first token.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from running import run

from repoqa.models.open import PREFIXES
from repoqa.settings import read_settings

QUESTION = "why is a prompt longer than the window that the server reads"
FOLLOWING = "and how do I fix it?"
ANSWER = "8"
# The follow-up goes on from what the command line asked last: the same question.
ONE_PROCESS = """
import json, sys, time
from repoqa import Options, ask
for question, options in ((sys.argv[1], Options()), (sys.argv[2], Options(follow_up=True))):
    began = time.perf_counter()
    diagnosis = ask(question, options=options)
    pieces = iter(diagnosis.stream())
    next(pieces)
    first = time.perf_counter() - began
    list(pieces)
    print(json.dumps([diagnosis.preparation.prompt.tokens, first]))
"""


def main() -> None:
    """Print a table of both questions, without and with a prefix cache, and in one process."""
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
                usage = json.loads(output)["usage"]
                size = sum(f.stat().st_size for f in (cache / PREFIXES).glob("*")) / 1e6
                first = usage["seconds"]["first_token"]
                cells = (f"{usage['prompt']:,}", f"{first:.1f}", f"{cost.cpu:.1f}", f"{size:.0f}")
                row(limit, text[-1], *cells)
        shutil.rmtree(cache / PREFIXES, ignore_errors=True)
        in_one_process(question, repository, variables)


def row(*cells: str) -> None:
    """Print a line of the table."""
    print(f"| {' | '.join(cells)} |", flush=True)


def in_one_process(question: str, repository: Path, variables: Mapping[str, str]) -> None:
    """Both questions from Python, where the model stays loaded and has read the first."""
    first = [sys.executable, "-m", "repoqa", "ask", "--json", "--no-stdin", question]
    run(first, folder=repository, environment=variables)
    script = [sys.executable, "-c", ONE_PROCESS, question, FOLLOWING]
    _, output = run(script, folder=repository, environment=variables)
    for line, text in zip(output.decode().splitlines(), (question, FOLLOWING), strict=True):
        tokens, seconds = json.loads(line)
        row("one process", text, f"{tokens:,}", f"{seconds:.1f}", "", "")


if __name__ == "__main__":
    main()
