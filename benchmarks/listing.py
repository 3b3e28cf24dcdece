"""What listing a working tree takes, with and without the copy that is kept of git's index.

    python benchmarks/listing.py REPOSITORY [REPOSITORY ...] [--rounds 9]

Medians of rounds that take turns, in one process. `git alone` is the longer of its two looks at the
working tree, which both ways wait for; "staged" is with a copy of another index, which is then
written anew. Nothing is staged in the repository: the copy's digest is spoilt.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from repoqa.repository.plumbing import Git, open_git
from repoqa.repository.snapshot import open_snapshot
from repoqa.repository.worktree import COMPARE

FIND = ("ls-files", "--others", "--exclude-standard", "-z")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    for repository in chosen.repositories:
        print(f"{repository.resolve().name}: {len(open_snapshot(repository).files):,} files")
        for name, seconds in measured(repository, chosen.rounds).items():
            print(f"  {name:14} {seconds * 1000:6.0f} ms")


def measured(repository: Path, rounds: int) -> dict[str, float]:
    """The median of each way, in seconds."""
    git = open_git(repository.resolve())
    assert git is not None
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "kept"
        open_snapshot(repository, kept_at=lambda _: kept)
        whole = kept.read_bytes()
        ways: dict[str, Callable[[], object]] = {
            "git alone": lambda: _look(git),
            "without a copy": lambda: open_snapshot(repository),
            "with a copy": lambda: open_snapshot(repository, kept_at=lambda _: kept),
        }
        took: dict[str, list[float]] = {name: [] for name in (*ways, "staged")}
        for _ in range(rounds):
            for name, way in ways.items():
                took[name].append(_timed(way))
            kept.write_bytes(whole[:-1])
            took["staged"].append(_timed(ways["with a copy"]))
    return {name: median(seconds) for name, seconds in took.items()}


def _look(git: Git) -> None:
    looks = [git.start(*COMPARE), git.start(*FIND)]
    for look in looks:
        look.finish()


def _timed(way: Callable[[], object]) -> float:
    began = time.perf_counter()
    way()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
