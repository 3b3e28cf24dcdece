"""The ranking's weights: how they are fitted, what each signal is worth, and what it costs.

    python benchmarks/weights.py read REPORTS.jsonl --repos DIR --into FOLDER --cache CACHE
    python benchmarks/weights.py worth FOLDER
    python benchmarks/weights.py fit FOLDER --beside OTHER_FOLDER

`read` keeps each report's signals as arrays (of the 900 likeliest units, and of their files).
`worth` leaves out each signal in turn. `fit` moves one weight at a time as long as that helps: from
the hand-made sketch, on all repositories but one group, and counts on the group left out; then from
the package's weights on all, which shall not move. Reports of other languages (`--beside`) count
half in each fit. Nothing is random.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from repoqa.evaluation.localize import gold_functions
from repoqa.evaluation.reports import Report, find_clone, read
from repoqa.evidence import question as evidence
from repoqa.index.build import build
from repoqa.index.index import Index
from repoqa.index.store import Store
from repoqa.protocols import Silent
from repoqa.ranking.candidates import CANDIDATE_SIGNALS, Candidates
from repoqa.ranking.query import understand
from repoqa.ranking.rank import part_shares, rank
from repoqa.ranking.signals import FILE_SIGNALS, UNIT_SIGNALS
from repoqa.ranking.weights import BEST_UNITS, FILE_SHARE, FILE_WEIGHTS, UNIT_WEIGHTS, UNITS_SHARE
from repoqa.repository.snapshot import open_snapshot

UNITS = (*UNIT_SIGNALS, *CANDIDATE_SIGNALS)
FILES = tuple(FILE_SIGNALS)
# What an hour's sketch by hand had, before anything was measured.
SKETCH_UNITS = {"text": 1.0, "title": 0.5, "title_name": 0.5, "definition": 1.0}
SKETCH_UNITS |= {"dotted": 1.0, "trace": 1.5, "mention": 1.0, "diff": 1.0}
SKETCH_FILES = {"text": 1.0, "title": 0.5, "path": 0.5, "title_path": 0.5, "module": 1.0}
SKETCH_FILES |= {"mention": 1.5, "trace": 1.5, "diff": 1.0}
SKETCH_SHARES = (0.5, 1.0)
# A weight moves by so many steps, of which the shares take smaller ones ...
STEPS = (-4, -2, -1, 1, 2, 4)
STEP = 0.25
SHARE_STEP = 0.05
# ... and only for more than a third of a report in a hundred.
LEAST_GAIN = 0.3
ROUNDS = 6
# What is fitted: the hits that are aimed at whole, their neighbours half, so that a single report
# at one border decides little.
FILE_GOALS = {1: 1.0, 3: 0.5, 5: 1.0, 10: 0.5}
FUNCTION_GOALS = {1: 0.5, 5: 1.0, 10: 1.0, 20: 0.5}
SHOWN = ("file@1", "file@5", "function@5", "function@10", "sum")
BESIDE = 0.5
# Places that the evidence names speak in few of these reports, and a diff in none: set by hand.
BY_HAND = ("mention", "trace", "diff")
KEPT_UNITS = 900
# Repositories with few reports are left out together.
OWN_GROUP = 20

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """`units` and `files` weigh the signals in the order of UNITS and FILES; `shares` are what a
    unit gets of its file's score, and a file of its units'."""

    units: Floats
    files: Floats
    shares: Floats


@dataclass(frozen=True, slots=True)
class Case:
    """One report: `units` float[U, unit signals], `files` float[F, file signals], `unit_file`
    int[U], `share` float[F]; which of them are gold, and how many gold places there are."""

    repo: str
    units: Floats
    files: Floats
    unit_file: NDArray[np.int64]
    share: Floats
    is_function: NDArray[np.bool_]
    gold_units: NDArray[np.int64]
    gold_files: NDArray[np.int64]
    functions: int
    places: int

    def found(self, weights: Weights) -> tuple[float, float | None]:
        """The rank at which all gold files are found, and all gold functions (None: none is)."""
        own, files = self.units @ weights.units, self.files @ weights.files
        of_file, of_units = weights.shares
        order = np.lexsort((-own, self.unit_file))
        nth = np.arange(len(order)) - np.searchsorted(self.unit_file[order], self.unit_file[order])
        best = order[nth < BEST_UNITS]
        lift = np.bincount(
            self.unit_file[best],
            weights=own[best] / (1 + nth[nth < BEST_UNITS]),
            minlength=len(files),
        )
        files = (files + of_units * lift) * self.share
        units = own * self.share[self.unit_file] + of_file * files[self.unit_file]
        functions = None
        if self.functions:
            functions = _last(units, self.gold_units, self.functions, among=self.is_function)
        everything = np.ones(len(files), dtype=bool)
        return _last(files, self.gold_files, self.places, among=everything), functions


def _last(
    scores: Floats, gold: NDArray[np.int64], wanted: int, *, among: NDArray[np.bool_]
) -> float:
    if len(gold) < wanted:
        return float("inf")
    return 1.0 + float((scores[among] > scores[gold].min()).sum())


def figures(cases: Sequence[Case], weights: Weights) -> dict[str, float]:
    """Shares in percent, and `sum`: what is fitted, which also rewards coming nearer."""
    found = [case.found(weights) for case in cases]
    files = np.array([rank for rank, _ in found])
    functions = np.array([rank for _, rank in found if rank is not None])
    hits: dict[str, float] = {}
    total = 0.0
    for name, ranks, goals in (
        ("file", files, FILE_GOALS),
        ("function", functions, FUNCTION_GOALS),
    ):
        for k, goal in goals.items():
            hits[f"{name}@{k}"] = 100 * float((ranks <= k).mean()) if len(ranks) else 0.0
            total += goal * hits[f"{name}@{k}"]
        total += 100 * float((1 / ranks).mean()) if len(ranks) else 0.0
    return {**hits, "sum": total}


def ascend(cases: Sequence[Case], weights: Weights, beside: Sequence[Case]) -> Weights:
    """Move one weight at a time to the best step, until none gains enough."""

    def gained() -> float:
        both = figures(cases, weights)["sum"]
        return both + BESIDE * figures(beside, weights)["sum"] if beside else both

    best = gained()
    for _ in range(ROUNDS):
        before = best
        for row, place, step in _movable(weights):
            best = _best_step(row, place, step=step, best=best, gained=gained)
        if best == before:
            break
    return weights


def _movable(weights: Weights) -> Iterator[tuple[Floats, int, float]]:
    for row, names in ((weights.units, UNITS), (weights.files, FILES)):
        for place, name in enumerate(names):
            if name not in BY_HAND:
                yield row, place, STEP
    yield from ((weights.shares, place, SHARE_STEP) for place in range(len(weights.shares)))


def _best_step(
    row: Floats, place: int, *, step: float, best: float, gained: Callable[[], float]
) -> float:
    """The row's weight at its best step, and what is gained there."""
    current = chosen = row[place]
    least = best + LEAST_GAIN
    for steps in STEPS:
        row[place] = round(current + steps * step, 2)
        if row[place] >= 0 and (now := gained()) > least:
            chosen, least = row[place], now
    row[place] = chosen
    return best if chosen == current else least


def fit(cases: Sequence[Case], beside: Sequence[Case]) -> None:
    """Print what is found on each group of repositories left out, and whether the package's weights
    would move."""
    sizes = Counter(case.repo for case in cases)
    group_of = {repo: repo if size >= OWN_GROUP else "others" for repo, size in sizes.items()}
    everywhere: Counter[str] = Counter()
    for group in sorted(set(group_of.values())):
        inside = [case for case in cases if group_of[case.repo] == group]
        outside = [case for case in cases if group_of[case.repo] != group]
        fitted = ascend(outside, _sketch(), beside)
        for name, weights in (
            ("sketch", _sketch()),
            ("fitted elsewhere", fitted),
            ("the package's", _package()),
        ):
            _show(f"{group}: {name}", len(inside), figures(inside, weights))
        everywhere.update(_found(inside, fitted))
    print("all, fitted elsewhere:", {name: everywhere[name] for name in sorted(everywhere)})
    _show("all: sketch", len(cases), figures(cases, _sketch()))
    _show("all: the package's", len(cases), figures(cases, _package()))
    if beside:
        _show("beside: sketch", len(beside), figures(beside, _sketch()))
        _show("beside: the package's", len(beside), figures(beside, _package()))
    _tell_moved(ascend(cases, _package(), beside))


def _found(cases: Sequence[Case], weights: Weights) -> Counter[str]:
    """How many reports are found, by figure: shares of groups do not add up."""
    ranks = [case.found(weights) for case in cases]
    counts = Counter({f"file@{k}": sum(file <= k for file, _ in ranks) for k in (1, 5)})
    functions = [rank for _, rank in ranks if rank is not None]
    counts.update({f"function@{k}": sum(rank <= k for rank in functions) for k in (5, 10)})
    counts["reports"], counts["with functions"] = len(ranks), len(functions)
    return counts


def _tell_moved(fitted: Weights) -> None:
    package = _package()
    rows = (
        (UNITS, package.units, fitted.units),
        (FILES, package.files, fitted.files),
        (("file's share", "units' share"), package.shares, fitted.shares),
    )
    moved = [
        f"{name} {old:g} -> {new:g}"
        for names, before, after in rows
        for name, old, new in zip(names, before, after, strict=True)
        if old != new
    ]
    print("would move:", ", ".join(moved) or "none")


def worth(cases: Sequence[Case], seconds: Mapping[str, float]) -> None:
    """Print what is lost without each signal, and its median milliseconds."""
    whole = figures(cases, _package())
    _show("all signals", len(cases), whole)
    for part, names in (("unit", UNITS), ("file", FILES)):
        for place, name in enumerate(names):
            weights = _package()
            row = weights.units if part == "unit" else weights.files
            row[place] = 0.0
            without = figures(cases, weights)
            lost = {key: without[key] - whole[key] for key in whole}
            cost = 1000 * seconds[f"{part} {name}"]
            _show(f"without {part} {name}", len(cases), lost, milliseconds=cost)


def _show(
    name: str, number: int, shown: Mapping[str, float], *, milliseconds: float | None = None
) -> None:
    cost = "" if milliseconds is None else f" | {milliseconds:6.1f} ms"
    line = " | ".join(f"{key} {shown[key]:+6.1f}" for key in SHOWN)
    print(f"{name:42} | {number:4} | {line}{cost}", flush=True)


def _weights(
    units: Mapping[str, float], files: Mapping[str, float], shares: Sequence[float]
) -> Weights:
    return Weights(
        np.array([units.get(name, 0.0) for name in UNITS]),
        np.array([files.get(name, 0.0) for name in FILES]),
        np.array(shares),
    )


def _sketch() -> Weights:
    return _weights(SKETCH_UNITS, SKETCH_FILES, SKETCH_SHARES)


def _package() -> Weights:
    return _weights(UNIT_WEIGHTS, FILE_WEIGHTS, (FILE_SHARE, UNITS_SHARE))


def signals(report: Report, index: Index) -> tuple[dict[str, Any], dict[str, float]]:
    """A report's signals, cut to the likeliest units, and the seconds of each signal."""
    query = understand(evidence.read(report.problem_statement), index)
    seconds: dict[str, float] = {}
    found: dict[str, Floats] = {}

    def timed(label: str, *arguments: Any, signal: Any) -> Floats:
        began = time.perf_counter()
        found[label] = np.asarray(signal(*arguments))
        seconds[label] = time.perf_counter() - began
        return found[label]

    share = part_shares(query, index)
    unit_columns = [timed(f"unit {n}", query, index, signal=f) for n, f in UNIT_SIGNALS.items()]
    file_columns = [timed(f"file {n}", query, index, signal=f) for n, f in FILE_SIGNALS.items()]
    unit_weights = np.array([UNIT_WEIGHTS[name] for name in UNIT_SIGNALS])
    file_weights = np.array([FILE_WEIGHTS[name] for name in FILES])
    own = np.stack(unit_columns, 1) @ unit_weights * share[index.unit_file] * index.unit_alive
    files = np.stack(file_columns, 1) @ file_weights
    scores = own + FILE_SHARE * (files * share)[index.unit_file]
    first = Candidates(own, scores)
    unit_columns += [
        timed(f"unit {n}", query, index, first, signal=f) for n, f in CANDIDATE_SIGNALS.items()
    ]
    kept = _cut(report, index, units=np.stack(unit_columns, 1), files=np.stack(file_columns, 1))
    return kept, seconds


def _cut(report: Report, index: Index, *, units: Floats, files: Floats) -> dict[str, Any]:
    query = understand(evidence.read(report.problem_statement), index)
    gold_functions_ = {(place.path, place.start) for place in gold_functions(report, index)}
    gold_files = {gold.path for gold in report.gold} & set(index.paths)
    gold_units = [
        unit
        for path in sorted(gold_files)
        for unit in index.units_of(index.file_number(path) or 0)
        if (path, index.symbol(unit).start) in gold_functions_
        and index.symbol(unit).kind in ("function", "method")
    ]
    by_file = files.sum(1)[index.unit_file]
    likely = np.argsort(-(units.sum(1) + 0.3 * by_file) * index.unit_alive, kind="stable")
    kept = np.union1d(likely[:KEPT_UNITS], np.array(gold_units, dtype=np.int64))
    kept = kept[index.unit_alive[kept]]
    numbers = {index.file_number(path) for path in gold_files}
    kept_files = np.union1d(index.unit_file[kept], np.array(sorted(map(int, numbers - {None}))))
    kept_files = kept_files.astype(np.int64)
    index.prefetch(sorted({index.file_paths[int(n)] for n in index.unit_file[kept]}))
    return {
        "repo": report.repo,
        "units": units[kept],
        "files": files[kept_files],
        "unit_file": np.searchsorted(kept_files, index.unit_file[kept]),
        "share": part_shares(query, index)[kept_files],
        "is_function": np.array(
            [index.symbol(int(u)).kind in ("function", "method") for u in kept], dtype=bool
        ),
        "gold_units": np.searchsorted(kept, np.array(gold_units, dtype=np.int64)),
        "gold_files": np.flatnonzero(np.isin(kept_files, [n for n in numbers if n is not None])),
        "functions": len(gold_functions_),
        "places": len({gold.path for gold in report.gold}),
    }


def read_all(reports: Path, *, repositories: Path, into: Path, cache: Path) -> None:
    """Keep the signals of each report; those kept already are not read again."""
    into.mkdir(parents=True, exist_ok=True)
    for report in read(reports):
        kept = into / f"{report.id.replace('/', '__')}.npz"
        clone = find_clone(repositories, report.history)
        if kept.exists() or clone is None:
            continue
        snapshot = open_snapshot(clone, revision=report.base_commit)
        index = build(snapshot, Store(cache), progress=Silent())
        rank(evidence.read(report.problem_statement), index)  # maps what the clock shall not see
        arrays, seconds = signals(report, index)
        with kept.open("wb") as file:
            np.savez_compressed(file, **arrays, **{f"s {k}": v for k, v in seconds.items()})
        print(report.id, flush=True)


def load(folder: Path) -> Iterator[tuple[Case, dict[str, float]]]:
    """What `read` kept."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as arrays:
            seconds = {k[2:]: float(arrays[k]) for k in arrays.files if k.startswith("s ")}
            fields = {k: arrays[k] for k in arrays.files if not k.startswith("s ")}
        scalars = {k: fields[k].item() for k in ("repo", "functions", "places")}
        yield Case(**{**fields, **scalars}), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    reading = commands.add_parser("read")
    reading.add_argument("reports", type=Path)
    reading.add_argument("--repos", type=Path, required=True)
    reading.add_argument("--into", type=Path, required=True)
    reading.add_argument("--cache", type=Path, required=True, help="a folder for the indexes")
    for name in ("worth", "fit"):
        counting = commands.add_parser(name)
        counting.add_argument("folder", type=Path)
        if name == "fit":
            counting.add_argument("--beside", type=Path, help="signals of other languages' reports")
    given = parser.parse_args()
    if given.command == "read":
        read_all(given.reports, repositories=given.repos, into=given.into, cache=given.cache)
        return
    loaded = list(load(given.folder))
    cases = [case for case, _ in loaded]
    if given.command == "fit":
        fit(cases, [case for case, _ in load(given.beside)] if given.beside else [])
        return
    costs = {k: float(np.median([s[k] for _, s in loaded])) for k in loaded[0][1]}
    worth(cases, costs)


if __name__ == "__main__":
    main()
