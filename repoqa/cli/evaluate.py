"""`repoqa eval`: benchmarks that a user can repeat."""

import os
import shlex
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from repoqa.cli import completion
from repoqa.cli.code import code
from repoqa.cli.longcontext import longcontext
from repoqa.cli.options import Plot, Repo
from repoqa.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from repoqa.evaluation.measure import Measurement, Task
    from repoqa.evaluation.reports import Report
    from repoqa.protocols import Progress
    from repoqa.terminal.output import Output

Without: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="SIGNAL",
        help="Rank without this signal (again for more).",
        show_default=False,
        autocompletion=completion.signals,
    ),
]
app = typer.Typer(name="eval", help="Measure how well code is found, read and written.")


app.command()(longcontext)
app.command()(code)


@app.callback()
def _group() -> None:
    """Measure how well code is found, read and written."""


@app.command()
def localize(
    reports: Annotated[
        Path, typer.Argument(metavar="REPORTS", help="Bug reports with their fixes (.jsonl).")
    ],
    repos: Annotated[
        Path, typer.Option("--repos", metavar="DIR", help="Where the clones are: OWNER/NAME.")
    ],
    jobs: Annotated[
        int, typer.Option("--jobs", metavar="N", min=1, help="Reports measured side by side.")
    ] = 1,
    limit: Annotated[
        int | None,
        typer.Option("--limit", metavar="K", min=1, help="The first K only.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Keep each report's figures here; a second run goes on from them.",
            show_default=False,
        ),
    ] = None,
    without: Without = None,
    plot: Plot = None,
) -> None:
    """Rank and pack real bug reports and compare with what their fixes changed.

    Strict: a report counts where all its places are found. A report is a JSON object with id, lang,
    repo, history (the clone below DIR), base_commit, problem_statement, and gold: a list of path
    and ranges, the lines at base_commit that the fix changed. `repoqa eval mine` makes such a file.
    """
    from repoqa.cli.charting import check_charts, show_chart
    from repoqa.evaluation import reports as data
    from repoqa.evaluation.charts import coverage_chart
    from repoqa.evaluation.measure import Task
    from repoqa.settings import read_settings
    from repoqa.terminal.evaluation import localization_tables
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress

    check_charts(plot)
    wanted = list(data.read(reports))[:limit]
    cache = read_settings(environment=os.environ, flags={}).cache_dir
    task = Task(repos, cache / "index", _known_signals(without or ()))
    output = standard_output()
    with shown_progress(output) as progress:
        measured = _measured(wanted, task, jobs=jobs, out=out, progress=progress)
    output.write(localization_tables(measured))
    show_chart(coverage_chart(measured), output, plot=plot)


@app.command()
def mine(
    repo: Repo = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="The newest N fixes at most.")
    ] = 100,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write the reports here (default: standard output).",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make bug reports from a repository's own history, for `repoqa eval localize`.

    A report is a commit that says it fixes a bug and changes at most three files of code, tests and
    documents aside: its message is the question, the lines that it changed are the answer.
    """
    from repoqa.evaluation import mine as history
    from repoqa.evaluation.reports import encoded
    from repoqa.repository.past import Past
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress

    past = Past(repo or Path())
    output, found = standard_output(), 0
    with _destination(out, output) as write, shown_progress(output) as progress:
        for report in history.mine(past, limit=limit, progress=progress):
            write(encoded(report))
            found += 1
    if not found:
        output.note("no commit of this history says that it fixes a bug in few places")
    elif out:
        reports, folder = shlex.quote(str(out)), shlex.quote(str(past.root.parent))
        output.note(
            f"{found:,} reports; measure them: repoqa eval localize {reports} --repos {folder}"
        )


@contextmanager
def _destination(out: Path | None, output: "Output") -> "Iterator[Callable[[bytes], object]]":
    """Where lines go: each is there as soon as it is written, so an interrupted run keeps them."""
    if out is None:
        yield output.write_bytes
        return
    try:
        with out.open("wb", buffering=0) as file:
            yield file.write
    except OSError as error:
        raise UsageError(
            f"{out} cannot be written: {error.strerror}", remedy="Name another file with --out."
        ) from error


def _measured(
    wanted: "Sequence[Report]", task: "Task", *, jobs: int, out: Path | None, progress: "Progress"
) -> "list[Measurement]":
    import msgspec

    from repoqa.evaluation.measure import measure_all, measured_before, remaining

    measured = measured_before(out) if out else []
    left = remaining(wanted, measured)
    progress.start("measuring", total=len(left), unit="reports")
    for measurement in measure_all(left, task, jobs=jobs):
        measured.append(measurement)
        progress.advance()
        if out:
            with out.open("ab") as file:
                file.write(msgspec.json.encode(measurement) + b"\n")
    progress.finish()
    names = {report.id for report in wanted}
    return sorted((m for m in measured if m.id in names), key=lambda m: m.id)


def _known_signals(names: "Sequence[str]") -> frozenset[str]:
    from repoqa.ranking.weights import FILE_WEIGHTS, UNIT_WEIGHTS
    from repoqa.settings import nearest

    known = sorted({*UNIT_WEIGHTS, *FILE_WEIGHTS})
    for name in names:
        if name not in known:
            offered = nearest(name, known, count=3) or known
            raise UsageError(f"There is no signal {name}.", remedy=f"Try: {', '.join(offered)}.")
    return frozenset(names)
