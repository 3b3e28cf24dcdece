"""Turns public benchmarks of bug reports into the shape that `repoqa eval localize` reads.

    python benchmarks/public_reports.py verified.parquet --leave-out lite.parquet > python.jsonl
    python benchmarks/public_reports.py zstd_dataset.jsonl fd_dataset.jsonl > others.jsonl

Read are the files of SWE-bench (huggingface.co/datasets/princeton-nlp/SWE-bench_Verified, and _Lite
for what to leave out) and of Multi-SWE-bench (huggingface.co/datasets/ByteDance-Seed/
Multi-SWE-bench)
as published: JSON lines, or Parquet where pyarrow is installed. Reports whose fix changes no code
that was there before are left out.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path

import msgspec

from repoqa.evaluation.reports import Gold, Report, encoded
from repoqa.evidence.changes import replaced
from repoqa.parsing.languages import detect

PARQUET = ".parquet"


class Verified(msgspec.Struct, frozen=True):
    """A row of SWE-bench. `patch` is the fix without its tests."""

    instance_id: str
    repo: str
    base_commit: str
    problem_statement: str
    patch: str


class Base(msgspec.Struct, frozen=True):
    """The branch that a pull request was made against."""

    sha: str


class Issue(msgspec.Struct, frozen=True):
    """An issue that a pull request resolved."""

    title: str
    body: str | None = None


class Multilingual(msgspec.Struct, frozen=True):
    """A row of Multi-SWE-bench. `fix_patch` is the fix without its tests."""

    org: str
    repo: str
    number: int
    base: Base
    resolved_issues: tuple[Issue, ...]
    fix_patch: str


def converted(row: object, *, histories: Mapping[str, str]) -> Report | None:
    """A published row as a report, or None where its fix changes no code that was there before.

    `histories` names another clone for a repository. Raises msgspec.ValidationError for a row of
    neither shape.
    """
    if isinstance(row, dict) and "fix_patch" in row:
        found = msgspec.convert(row, Multilingual)
        name = f"{found.org}/{found.repo}"
        number, commit = f"{found.org}__{found.repo}-{found.number}", found.base.sha
        texts = (f"{issue.title}\n{issue.body or ''}".strip() for issue in found.resolved_issues)
        text, gold = "\n\n".join(texts), places(found.fix_patch)
    else:
        single = msgspec.convert(row, Verified)
        name, number, commit = single.repo, single.instance_id, single.base_commit
        text, gold = single.problem_statement, places(single.patch)
    if not gold:
        return None
    return Report(
        id=number,
        lang=detect(gold[0].path, b""),
        repo=name,
        history=histories.get(name, name),
        base_commit=commit,
        problem_statement=text,
        gold=gold,
    )


def places(patch: str) -> tuple[Gold, ...]:
    """The code that a fix replaces, with the lines as they were before it."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    for lines in replaced(patch):
        if detect(lines.path, b""):
            ranges.setdefault(lines.path, []).append((lines.start, lines.end))
    return tuple(Gold(path, tuple(found)) for path, found in sorted(ranges.items()))


def rows(path: Path) -> Iterator[object]:
    """The rows of a published file."""
    if path.suffix != PARQUET:
        with path.open("rb") as lines:
            yield from (msgspec.json.decode(line) for line in lines if line.strip())
        return
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError as error:
        raise SystemExit(f"{path}: Parquet needs pyarrow: pip install pyarrow") from error
    yield from parquet.read_table(path).to_pylist()


def reports(
    files: Iterable[Path], *, left_out: Iterable[Path], histories: Mapping[str, str]
) -> Iterator[Report]:
    """The reports of published files, without those that stand in `left_out`."""
    names = [converted(row, histories=histories) for path in left_out for row in rows(path)]
    known = {report.id for report in names if report}
    for path in files:
        for row in rows(path):
            report = converted(row, histories=histories)
            if report and report.id not in known:
                yield report


def main() -> None:
    """Write the reports to standard output."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path)
    parser.add_argument("--leave-out", metavar="FILE", action="append", default=[], type=Path)
    parser.add_argument(
        "--history",
        metavar="REPO=CLONE",
        action="append",
        default=[],
        help="look for REPO's commits in another clone, a smaller fork for example",
    )
    asked = parser.parse_args()
    histories = dict(pair.split("=", 1) for pair in asked.history)
    for report in reports(asked.files, left_out=asked.leave_out, histories=histories):
        sys.stdout.buffer.write(encoded(report))


if __name__ == "__main__":
    main()
