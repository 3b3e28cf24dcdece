"""Places as links that a terminal opens (OSC 8), to files of the working tree alone.

rich writes the sequences, and on a terminal only; those that do not know them show nothing of them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from repoqa.records import Snapshot

if TYPE_CHECKING:
    from rich.segment import Segment

LinkOf = Callable[[str, int], str]


def link_of(snapshot: Snapshot) -> LinkOf:
    """Gives the URL of a path and line (0 for none); "" where no file on disk is what was read."""
    root = snapshot.root.resolve()

    def link(path: str, line: int) -> str:
        if snapshot.revision is not None:
            return ""
        # The fragment is the line for kitty, iTerm2 and WezTerm; others pass over it.
        return (root / path).as_uri() + (f"#{line}" if line else "")

    return link


def linked(line: "list[Segment]", links: Mapping[str, str]) -> "list[Segment]":
    """A rendered line in which each text that `links` names leads to its URL."""
    known = [text for text, url in links.items() if text and url]
    if not known:
        return line
    longest_first = sorted(known, key=lambda text: (-len(text), text))
    named = re.compile(rf"(?<![\w/.])({'|'.join(map(re.escape, longest_first))})(?!\w)")
    return [part for segment in line for part in _parts(segment, named, links)]


def _parts(
    segment: "Segment", named: re.Pattern[str], links: Mapping[str, str]
) -> "Iterator[Segment]":
    from rich.segment import Segment
    from rich.style import Style

    for text in named.split(segment.text):
        if links.get(text):
            yield Segment(text, (segment.style or Style()) + Style(link=links[text]))
        elif text:
            yield Segment(text, segment.style, segment.control)
