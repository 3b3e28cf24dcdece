"""What is kept of one file's bytes: the parsed file, its units and their postings.

A record depends on the bytes and the file's name alone, never on the folder or the repository, so
that every branch, worktree and revision that holds the same bytes shares it.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from repoqa.index.count import Counts, count_units
from repoqa.index.outline import (
    COMPRESSION,
    Array,
    Outline,
    narrow,
    opened_array,
    pack_outline,
)
from repoqa.index.units import split
from repoqa.parsing.text import decode, split_lines
from repoqa.records import ParsedFile


@dataclass(frozen=True, slots=True)
class Postings:
    """Which terms stand in which units of one file. `left_out` says why the file has no units,
    `problem` why it has only line chunks; "" otherwise."""

    counts: Counts
    left_out: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """All that is kept of one file."""

    outline: Outline
    postings: Postings


def analyze(path: str, content: bytes) -> FileRecord:
    """Parse a file and count its terms. `path` tells the language and what the file is."""
    # The parser is loaded where a file is new: most questions meet none.
    from repoqa.parsing.parse import parse
    from repoqa.parsing.screen import why_left_out

    why = why_left_out(path, content)
    text = None if why else decode(content)
    if text is None:
        return _left_out(why or "binary")
    return _counted(parse(path, content), split_lines(text))


def unparsed(content: bytes, problem: str) -> FileRecord:
    """A file as line chunks, without the parser's help; `problem` says why."""
    from repoqa.parsing.parse import chunks

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
    from repoqa.secrets.find import find
    from repoqa.secrets.mask import masked

    names = {reference.name for reference in parsed.references}
    names.update(name for symbol in parsed.symbols for name in (symbol.name, *symbol.bases))
    if not find("\n".join(sorted(names))):
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
_PARTS_DECODER = msgspec.msgpack.Decoder(tuple[bytes, bytes])
_POSTINGS_DECODER = msgspec.msgpack.Decoder(tuple[Array, Array, Array, Array, Array, str, str])
# Of a term's bits these are kept apart: they do not compress, the sorted ones above them do.
_LOW_BITS = 32


@dataclass(frozen=True, slots=True)
class PackedRecord:
    """A record as it is kept, and as a worker sends it: two compressed payloads."""

    outline: bytes
    postings: bytes


def pack(record: FileRecord) -> PackedRecord:
    """A record as bytes."""
    postings = record.postings
    counts = postings.counts
    arrays = (counts.terms >> _LOW_BITS, counts.runs, counts.units, counts.counts, counts.lengths)
    rest = (*map(narrow, arrays), postings.left_out, postings.problem)
    low = counts.terms.astype("<u4").tobytes()
    packed = zlib.compress(_ENCODER.encode(rest), COMPRESSION)
    return PackedRecord(pack_outline(record.outline), _ENCODER.encode((low, packed)))


def unpack_postings(packed: bytes) -> Postings:
    """Packed postings. Raises zlib.error, msgspec.MsgspecError, ValueError or TypeError."""
    low, rest = _PARTS_DECODER.decode(packed)
    *arrays, left_out, problem = _POSTINGS_DECODER.decode(zlib.decompress(rest))
    dtypes = (np.uint64, np.uint32, np.uint32, np.uint16, np.uint32)
    high, runs, units, counts, lengths = (
        opened_array(array).astype(dtype, copy=False)
        for array, dtype in zip(arrays, dtypes, strict=True)
    )
    terms = high << _LOW_BITS | np.frombuffer(low, "<u4")
    return Postings(Counts(terms, runs, units, counts, lengths), left_out, problem)
