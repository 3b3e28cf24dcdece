"""Where a model's text leaves the block of code that its gap is in.

A model that was not trained to fill gaps goes on with the next function, and one that was may. What
belongs to the gap is told by the indentation: the first line that is indented less ends it. At the
margin, where no line can be, the first blank line does.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from repoqa.answers.clean import loops, printable
from repoqa.models.infill import Gap

TAB_COLUMNS = 8
OPENERS = (":", "{", "(", "[")
# Characters between two looks for a text that repeats itself.
_STEP = 64
_COMMENT = re.compile(r"\s+(?:#|//).*\Z")
_CLOSERS = re.compile(r"[)\]}]+[;,]?")


@dataclass(frozen=True, slots=True)
class Block:
    """What a gap's lines have in common. `least` is their indentation, in columns; `outer` that of
    the line which opens the block, None where the gap stands in an open one. `own_line`: what is
    written first is a line of its own. `inserted`: a line stands right behind the gap. `within`:
    code stands behind the gap on its line. `follows` is the first line with text behind it."""

    least: int
    outer: int | None
    own_line: bool
    inserted: bool
    within: bool
    follows: str


def block_of(gap: Gap) -> Block:
    """The block of code that a gap is in."""
    lines = gap.prefix.split("\n")
    line, rest = lines[-1], gap.suffix.partition("\n")[0]
    near = line or next((each for each in reversed(lines) if each.strip()), "")
    columns = _columns(near)
    opens = _COMMENT.sub("", near).rstrip().endswith(OPENERS)
    return Block(
        least=columns + 1 if opens else columns,
        outer=columns if opens else None,
        own_line=not line,
        inserted=not line and bool(rest.strip()),
        within=bool(line) and bool(rest.strip()),
        follows=next((each.strip() for each in gap.suffix.split("\n") if each.strip()), ""),
    )


def end_of_block(text: str, block: Block) -> int | None:
    """How many characters of `text` belong to the block, None while it may go on."""
    lines = text.split("\n")
    start = 0
    for number, line in enumerate(lines):
        is_whole = number < len(lines) - 1
        checked = number > 0 or block.own_line
        if checked and line.strip() and _columns(line) < block.least:
            if not _closes(line, block):
                return max(start - 1, 0)
            if is_whole:
                return start + len(line)
        elif checked and is_whole and not line.strip() and not block.least and text[:start].strip():
            return start - 1
        start += len(line) + 1
    return None


def text_for(pieces: Iterable[str], gap: Gap, *, trained: bool) -> str:
    """What of a model's text fills the gap; the rest of it is not asked for.

    A model that is not `trained` to fill gaps does not see what follows: code that goes on behind
    the gap on its line ends it with that line.
    """
    block = block_of(gap)
    text, ended = "", False
    for piece in pieces:
        before, text = len(text), text + piece
        end = text.find("\n") if block.within and not trained else end_of_block(text, block)
        if end is not None and end >= 0:
            text, ended = text[:end].rstrip("\n"), True
            break
        if before // _STEP != len(text) // _STEP and loops(text):
            break
    text = printable(text)
    missing = block.inserted and text.strip() and not text.endswith("\n")
    if not ended and not trained:
        text = text.rstrip()
    return f"{text}\n" if missing else text


def _closes(line: str, block: Block) -> bool:
    """Whether the line closes what the gap's own line has opened, and nothing behind does."""
    closer = line.strip()
    return (
        _columns(line) == block.outer
        and _CLOSERS.fullmatch(closer) is not None
        and not block.follows.startswith(closer[0])
    )


def _columns(line: str) -> int:
    """How far a line is indented."""
    expanded = line.expandtabs(TAB_COLUMNS)
    return len(expanded) - len(expanded.lstrip())
