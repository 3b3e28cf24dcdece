"""What `repoqa review` says of a repository's last commits: its time, and whether it was right.

    python benchmarks/review_history.py REPOSITORY [COMMITS]

Each commit is compared with its parent, the oldest first, with one index cache for all. A use that
is said not to fit "had to be fixed" where a later one of these commits rewrote that very line.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from repoqa.index.store import Store
from repoqa.protocols import Silent
from repoqa.repository.plumbing import Git, open_git
from repoqa.review.chosen import Wanted, choose
from repoqa.review.patch import FilePatch
from repoqa.review.review import Reached, problems, reach

COMMITS = 200
PERCENT = 100
NINETY_FIVE = 0.95


@dataclass(frozen=True, slots=True)
class Named:
    """A use that was said not to fit: certainly (`is_sure`), or perhaps."""

    path: str
    text: str
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One commit: seconds, what was named, and what it removes from each file."""

    commit: str
    seconds: float
    cpu: float
    symbols: int
    named: tuple[Named, ...]
    removed: frozenset[tuple[str, str]]


def main() -> None:
    """Print the figures."""
    git = open_git(Path(sys.argv[1]))
    assert git is not None, "no repository"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else COMMITS
    with tempfile.TemporaryDirectory() as folder:
        reviewed = list(history(git, count, Store(Path(folder))))
    report(reviewed)


def history(git: Git, count: int, store: Store) -> Iterator[Reviewed]:
    """Review the newest `count` commits that are no merges, the oldest first."""
    listed = git.run("rev-list", "--no-merges", f"--max-count={count}", "HEAD").decode().split()
    for commit in reversed(listed):
        start, cpu = time.perf_counter(), time.process_time()
        chosen = choose(git, Wanted(range=f"{commit}^..{commit}"))
        reached = reach(chosen, store, progress=Silent())
        yield Reviewed(
            commit=commit,
            seconds=time.perf_counter() - start,
            cpu=time.process_time() - cpu,
            symbols=len(reached.impact),
            named=tuple(named(reached)),
            removed=frozenset(removed(chosen.compared.patches)),
        )


def named(reached: Reached) -> Iterator[Named]:
    """What the impact says does not fit, by the text of its line."""
    for problem in problems(reached.impact):
        lines = reached.index.lines(problem.path)
        yield Named(problem.path, lines[problem.line - 1].strip(), problem.severity == "error")


def removed(patches: tuple[FilePatch, ...]) -> Iterator[tuple[str, str]]:
    """The lines that a commit removes."""
    for patch in patches:
        for hunk in patch.hunks:
            yield from (
                (patch.old_path, line[1:].strip()) for line in hunk.lines if line[:1] == "-"
            )


def report(reviewed: list[Reviewed]) -> None:
    """Print times, and how much of what was named was rewritten later."""
    warm = reviewed[1:]
    seconds = sorted(one.seconds for one in warm)
    cpu = sorted(one.cpu for one in warm)
    print(f"{len(reviewed)} commits, {sum(one.symbols for one in reviewed):,} changed symbols")
    print(f"the first, with nothing cached: {reviewed[0].seconds:.2f} s")
    for name, values in (("seconds", seconds), ("processor seconds", cpu)):
        middle, late = statistics.median(values), values[int(NINETY_FIVE * (len(values) - 1))]
        print(f"{name}: median {middle:.2f}, 95 % {late:.2f}, most {values[-1]:.2f}")
    for is_sure, title in ((True, "does not fit"), (False, "may not fit")):
        report_named(reviewed, title, is_sure=is_sure)


def report_named(reviewed: list[Reviewed], title: str, *, is_sure: bool) -> None:
    """Print each use that was named, and the shares of all."""
    sites = fixed = commits = right = 0
    for number, one in enumerate(reviewed):
        told = [site for site in one.named if site.is_sure is is_sure]
        later = {line for other in reviewed[number + 1 :] for line in other.removed}
        hits = [site for site in told if (site.path, site.text) in later]
        sites, fixed = sites + len(told), fixed + len(hits)
        commits, right = commits + bool(told), right + bool(hits)
        for site in told:
            mark = "rewritten later" if site in hits else "never touched"
            print(f"  {one.commit[:10]} {title}: {site.path}: {site.text[:60]} ({mark})")
    share = PERCENT * right / len(reviewed)
    print(
        f"{title}: {sites} uses named in {commits} commits; {fixed} of them, in {right} commits "
        f"({share:.1f} % of all), were rewritten by a later one"
    )


if __name__ == "__main__":
    main()
