"""What is kept of one file's bytes: the parsed file, its units and their postings.

A record depends on the bytes and the file's name alone, never on the folder or the repository, so
that every branch, worktree and revision that holds the same bytes shares it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from repoqa.index.count import Counts, count_units
from repoqa.index.units import split
from repoqa.parsing.parse import chunks, parse
from repoqa.parsing.screen import why_left_out
from repoqa.parsing.text import decode, split_lines
from repoqa.records import ParsedFile, Symbol
from repoqa.secrets.find import find
from repoqa.secrets.mask import masked


@dataclass(frozen=True, slots=True)
class Postings:
    """Which terms stand in which units of one file. `left_out` says why the file has no units,
    `problem` why it has only line chunks; "" otherwise."""

    counts: Counts
    left_out: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Outline:
    """The parsed file and the symbols of its units, in the order the postings number them."""

    parsed: ParsedFile
    units: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class FileRecord:
    """All that is kept of one file."""

    outline: Outline
    postings: Postings


def analyze(path: str, content: bytes) -> FileRecord:
    """Parse a file and count its terms. `path` tells the language and what the file is."""
    why = why_left_out(path, content)
    text = None if why else decode(content)
    if text is None:
        return _left_out(why or "binary")
    return _counted(parse(path, content), split_lines(text))


def unparsed(content: bytes, problem: str) -> FileRecord:
    """A file as line chunks, without the parser's help; `problem` says why."""
    text = decode(content)
    if text is None:
        return _left_out("binary")
    lines = split_lines(text)
    return _counted(ParsedFile("", len(lines), chunks(len(lines)), (), (), problem), lines)


def _left_out(why: str) -> FileRecord:
    nothing = ParsedFile("", 0, (), (), ())
    return FileRecord(Outline(nothing, ()), Postings(count_units(nothing, (), ()), why))


def _counted(parsed: ParsedFile, lines: Sequence[str]) -> FileRecord:
    parsed = _without_secrets(parsed)
    units = split(parsed, lines)
    postings = Postings(count_units(parsed, units, lines), problem=parsed.problem)
    return FileRecord(Outline(parsed, tuple(unit.symbol for unit in units)), postings)


def _without_secrets(parsed: ParsedFile) -> ParsedFile:
    """Names hold no values but where a string is one: an import's address, an object's key."""
    names = "\n".join(
        [
            *(reference.name for reference in parsed.references),
            *(name for symbol in parsed.symbols for name in (symbol.name, *symbol.bases)),
        ]
    )
    if not find(names):
        return parsed
    return replace(
        parsed,
        symbols=tuple(
            replace(s, name=masked(s.name), bases=tuple(masked(base) for base in s.bases))
            for s in parsed.symbols
        ),
        references=tuple(
            sorted(
                (replace(r, name=masked(r.name)) for r in parsed.references),
                key=lambda r: (r.line, r.name, r.kind),
            )
        ),
    )


_ENCODER = msgspec.msgpack.Encoder()
_OUTLINE_DECODER = msgspec.msgpack.Decoder(Outline)
_POSTINGS_DECODER = msgspec.msgpack.Decoder(tuple[bytes, bytes, bytes, bytes, bytes, str, str])


def encode_outline(outline: Outline) -> bytes:
    """An outline as bytes."""
    return _ENCODER.encode(outline)


def decode_outline(payload: bytes) -> Outline:
    """The outline that `encode_outline` wrote. Raises msgspec.DecodeError on anything else."""
    return _OUTLINE_DECODER.decode(payload)


def encode_postings(postings: Postings) -> bytes:
    """Postings as bytes: each term once with its number of units, little-endian arrays."""
    counts = postings.counts
    arrays = (counts.terms, counts.runs, counts.units, counts.counts, counts.lengths)
    return _ENCODER.encode(
        (*(array.tobytes() for array in arrays), postings.left_out, postings.problem)
    )


def decode_postings(payload: bytes) -> Postings:
    """The postings that `encode_postings` wrote. Raises msgspec.DecodeError or ValueError."""
    terms, runs, units, counts, lengths, left_out, problem = _POSTINGS_DECODER.decode(payload)
    arrays = Counts(
        np.frombuffer(terms, np.uint64),
        np.frombuffer(runs, np.uint32),
        np.frombuffer(units, np.uint32),
        np.frombuffer(counts, np.uint16),
        np.frombuffer(lengths, np.uint32),
    )
    return Postings(arrays, left_out, problem)
