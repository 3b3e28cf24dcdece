"""What `repoqa review` says of a repository's last commits: its time, and whether it was right.

    python benchmarks/review_history.py REPOSITORY [COMMITS]

Each commit is compared with its parent, the oldest first, with one index cache for all. A use that
is said not to fit "had to be fixed" where a later one of these commits rewrote that very line.

Then each file of a commit is reviewed as if it had been pushed without the commit's other files: a
use named there is right where the rest of the commit rewrote its line.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from repoqa.index.store import Store
from repoqa.protocols import Silent
from repoqa.repository.plumbing import Git, open_git
from repoqa.repository.snapshot import open_snapshot
from repoqa.review.chosen import Chosen, Overlay, Wanted, choose
from repoqa.review.patch import FilePatch
from repoqa.review.report import Range
from repoqa.review.review import Reached, problems, reach

COMMITS = 200
CODE = (".py", ".go", ".java", ".js", ".ts", ".rs", ".c", ".h", ".cpp", ".hpp", ".cc")
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
    alone: tuple[Named, ...]


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
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        yield Reviewed(
            commit=commit,
            seconds=seconds,
            cpu=cpu,
            symbols=len(reached.impact),
            named=tuple(named(reached)),
            removed=frozenset(removed(chosen.compared.patches)),
            alone=tuple(alone(git, commit, chosen.compared.patches, store=store)),
        )


def alone(
    git: Git, commit: str, patches: tuple[FilePatch, ...], *, store: Store
) -> Iterator[Named]:
    """What is named where one file changes and the others of its commit stay as they were."""
    if len(patches) < 2:
        return
    before = open_snapshot(git.root, revision=f"{commit}^")
    for patch in patches:
        if not patch.old_path or PurePath(patch.old_path).suffix not in CODE:
            continue
        overlay = Overlay(before)
        overlay.add(patch)
        chosen = Chosen(Range("patch", "", commit, None), overlay.compared())
        yield from named(reach(chosen, store, progress=Silent()))


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
        report_alone(reviewed, title, is_sure=is_sure)


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


def report_alone(reviewed: list[Reviewed], title: str, *, is_sure: bool) -> None:
    """Print how much of what is named for a file alone the rest of its commit rewrote."""
    sites = right = 0
    for one in reviewed:
        told = [site for site in one.alone if site.is_sure is is_sure]
        hits = [site for site in told if (site.path, site.text) in one.removed]
        sites, right = sites + len(told), right + len(hits)
        for site in told:
            mark = "rewritten by the rest" if site in hits else "left as it was"
            print(f"  {one.commit[:10]} alone, {title}: {site.path}: {site.text[:60]} ({mark})")
    print(f"{title}, each file alone: {sites} uses named; the rest of the commit rewrote {right}")


if __name__ == "__main__":
    main()
