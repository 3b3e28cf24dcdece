"""Counts the terms of a file's units, field by field, as arrays: no loop runs over occurrences."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from repoqa.index.terms import ITEM_BYTES, NAME_HASHES, WORD_HASHES, Field, marked_words
from repoqa.index.units import Unit
from repoqa.records import ParsedFile

# Counts are kept in 16 bits; BM25 is flat long before.
MOST_COUNTED = 0xFFFF
# The fields whose terms are the parts of words; those of the others are whole names.
_SPLIT = (Field.TEXT, Field.NAME)
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Counts:
    """Which of T distinct terms stand in which of U units, as P (term, unit) pairs.

    `terms` uint64[T] hashes, sorted; `runs` uint32[T], the number of pairs of each; the pairs'
    `units` uint32[P], sorted inside a run, and `counts` uint16[P]; `lengths` uint32[U], the number
    of text terms of each unit.
    """

    terms: NDArray[np.uint64]
    runs: NDArray[np.uint32]
    units: NDArray[np.uint32]
    counts: NDArray[np.uint16]
    lengths: NDArray[np.uint32]


class _Words(NamedTuple):
    """The words of a field, in order, and the unit of each; None where `MARK` begins each unit."""

    field: Field
    words: Sequence[str]
    units: Sequence[int] | None


class _Terms(NamedTuple):
    """Of the words of all fields: `places[n]`, the distinct word that occurrence `n` is, and its
    unit, `owners[n]`; of each distinct word how many terms it has (`sizes`), and their `hashes`."""

    places: Numbers
    owners: Numbers
    sizes: Numbers
    hashes: NDArray[np.uint64]


def count_units(parsed: ParsedFile, units: Sequence[Unit], lines: Sequence[str]) -> Counts:
    """Count every field of a file's units."""
    fields = [*_texts(units, lines), *_names(parsed, units, length=len(lines))]
    places, owners, sizes, hashes = _numbered(fields)
    terms, ranks = np.unique(hashes, return_inverse=True)
    # For each word its run of hashes: the run's start, plus 0, 1, 2 ... inside the run.
    runs = sizes[places]
    starts = (np.cumsum(sizes) - sizes)[places] - (np.cumsum(runs) - runs)
    ranks = ranks[np.arange(runs.sum()) + np.repeat(starts, runs)]
    # One number for each pair, in the order of (term, unit): sorting plain numbers is fast.
    bits = len(units).bit_length()
    pairs, counts = np.unique(ranks << bits | np.repeat(owners, runs), return_counts=True)
    text = slice(len(fields[0].words))
    lengths = np.bincount(np.repeat(owners[text], runs[text]), minlength=len(units))
    return Counts(
        terms,
        np.bincount(pairs >> bits, minlength=len(terms)).astype(np.uint32),
        (pairs & (1 << bits) - 1).astype(np.uint32),
        np.minimum(counts, MOST_COUNTED).astype(np.uint16),
        lengths.astype(np.uint32),
    )


def _numbered(fields: Sequence[_Words]) -> _Terms:
    """Each distinct word of each field gets a number, and its terms."""
    places: list[Numbers] = []
    owners: list[Numbers] = []
    hashes: list[bytes] = []
    salts: list[int] = []
    for field, words, units in fields:
        numbers = defaultdict[str, int](count(len(hashes)).__next__)
        some = np.fromiter(map(numbers.__getitem__, words), np.int64, len(words))
        places.append(some)
        owners.append(
            np.cumsum(some == some[:1]) - 1 if units is None else np.array(units, np.int64)
        )
        kept = WORD_HASHES if field in _SPLIT else NAME_HASHES
        hashes.extend(map(kept.__getitem__, numbers))
        salts.extend([field.salt] * len(numbers))
    sizes = np.fromiter(map(len, hashes), np.int64, len(hashes)) // ITEM_BYTES
    plain = np.frombuffer(b"".join(hashes), "<u8").astype(np.uint64, copy=False)
    salted = plain ^ np.repeat(np.array(salts, np.uint64), sizes)
    return _Terms(np.concatenate(places), np.concatenate(owners), sizes, salted)


def _texts(units: Sequence[Unit], lines: Sequence[str]) -> tuple[_Words, _Words]:
    """The words of each unit's text and of its name; a section has no name of its own."""
    texts = [
        "\n".join(["\n".join(lines[span.start - 1 : span.end]) for span in unit.spans])
        for unit in units
    ]
    names = ["" if unit.symbol.kind == "section" else unit.symbol.name for unit in units]
    return (
        _Words(Field.TEXT, marked_words(texts), None),
        _Words(Field.NAME, marked_words(names), None),
    )


def _names(parsed: ParsedFile, units: Sequence[Unit], *, length: int) -> Iterator[_Words]:
    """Each defined and used name, kept whole, in the unit whose lines hold it."""
    owner = [-1] * (length + 1)
    for number, each in enumerate(units):
        for span in each.spans:
            owner[span.start : span.end + 1] = [number] * (span.end + 1 - span.start)
    defined: list[tuple[str, int]] = []
    qualified: list[tuple[str, int]] = []
    for symbol in parsed.symbols:
        if symbol.kind != "section":
            parts, unit = symbol.name.split("."), owner[symbol.start]
            defined.append((parts[-1], unit))
            qualified.extend((".".join(parts[-n:]), unit) for n in range(2, len(parts) + 1))
    used = [(r.name, owner[r.line]) for r in parsed.references if r.kind != "import"]
    named = {Field.DEFINED: defined, Field.QUALIFIED: qualified, Field.USED: used}
    for field, names in named.items():
        owned = [pair for pair in names if pair[1] >= 0]
        yield _Words(field, [name for name, _ in owned], [number for _, number in owned])
