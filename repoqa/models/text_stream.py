"""Text pieces as they come, up to a stop string that may lie across several of them."""

from collections.abc import Iterable, Iterator, Sequence


def until(pieces: Iterable[str], stops: Sequence[str]) -> Iterator[str]:
    """Yield the text of `pieces` before the first of `stops`; the rest is not asked for.

    Text that may be the beginning of a stop string is held back until that is decided.
    """
    held = ""
    for piece in pieces:
        held += piece
        found = [place for stop in stops if (place := held.find(stop)) >= 0]
        if found:
            held = held[: min(found)]
            break
        keep = max((_overlap(held, stop) for stop in stops), default=0)
        free, held = held[: len(held) - keep], held[len(held) - keep :]
        if free:
            yield free
    if held:
        yield held


def _overlap(text: str, stop: str) -> int:
    """How many of the last characters of `text` begin `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
