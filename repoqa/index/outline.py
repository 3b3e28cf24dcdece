"""What is kept of a file's code: its symbols, which of them its units are, and the names it uses.

A question looks at some symbols of many files: each is read from the bytes when it is asked for.
"""

import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from repoqa.index.units import section
from repoqa.records import Kind, ParsedFile, Reference, ReferenceKind, Span, Symbol

# The fastest; the next levels take a tenth less room in twice the time.
COMPRESSION = 1
KINDS: tuple[ReferenceKind, ...] = get_args(ReferenceKind)
_KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
IMPORT = KINDS.index("import")


@dataclass(frozen=True, slots=True)
class Outline:
    """The parsed file and the symbols of its units, in the order the postings number them."""

    parsed: ParsedFile
    units: tuple[Symbol, ...]


# A symbol as it is kept: name, kind, first line, lines after it to the end and to the header's
# end, doc, bases. A unit is the number of a symbol, or a section's first and last line.
_Row = tuple[str, Kind, int, int, int, tuple[int, int] | None, tuple[str, ...]]
_Unit = int | tuple[int, int]
# An array as its type and its bytes.
Array = tuple[str, bytes]
_ENCODER = msgspec.msgpack.Encoder()
_PARTS_DECODER = msgspec.msgpack.Decoder(tuple[bytes, bytes])
_ROW_DECODER = msgspec.msgpack.Decoder(_Row)
_SYMBOLS_DECODER = msgspec.msgpack.Decoder(tuple[tuple[msgspec.Raw, ...], tuple[_Unit, ...]])
# Language, lines, problem, imports; the distinct names used; for each use the number of its name,
# its kind, and how many lines after the use before it stands.
_Imports = tuple[tuple[int, int], ...]
_REST_DECODER = msgspec.msgpack.Decoder(
    tuple[str, int, str, _Imports, tuple[str, ...], Array, Array, Array]
)


class KeptOutline:
    """An outline as it was packed.

    Raises zlib.error or msgspec.MsgspecError where the bytes were not packed here.
    """

    def __init__(self, packed: bytes) -> None:
        symbols, self._rest = _PARTS_DECODER.decode(packed)
        self._rows, self._units = _SYMBOLS_DECODER.decode(zlib.decompress(symbols))

    def __len__(self) -> int:
        """How many units the file has."""
        return len(self._units)

    def unit(self, number: int) -> Symbol:
        """The symbol of a unit."""
        unit = self._units[number]
        return self._symbol(unit) if isinstance(unit, int) else section(*unit)

    @cached_property
    def parsed(self) -> ParsedFile:
        """The parsed file."""
        uses = self._uses
        kinds = map(KINDS.__getitem__, uses.kinds.tolist())
        names = map(uses.texts.__getitem__, uses.names.tolist())
        return ParsedFile(
            uses.language,
            uses.length,
            tuple(map(self._symbol, range(len(self._rows)))),
            tuple(map(Reference, names, kinds, uses.lines.tolist())),
            uses.imports,
            uses.problem,
        )

    def used(self, first: int, last: int) -> list[str]:
        """The names called, used as types or inherited from on these lines, in order."""
        uses = self._uses
        start, end = np.searchsorted(uses.lines, (first, last + 1))
        numbers = uses.names[start:end][uses.kinds[start:end] != IMPORT]
        return list(map(uses.texts.__getitem__, numbers.tolist()))

    def _symbol(self, number: int) -> Symbol:
        name, kind, start, length, header, doc, bases = _ROW_DECODER.decode(self._rows[number])
        span = Span(*doc) if doc else None
        return Symbol(name, kind, start, start + length, start + header, span, bases)

    @cached_property
    def _uses(self) -> "_Uses":
        rest = _REST_DECODER.decode(zlib.decompress(self._rest))
        language, length, problem, imports, texts, *arrays = rest
        names, kinds, steps = map(opened_array, arrays)
        lines = np.cumsum(steps, dtype=np.int64)
        spans = tuple(Span(*span) for span in imports)
        return _Uses(language, length, problem, spans, texts, names, kinds, lines)


@dataclass(frozen=True, slots=True)
class _Uses:
    """The rest of a parsed file: `names` are places in `texts`, `kinds` in KINDS."""

    language: str
    length: int
    problem: str
    imports: tuple[Span, ...]
    texts: tuple[str, ...]
    names: NDArray[np.integer]
    kinds: NDArray[np.integer]
    lines: NDArray[np.int64]


def pack_outline(outline: Outline) -> bytes:
    """An outline as bytes."""
    parsed = outline.parsed
    numbers = {symbol: number for number, symbol in enumerate(parsed.symbols)}
    units = [numbers.get(unit, (unit.start, unit.end)) for unit in outline.units]
    rows = [_row(symbol) for symbol in parsed.symbols]
    names = defaultdict[str, int](count().__next__)
    used = [names[reference.name] for reference in parsed.references]
    lines = np.array([0, *[reference.line for reference in parsed.references]])
    rest = (
        parsed.language,
        parsed.lines,
        parsed.problem,
        [(span.start, span.end) for span in parsed.imports],
        list(names),
        narrow(used),
        narrow([_KIND_NUMBERS[reference.kind] for reference in parsed.references]),
        narrow(np.diff(lines)),
    )
    return _ENCODER.encode(
        tuple(zlib.compress(_ENCODER.encode(part), COMPRESSION) for part in ((rows, units), rest))
    )


def _row(symbol: Symbol) -> _Row:
    doc = (symbol.doc.start, symbol.doc.end) if symbol.doc else None
    start = symbol.start
    length, header = symbol.end - start, symbol.header_end - start
    return symbol.name, symbol.kind, start, length, header, doc, symbol.bases


def narrow(values: Sequence[int] | NDArray[np.integer]) -> Array:
    """Numbers that are not negative: their narrowest type, little-endian, and their bytes in it."""
    array = np.asarray(values, dtype=None if len(values) else np.uint8)
    narrowest = np.min_scalar_type(array.max(initial=0)).newbyteorder("<")
    return narrowest.str, array.astype(narrowest, copy=False).tobytes()


def opened_array(kept: Array) -> NDArray[np.integer]:
    """The numbers of a narrowed array. Raises ValueError or TypeError where it is none."""
    kind, content = kept
    return np.frombuffer(content, kind)
