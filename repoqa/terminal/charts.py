"""Charts for a terminal: lines in braille dots (2 by 4 in a character), an axis on two sides."""

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from repoqa.chart import Chart, Point, short
from repoqa.terminal.output import Output, StyledText
from repoqa.visible import one_line

WIDTH, HEIGHT = 60, 10  # characters between the axes: a chart and its table fit a small window
STYLES = ("cyan", "magenta", "yellow", "green", "blue", "red")
MOST_TICKS = 8  # points; of more, the quarters between the ends are named
QUARTERS = (0.25, 0.5, 0.75)
BLANK = 0x2800  # the braille pattern without dots
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
ACROSS, DOWN = 2, 4  # dots in a character


def show(chart: Chart, output: Output) -> None:
    """The chart under an empty line, on a terminal that can show it; nothing anywhere else."""
    encoding = output.stdout.encoding or "ascii"
    if output.is_live and codecs.lookup(encoding).name == "utf-8":
        output.styled((("\n", ""), *chart_lines(chart)))


def chart_lines(chart: Chart, *, width: int = WIDTH, height: int = HEIGHT) -> Iterator[StyledText]:
    """The title, the legend, the lines with their axes; nothing for a chart without points."""
    if chart.is_empty:
        return
    yield (f"{one_line(chart.title)}\n", "bold")
    yield from _legend(chart)
    canvas = _Canvas(width, height)
    for number, line in enumerate(chart.lines):
        canvas.draw(_dots(chart, line.drawn, canvas), STYLES[number % len(STYLES)])
    low, high = chart.bounds(1)
    labels = {0: short(high), height - 1: short(low)}
    margin = max(map(len, labels.values()))
    for row in range(height):
        yield (f"{labels.get(row, ''):>{margin}} ", "")
        yield ("┤" if row in labels else "│", "dim")
        yield from canvas.row(row)
        yield ("\n", "")
    yield (f"{'':{margin}} └{'─' * width}\n", "dim")
    yield (f"{'':{margin}}  {_ticks(chart, width)}\n", "")
    yield (f"{'':{margin}}  {one_line(chart.x.label):^{width}}".rstrip() + "\n", "dim")


def _legend(chart: Chart) -> Iterator[StyledText]:
    yield (f"{one_line(chart.y.label)}:", "dim")
    for number, line in enumerate(chart.lines):
        yield ("  ━━ ", STYLES[number % len(STYLES)])
        yield (one_line(line.name), "")
    yield ("\n", "")


@dataclass(slots=True)
class _Canvas:
    """Dots by character; a character has the style of the line that drew in it last."""

    width: int
    height: int
    _cells: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)

    def draw(self, corners: Sequence[Point], style: str) -> None:
        """A line through these dots, counted from the top left."""
        for (x, y), (to_x, to_y) in zip(corners, (*corners[1:], *corners[-1:]), strict=True):
            steps = max(round(abs(to_x - x)), round(abs(to_y - y)), 1)
            for step in range(steps + 1):
                part = step / steps
                self._dot(round(x + part * (to_x - x)), round(y + part * (to_y - y)), style)

    def _dot(self, x: int, y: int, style: str) -> None:
        place = (x // ACROSS, y // DOWN)
        known, _ = self._cells.get(place, (0, ""))
        self._cells[place] = (known | DOTS[y % DOWN][x % ACROSS], style)

    def row(self, number: int) -> Iterator[StyledText]:
        """The characters of a row."""
        for column in range(self.width):
            dots, style = self._cells.get((column, number), (0, ""))
            yield (chr(BLANK + dots) if dots else " ", style)


def _dots(chart: Chart, points: Sequence[Point], canvas: _Canvas) -> list[Point]:
    """The points as dots from the top left."""
    across, down = chart.bounds(0), chart.bounds(1)
    right, bottom = canvas.width * ACROSS - 1, canvas.height * DOWN - 1
    return [
        (chart.x.share(x, across) * right, (1 - chart.y.share(y, down)) * bottom) for x, y in points
    ]


def _ticks(chart: Chart, width: int) -> str:
    """The values of x below their places, the ends first, then those between that have room."""
    ends = chart.bounds(0)
    between = sorted({x for line in chart.lines for x, _ in line.drawn})
    if len(between) > MOST_TICKS:
        between = [ends[0] + part * (ends[1] - ends[0]) for part in QUARTERS]
    taken: dict[int, str] = {}
    for value in (*ends, *between):
        label = short(value)
        place = round(chart.x.share(value, ends) * (width - 1)) - len(label) // 2
        start = min(max(place, 0), width - len(label))
        if _is_free(taken, start, len(label)):
            taken[start] = label
    line = ""
    for start, label in sorted(taken.items()):
        line = f"{line:<{start}}{label}"
    return line


def _is_free(taken: Mapping[int, str], start: int, length: int) -> bool:
    """Whether a label has a space on both sides."""
    return all(
        start > other + len(label) or start + length < other for other, label in taken.items()
    )
