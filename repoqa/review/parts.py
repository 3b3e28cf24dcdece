"""A diff as parts that each fit a prompt: whole hunks where they do, cut between symbols else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from repoqa.protocols import Tokenizer
from repoqa.records import Span
from repoqa.review.patch import FilePatch, Hunk
from repoqa.review.report import Impact


@dataclass(frozen=True, slots=True)
class Part:
    """Pieces of a diff as a prompt shows them, and the new lines of each file that they cover."""

    text: str
    covers: tuple[tuple[str, Span], ...]


def parts(
    patches: Sequence[FilePatch], impact: Sequence[Impact], *, most: int, tokenizer: Tokenizer
) -> tuple[Part, ...]:
    """All hunks, in at most as many parts as are needed for `most` tokens each; a single line that
    is longer is a part that does not fit, for the caller to leave out."""
    found: list[Part] = []
    tokens = 0
    for patch in patches:
        for piece in _pieces(patch, impact, most=most, tokenizer=tokenizer):
            cost = tokenizer.count(f"{piece.text}\n")
            if found and tokens + cost <= most:
                last = found[-1]
                found[-1] = Part(f"{last.text}\n{piece.text}", last.covers + piece.covers)
                tokens += cost
            else:
                found.append(piece)
                tokens = cost
    return tuple(found)


def _pieces(
    patch: FilePatch, impact: Sequence[Impact], *, most: int, tokenizer: Tokenizer
) -> Iterator[Part]:
    """A file's hunks, each under the file's name."""
    starts = {change.start for change in impact if change.path == patch.path}
    if not patch.hunks and patch.old_path:
        yield Part(_heading(patch), ((patch.path, Span(0, -1)),))
    for hunk in patch.hunks:
        for number, lines in _cut(_numbered(hunk), starts, most=most, tokenizer=tokenizer):
            text = "\n".join((_heading(patch), *lines))
            end = max((n for n in number if n), default=hunk.new.start)
            start = min((n for n in number if n), default=hunk.new.start)
            yield Part(text, ((patch.path, Span(start, end)),))


def _heading(patch: FilePatch) -> str:
    if not patch.new_path:
        return f"{patch.old_path} (removed)"
    if not patch.old_path:
        return f"{patch.new_path} (new)"
    was = f" (was {patch.old_path})" if patch.old_path != patch.new_path else ""
    return f"{patch.new_path}{was}"


def _numbered(hunk: Hunk) -> Iterator[tuple[int, str]]:
    """Each line with its number in the new file, 0 for a removed one."""
    number = hunk.new.start
    for line in hunk.lines:
        mark, code = line[:1] or " ", line[1:]
        if mark == "\\":
            continue
        if mark == "-":
            yield 0, f"- {code}"
        else:
            yield number, f"{number} {mark} {code}" if mark == "+" else f"{number}   {code}"
            number += 1


def _cut(
    lines: Iterator[tuple[int, str]], starts: set[int], *, most: int, tokenizer: Tokenizer
) -> Iterator[tuple[list[int], list[str]]]:
    """Runs of lines within `most` tokens, cut where a changed symbol starts if that can be."""
    numbers: list[int] = []
    texts: list[str] = []
    tokens = 0
    for number, text in lines:
        cost = tokenizer.count(f"{text}\n")
        begins = number in starts and tokens > most // 2
        if texts and (tokens + cost > most or begins):
            yield numbers, texts
            numbers, texts, tokens = [], [], 0
        numbers.append(number)
        texts.append(text)
        tokens += cost
    if texts:
        yield numbers, texts
