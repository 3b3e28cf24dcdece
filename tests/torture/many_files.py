"""A folder with 300,000 files: indexed, asked about twice, and once more after a change.

python tests/torture/many_files.py [--files 300000]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
NEEDLE = 123_456
MEGABYTE = 1_000_000


def make(root: Path, count: int) -> None:
    folder = root / "all"
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"m{number}.py").write_text(f"def f{number}(x):\n    return x + {number}\n")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    subprocess.run(["git", "add", "--all"], cwd=root, check=True)


def ask(root: Path, needle: int) -> Any:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "repoqa", "pack", "--json", "--no-stdin", f"f{needle} is wrong"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    report = json.loads(done.stdout)
    parsed, seconds = report["run"]["parsed"], time.monotonic() - began
    print(f"asked: {parsed:,} parsed, {seconds:.1f} s", flush=True)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=300_000)
    count = parser.parse_args().files
    needle = min(NEEDLE, count - 1)
    with tempfile.TemporaryDirectory() as base:
        root = Path(base) / "repository"
        os.environ |= {"REPOQA_CACHE_DIR": f"{base}/cache", "PYTHONPATH": str(ROOT)}
        make(root, count)
        first, again = ask(root, needle), ask(root, needle)
        assert first["run"]["parsed"] == count
        assert again["run"]["parsed"] == 0
        assert first["files"][0]["path"] == f"all/m{needle}.py"
        assert {**first, "run": 0} == {**again, "run": 0}
        (root / "all" / "m0.py").unlink()
        (root / f"all/m{needle}.py").write_text(f"def g{needle}(x):\n    return x\n")
        changed = ask(root, needle)
        assert changed["run"]["parsed"] == 1
        assert f"f{needle}" not in {symbol["name"] for symbol in changed["symbols"]}
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / MEGABYTE
    print(f"{count:,} files: the answers are right; the largest process took {most:,.0f} MB")


if __name__ == "__main__":
    main()
