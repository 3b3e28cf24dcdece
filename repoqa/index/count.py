"""Counts the terms of a file's units, field by field, as arrays: no loop runs over occurrences."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray

from repoqa.index.terms import WORD, Field, term_hash, word_hashes
from repoqa.index.units import Unit
from repoqa.records import ParsedFile

# Counts are kept in 16 bits; BM25 is flat long before.
MOST_COUNTED = 0xFFFF
Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Counts:
    """N distinct (term, unit) pairs, sorted: `terms` uint64[N] hashes, `units` uint32[N],
    `counts` uint16[N]; `lengths` uint32[units] is the number of text terms of each unit."""

    terms: Hashes
    units: NDArray[np.uint32]
    counts: NDArray[np.uint16]
    lengths: NDArray[np.uint32]


def count_units(parsed: ParsedFile, units: Sequence[Unit], lines: Sequence[str]) -> Counts:
    """Count every field of a file's units."""
    streams = [
        _words(field, [WORD.findall(text) for text in texts])
        for field, texts in _texts(units, lines).items()
    ]
    lengths = np.bincount(streams[0][1], minlength=len(units))  # the first stream is TEXT
    streams.extend(_names(parsed, units, length=len(lines)))
    terms = np.concatenate([terms for terms, _ in streams])
    owners = np.concatenate([owners for _, owners in streams])
    order = np.lexsort((owners, terms))
    terms, owners = terms[order], owners[order]
    is_first = np.ones(len(terms), dtype=bool)
    is_first[1:] = (terms[1:] != terms[:-1]) | (owners[1:] != owners[:-1])
    firsts = np.flatnonzero(is_first)
    sizes = np.diff(np.append(firsts, len(terms)))
    return Counts(
        terms[firsts],
        owners[firsts].astype(np.uint32),
        np.minimum(sizes, MOST_COUNTED).astype(np.uint16),
        lengths.astype(np.uint32),
    )


def _texts(units: Sequence[Unit], lines: Sequence[str]) -> dict[Field, list[str]]:
    """The text of each field of each unit; a section has no name of its own."""
    return {
        Field.TEXT: [
            "\n".join("\n".join(lines[span.start - 1 : span.end]) for span in unit.spans)
            for unit in units
        ],
        Field.NAME: ["" if unit.symbol.kind == "section" else unit.symbol.name for unit in units],
    }


def _words(field: Field, words: Sequence[list[str]]) -> tuple[Hashes, Numbers]:
    """The term hashes of each unit's words, and the unit of each."""
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    ids = np.fromiter((numbers[word] for word in chain.from_iterable(words)), np.int64)
    owners = np.repeat(np.arange(len(words)), [len(some) for some in words])
    hashes = [word_hashes(word) for word in numbers]
    sizes = np.array([len(some) for some in hashes], dtype=np.int64)
    flat = np.fromiter(chain.from_iterable(hashes), np.uint64) ^ np.uint64(field.salt)
    if not len(ids):
        return flat, owners
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    # For each word its run of hashes: the run's start, plus 0, 1, 2 ... inside the run.
    runs = sizes[ids]
    inside = np.arange(runs.sum()) - np.repeat(np.cumsum(runs) - runs, runs)
    return flat[np.repeat(starts[ids], runs) + inside], np.repeat(owners, runs)


def _names(
    parsed: ParsedFile, units: Sequence[Unit], *, length: int
) -> Iterator[tuple[Hashes, Numbers]]:
    """Each defined and used name, kept whole, in the unit whose lines hold it."""
    owner = [-1] * (length + 1)
    for number, unit in enumerate(units):
        for span in unit.spans:
            owner[span.start : span.end + 1] = [number] * (span.end + 1 - span.start)
    found: dict[Field, list[tuple[str, int]]] = {
        field: [] for field in (Field.DEFINED, Field.QUALIFIED, Field.USED)
    }
    for symbol in parsed.symbols:
        if symbol.kind != "section":
            parts = symbol.name.split(".")
            found[Field.DEFINED].append((parts[-1], owner[symbol.start]))
            for size in range(2, len(parts) + 1):
                found[Field.QUALIFIED].append((".".join(parts[-size:]), owner[symbol.start]))
    for reference in parsed.references:
        if reference.kind != "import":
            found[Field.USED].append((reference.name, owner[reference.line]))
    for field, names in found.items():
        owned = [(term_hash(name), number) for name, number in names if number >= 0]
        hashes = np.fromiter((term for term, _ in owned), np.uint64, len(owned))
        yield (
            hashes ^ np.uint64(field.salt),
            np.fromiter((number for _, number in owned), np.int64, len(owned)),
        )
