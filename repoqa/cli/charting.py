"""A command's figures as a chart: into the file that `--plot` names, and on a terminal."""

from pathlib import Path

from repoqa.chart import Chart
from repoqa.formats import plot as picture
from repoqa.terminal import charts
from repoqa.terminal.output import Output


def check_charts(plot: Path | None) -> None:
    """Raise UsageError where `--plot` cannot be followed, before there is anything to draw."""
    if plot:
        picture.check_plot(plot)


def show_chart(chart: Chart, output: Output, *, plot: Path | None) -> None:
    """Show a chart where standard output is a terminal, and draw it where `--plot` says."""
    charts.show(chart, output)
    if plot:
        picture.write_plot(chart, plot)
        output.note(f"drawn: {plot}")
