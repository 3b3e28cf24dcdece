"""Patterns with hints: of some fifty formats a question holds one or two, a long log a few."""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Hinted(NamedTuple):
    """A pattern whose every match holds one of `hints`: a text without them is not searched.

    It is compiled when a text holds one: to compile all of them would take longer than to read a
    question. `^` and `$` are ends of lines.
    """

    hints: tuple[str, ...]
    pattern: str

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Its matches in a text, in order."""
        if any(hint in text for hint in self.hints):
            yield from re.compile(self.pattern, re.MULTILINE).finditer(text)
