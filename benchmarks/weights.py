"""The ranking's weights: how they are fitted, what each signal is worth, and what it costs.

    python benchmarks/weights.py read REPORTS.jsonl --repos DIR --into FOLDER --cache CACHE
    python benchmarks/weights.py worth FOLDER
    python benchmarks/weights.py fit FOLDER

`read` keeps each report's signals as arrays (of the 900 likeliest units, and of their files).
`worth` leaves out each signal in turn. `fit` starts from the hand-made sketch and moves one weight
at a time on a grid as long as that helps, on all repositories but one group, and counts on the
group left out; beside it stand the weights of the package. Nothing is random.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
SKETCH_UNITS = {"text": 1.0, "title": 0.5, "name": 0.5, "title_name": 0.5, "definition": 1.0}
SKETCH_UNITS |= {"dotted": 1.0, "trace": 1.5, "mention": 1.0, "diff": 1.0}
SKETCH_FILES = {"text": 1.0, "title": 0.5, "path": 0.5, "title_path": 0.5, "module": 1.0}
SKETCH_FILES |= {"mention": 1.5, "trace": 1.5, "diff": 1.0}
GRID = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
# A weight moves only for more than chance moves: half a report in a hundred.
LEAST_GAIN = 1.0
ROUNDS = 3
KEPT_UNITS = 900
# Repositories with few reports are left out together.
OWN_GROUP = 20

Floats = NDArray[np.float64]
Weights = tuple[Floats, Floats]


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
        own, files = self.units @ weights[0], self.files @ weights[1]
        order = np.lexsort((-own, self.unit_file))
        nth = np.arange(len(order)) - np.searchsorted(self.unit_file[order], self.unit_file[order])
        best = order[nth < BEST_UNITS]
        lift = np.bincount(
            self.unit_file[best],
            weights=own[best] / (1 + nth[nth < BEST_UNITS]),
            minlength=len(files),
        )
        files = (files + UNITS_SHARE * lift) * self.share
        units = own * self.share[self.unit_file] + FILE_SHARE * files[self.unit_file]
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
    hits = {f"file@{k}": 100 * float((files <= k).mean()) for k in (1, 5)}
    if len(functions):
        hits |= {f"function@{k}": 100 * float((functions <= k).mean()) for k in (5, 10)}
    near = [100 * float((1 / ranks).mean()) for ranks in (files, functions) if len(ranks)]
    return {**hits, "sum": sum(hits.values()) + sum(near)}


def ascend(cases: Sequence[Case], weights: Weights) -> Weights:
    """Move one weight at a time to the grid's best, until none gains enough."""
    units, files = weights[0].copy(), weights[1].copy()
    best = figures(cases, (units, files))["sum"]
    for _ in range(ROUNDS):
        before = best
        for row in (units, files):
            for place in range(len(row)):
                best = _best_step(cases, (units, files), row, place=place, best=best)
        if best == before:
            break
    return units, files


def _best_step(
    cases: Sequence[Case], weights: Weights, row: Floats, *, place: int, best: float
) -> float:
    current = chosen = row[place]
    least = best + LEAST_GAIN
    for value in GRID:
        row[place] = value
        if value != current and (gained := figures(cases, weights)["sum"]) > least:
            chosen, least = value, gained
    row[place] = chosen
    return best if chosen == current else least


def fit(cases: Sequence[Case]) -> None:
    """Print what is found on each group of repositories left out, and the weights from all."""
    sketch = _weights(SKETCH_UNITS, SKETCH_FILES)
    package = _weights(UNIT_WEIGHTS, FILE_WEIGHTS)
    sizes = Counter(case.repo for case in cases)
    group_of = {repo: repo if size >= OWN_GROUP else "others" for repo, size in sizes.items()}
    for group in sorted(set(group_of.values())):
        inside = [case for case in cases if group_of[case.repo] == group]
        outside = [case for case in cases if group_of[case.repo] != group]
        _show(f"{group}: sketch", len(inside), figures(inside, sketch))
        _show(f"{group}: fitted elsewhere", len(inside), figures(inside, ascend(outside, sketch)))
        _show(f"{group}: the package's", len(inside), figures(inside, package))
    fitted = ascend(cases, package)
    for name, weights in (("sketch", sketch), ("package", package), ("moved from it", fitted)):
        _show(f"all: {name}", len(cases), figures(cases, weights))
    for names, before, after in zip((UNITS, FILES), package, fitted, strict=True):
        moved = {
            name: f"{old:g} -> {new:g}"
            for name, old, new in zip(names, before, after, strict=True)
            if old != new
        }
        print("would move:", moved or "none")


def worth(cases: Sequence[Case], seconds: Mapping[str, float]) -> None:
    """Print what is lost without each signal, and its median milliseconds."""
    package = _weights(UNIT_WEIGHTS, FILE_WEIGHTS)
    whole = figures(cases, package)
    _show("all signals", len(cases), whole)
    for part, names in enumerate((UNITS, FILES)):
        for place, name in enumerate(names):
            weights = (package[0].copy(), package[1].copy())
            weights[part][place] = 0.0
            without = figures(cases, weights)
            label = f"{('unit', 'file')[part]} {name}"
            lost = {key: without[key] - whole[key] for key in whole}
            _show(f"without {label}", len(cases), lost, milliseconds=1000 * seconds[label])


def _show(
    name: str, number: int, shown: Mapping[str, float], *, milliseconds: float | None = None
) -> None:
    cost = "" if milliseconds is None else f" | {milliseconds:6.1f} ms"
    line = " | ".join(f"{key} {value:+6.1f}" for key, value in shown.items())
    print(f"{name:42} | {number:4} | {line}{cost}", flush=True)


def _weights(units: Mapping[str, float], files: Mapping[str, float]) -> Weights:
    return (
        np.array([units.get(name, 0.0) for name in UNITS]),
        np.array([files.get(name, 0.0) for name in FILES]),
    )


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
        commands.add_parser(name).add_argument("folder", type=Path)
    given = parser.parse_args()
    if given.command == "read":
        read_all(given.reports, repositories=given.repos, into=given.into, cache=given.cache)
        return
    loaded = list(load(given.folder))
    cases = [case for case, _ in loaded]
    if given.command == "fit":
        fit(cases)
        return
    costs = {k: float(np.median([s[k] for _, s in loaded])) for k in loaded[0][1]}
    worth(cases, costs)


if __name__ == "__main__":
    main()
