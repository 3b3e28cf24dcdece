"""The functions of a file that stand on their own."""

from collections.abc import Sequence

from repoqa.records import Symbol

FUNCTIONS = ("function", "method")


def outer_functions(symbols: Sequence[Symbol]) -> list[Symbol]:
    """The functions and methods not nested in another function; symbols are sorted by start."""
    found: list[Symbol] = []
    for symbol in symbols:
        if symbol.kind in FUNCTIONS and not (found and symbol.end <= found[-1].end):
            found.append(symbol)
    return found
