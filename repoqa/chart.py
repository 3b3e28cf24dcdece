"""A line chart as a record: what a plot in a file and a chart in a terminal both draw."""

from dataclasses import dataclass
from math import isfinite, log

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A named line through points, sorted by x; those that are not finite are not drawn."""

    name: str
    points: tuple[Point, ...]

    @property
    def drawn(self) -> tuple[Point, ...]:
        """The points that can be drawn."""
        return tuple(point for point in self.points if all(map(isfinite, point)))


@dataclass(frozen=True, slots=True)
class Axis:
    """What one axis counts. `logarithmic` ones hold only values over 0; `bounds` are the values at
    its ends, None for the least and the greatest one drawn."""

    label: str
    logarithmic: bool = False
    bounds: Point | None = None

    def share(self, value: float, bounds: Point) -> float:
        """Where a value stands between the bounds, from 0 to 1; the middle where they are one."""
        low, high = (log(end) for end in bounds) if self.logarithmic else bounds
        place = log(value) if self.logarithmic else value
        return (place - low) / (high - low) if high > low else 0.5


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over two axes."""

    title: str
    x: Axis
    y: Axis
    lines: tuple[Line, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is no point to draw."""
        return not any(line.drawn for line in self.lines)

    def bounds(self, axis: int) -> Point:
        """The values at the ends of the x axis (0) or the y axis (1); the chart is not empty."""
        fixed = (self.x, self.y)[axis].bounds
        values = [point[axis] for line in self.lines for point in line.drawn]
        return fixed or (min(values), max(values))


def short(value: float) -> str:
    """A number for a tick, to three digits: `0.25`, `5.31`, `400`, `13k`, `1.5M`."""
    for size, suffix in ((1_000_000, "M"), (1_000, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{suffix}"
    return f"{value:.3g}"
