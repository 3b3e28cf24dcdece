"""Takes lines out of the functions of the current code: one gap for each function.

Which lines are taken follows from the file's path and the function's name alone.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from repoqa.parsing.functions import outer_functions
from repoqa.records import ParsedFile, Symbol
from repoqa.tuning.examples import GapPair

LINES_BEFORE, LINES_AFTER = 120, 60
"""Kept of the code around a gap: more than a prompt of 2,000 tokens holds."""
MOST_LINES = 3
LEAST_CHARACTERS = 8
"""A shorter line (`else:`, `}`) is no task."""
_COMMENTS = ("#", "//", "/*", "*", "--", '"""', "'''")


@dataclass(frozen=True, slots=True)
class CodeFile:
    """A source file of the current code: its text without secrets, and when it was last changed."""

    path: str
    text: str
    parsed: ParsedFile
    time: int


def gaps(file: CodeFile) -> Iterator[GapPair]:
    """A gap for each function that has lines to take out."""
    lines = file.text.split("\n")
    for function in outer_functions(file.parsed.symbols):
        fillable = [number for number in _body(function) if _is_task(lines[number - 1])]
        if fillable:
            yield _gap(file, function, lines=lines, fillable=fillable)


def _gap(
    file: CodeFile, function: Symbol, *, lines: Sequence[str], fillable: Sequence[int]
) -> GapPair:
    seed = hashlib.sha256(f"{file.path}\0{function.name}\0{function.start}".encode()).digest()
    start = fillable[int.from_bytes(seed[:4], "big") % len(fillable)]
    # One line in half of the cases, as people complete them.
    most = 1 if seed[4] % 2 else 1 + seed[5] % MOST_LINES
    end = start
    while end - start + 1 < most and end + 1 in fillable:
        end += 1
    before, after = lines[max(start - 1 - LINES_BEFORE, 0) : start - 1], lines[end:]
    return GapPair(
        id=f"{file.path}:{start}-{end}",
        time=file.time,
        path=file.path,
        prefix="".join(f"{line}\n" for line in before),
        middle="".join(f"{line}\n" for line in lines[start - 1 : end]),
        suffix="\n".join(after[:LINES_AFTER]) + "\n" * (len(after) > LINES_AFTER),
    )


def _body(function: Symbol) -> Iterator[int]:
    """The numbers of the lines below the signature, the docstring's aside; not the last line of
    the file where that has no end."""
    documented = range(function.doc.start, function.doc.end + 1) if function.doc else range(0)
    return (n for n in range(function.header_end + 1, function.end + 1) if n not in documented)


def _is_task(line: str) -> bool:
    stripped = line.strip()
    return len(stripped) >= LEAST_CHARACTERS and not stripped.startswith(_COMMENTS)
