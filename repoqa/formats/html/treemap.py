"""Squarified treemaps (Bruls, Huizing and van Wijk, 2000): areas as rectangles near to squares."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A place and a size, in any unit."""

    left: float
    top: float
    width: float
    height: float


def squarify(sizes: Sequence[float], frame: Rectangle) -> list[Rectangle]:
    """A rectangle for each size (all over 0, the largest first), whose areas are in proportion and
    fill the frame."""
    scale = frame.width * frame.height / sum(sizes) if sizes else 0.0
    placed: list[Rectangle] = []
    row: list[float] = []
    for area in (size * scale for size in sizes):
        side = min(frame.width, frame.height)
        if row and _worst([*row, area], side) > _worst(row, side):
            placed += _laid(row, frame)
            frame, row = _without(row, frame), []
        row.append(area)
    return [*placed, *_laid(row, frame)]


def _worst(row: Sequence[float], side: float) -> float:
    """The greatest ratio of sides among the rectangles of a row along this side."""
    total = sum(row)
    return max(max(side**2 * area / total**2, total**2 / (side**2 * area)) for area in row)


def _laid(row: Sequence[float], frame: Rectangle) -> list[Rectangle]:
    """The row as rectangles along the frame's shorter side, at its left or its top."""
    total, placed, offset = sum(row), [], 0.0
    for area in row:
        length = area / total
        if frame.width >= frame.height:
            part = Rectangle(
                frame.left,
                frame.top + offset * frame.height,
                total / frame.height,
                length * frame.height,
            )
        else:
            part = Rectangle(
                frame.left + offset * frame.width,
                frame.top,
                length * frame.width,
                total / frame.width,
            )
        placed.append(part)
        offset += length
    return placed


def _without(row: Sequence[float], frame: Rectangle) -> Rectangle:
    """What the row leaves of the frame."""
    total = sum(row)
    if frame.width >= frame.height:
        taken = total / frame.height
        return Rectangle(frame.left + taken, frame.top, frame.width - taken, frame.height)
    taken = total / frame.width
    return Rectangle(frame.left, frame.top + taken, frame.width, frame.height - taken)
