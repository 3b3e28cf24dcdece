"""Guesses the tokens that follow: those that stood behind the last two where they stood before, in
the prompt or the answer (prompt lookup, Saxena 2023).

An answer about code repeats the code's names. The model checks guesses all at once, for little more
than one token takes on a CPU, and a wrong guess changes nothing but time: docs/benchmarks.md.
"""

from collections.abc import Sequence

MOST_GUESSED = 3


class Lookup:
    """Where each pair of tokens stood last."""

    def __init__(self) -> None:
        self._behind: dict[tuple[int, int], int] = {}
        self._known = 2

    def guess(self, tokens: Sequence[int]) -> list[int]:
        """What may follow all of these, which go on from those of the last call."""
        for place in range(self._known, len(tokens)):
            self._behind[tokens[place - 2], tokens[place - 1]] = place
        self._known = max(self._known, len(tokens))
        last = (tokens[-2], tokens[-1]) if len(tokens) > 1 else (-1, -1)
        start = self._behind.get(last, len(tokens))
        return list(tokens[start : start + MOST_GUESSED])
