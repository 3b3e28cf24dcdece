"""A training example as it lies in a file: one JSON object a line, for any model.

How it is put to a model, with its chat format and its tokens, is another module's work.
"""

from typing import TypeAlias

import msgspec


class Shown(msgspec.Struct, frozen=True):
    """Lines of a file, the first of them numbered `start`. `changed` are those, 1-based and
    inclusive, that a fix replaced or added behind."""

    path: str
    start: int
    lines: tuple[str, ...]
    changed: tuple[tuple[int, int], ...]

    @property
    def end(self) -> int:
        """The number of the last line."""
        return self.start + len(self.lines) - 1


class FixPair(msgspec.Struct, frozen=True, tag="fix", tag_field="kind"):
    """A fix from the history: what its message says and the code as it was before, to be answered
    with where it changed that and how. `time` is the commit's, in seconds since 1970."""

    id: str
    time: int
    question: str
    shown: tuple[Shown, ...]
    answer: str


class GapPair(msgspec.Struct, frozen=True, tag="infill", tag_field="kind"):
    """Whole lines taken out of a function of the current code, and what stands around them. `time`
    is when the file was last changed; 0 where the history does not tell."""

    id: str
    time: int
    path: str
    prefix: str
    middle: str
    suffix: str


Example: TypeAlias = FixPair | GapPair
KINDS = ("fix", "infill")


def kind_of(example: Example) -> str:
    """`fix` or `infill`."""
    return KINDS[isinstance(example, GapPair)]
