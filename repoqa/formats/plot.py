"""A chart as a picture (PNG, SVG or PDF), by matplotlib, which `repoqa-cli[plot]` installs.

The same chart gives the same bytes with the same matplotlib and settings of it.
"""

import io
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repoqa.chart import Chart, short
from repoqa.errors import UsageError
from repoqa.formats.file import check_target, write_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OPTION = "--plot"
SUFFIXES = (".png", ".svg", ".pdf")
INCHES = (7.2, 4.2)
DOTS_PER_INCH = 144
# Okabe and Ito's colours, which people who see colours differently tell apart; the marks do too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKS = "osD^vPX"
MOST_MARKED = 40  # points of a line: with more, the marks hide it
MOST_TICKS = 10  # with more, their numbers run into each other
INK, GRID = "#333333", "#dddddd"
# No time and no version, and ids that do not change: the bytes are the chart's alone.
SETTINGS: Any = {"svg.hashsalt": "repoqa", "font.family": "DejaVu Sans", "font.size": 10}
NAMELESS = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def check_plot(path: Path) -> None:
    """Raise UsageError where a plot cannot be drawn or written, before the work for it begins."""
    if path.suffix.lower() not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise UsageError(
            f"{OPTION}: {path} is no picture that is written here", remedy=f"End it with {known}."
        )
    if find_spec("matplotlib") is None:
        raise UsageError(
            f"{OPTION} draws with matplotlib, which is not installed",
            remedy="Install repoqa-cli[plot].",
        )
    check_target(path, option=OPTION)


def write_plot(chart: Chart, path: Path) -> None:
    """Draw the chart into a file. Raises UsageError as `check_plot` does, and where it has no
    points."""
    check_plot(path)
    if chart.is_empty:
        raise UsageError(f"{OPTION}: nothing was measured", remedy=f"Leave {OPTION} out.")
    write_file(path, drawn(chart, path.suffix.lower()), option=OPTION)


def drawn(chart: Chart, suffix: str) -> bytes:
    """The picture's bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=INCHES, layout="constrained")
        axes = figure.add_subplot()
        for number, line in enumerate(chart.lines):
            axes.plot(
                *zip(*line.drawn, strict=True) if line.drawn else ((), ()),
                label=line.name.replace("$", r"\$"),
                color=COLOURS[number % len(COLOURS)],
                marker=MARKS[number % len(MARKS)] if len(line.drawn) <= MOST_MARKED else None,
                markersize=4.5,
                linewidth=1.8,
            )
        axes.set_title(chart.title, loc="left", fontweight="bold", color=INK)
        _dress(axes, chart)
        content = io.BytesIO()
        figure.savefig(content, format=suffix[1:], dpi=DOTS_PER_INCH, metadata=NAMELESS[suffix])
    return content.getvalue()


def _dress(axes: "Axes", chart: Chart) -> None:
    """Scales, ticks, names, and a legend where there is more than one line."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    axes.set_xscale("log" if chart.x.logarithmic else "linear")
    axes.set_yscale("log" if chart.y.logarithmic else "linear")
    axes.set_xlabel(chart.x.label, color=INK)
    axes.set_ylabel(chart.y.label, color=INK)
    if chart.y.bounds:
        axes.set_ylim(*chart.y.bounds)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
        axis.set_minor_locator(NullLocator())
    if chart.y.logarithmic:  # few of its powers of ten lie between the values
        axes.yaxis.set_major_locator(MaxNLocator(MOST_TICKS))
    measured = sorted({x for line in chart.lines for x, _ in line.drawn})
    if chart.x.logarithmic and len(measured) <= MOST_TICKS:
        axes.xaxis.set_major_locator(FixedLocator(measured))
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if len(chart.lines) > 1:
        axes.legend(frameon=False)
