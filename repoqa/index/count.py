"""Counts the terms of a file's units, field by field, as arrays: no loop runs over occurrences."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from repoqa.index.terms import Field, name_hashes, word_hashes, words_of
from repoqa.index.units import Unit
from repoqa.records import ParsedFile

# Counts are kept in 16 bits; BM25 is flat long before.
MOST_COUNTED = 0xFFFF
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


@dataclass(frozen=True, slots=True)
class _Field:
    """The occurrences of a field's terms: `hashes[places[n]]` stands in unit `owners[n]`."""

    hashes: NDArray[np.uint64]
    places: Numbers
    owners: Numbers


def count_units(parsed: ParsedFile, units: Sequence[Unit], lines: Sequence[str]) -> Counts:
    """Count every field of a file's units."""
    text, name = (_of_texts(field, texts) for field, texts in _texts(units, lines).items())
    fields = (text, name, *_of_names(parsed, units, length=len(lines)))
    bases = np.cumsum([0, *(len(field.hashes) for field in fields)])
    places = [field.places + base for field, base in zip(fields, bases, strict=False)]
    terms, ranks = np.unique(
        np.concatenate([field.hashes for field in fields]), return_inverse=True
    )
    # One number for each pair, in the order of (term, unit): sorting plain numbers is fast.
    bits = len(units).bit_length()
    owners = np.concatenate([field.owners for field in fields])
    pairs, counts = np.unique(ranks[np.concatenate(places)] << bits | owners, return_counts=True)
    return Counts(
        terms,
        np.bincount(pairs >> bits, minlength=len(terms)).astype(np.uint32),
        (pairs & (1 << bits) - 1).astype(np.uint32),
        np.minimum(counts, MOST_COUNTED).astype(np.uint16),
        np.bincount(text.owners, minlength=len(units)).astype(np.uint32),
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


def _of_texts(field: Field, texts: Sequence[str]) -> _Field:
    """The terms of each unit's words."""
    words = [words_of(text) for text in texts]
    owners = np.repeat(np.arange(len(words)), [len(some) for some in words])
    return _occurrences(field, list(chain.from_iterable(words)), owners, hashes_of=word_hashes)


def _of_names(parsed: ParsedFile, units: Sequence[Unit], *, length: int) -> Iterator[_Field]:
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
        owned = [(name, number) for name, number in names if number >= 0]
        owners = np.fromiter((number for _, number in owned), np.int64, len(owned))
        yield _occurrences(field, [name for name, _ in owned], owners, hashes_of=name_hashes)


def _occurrences(
    field: Field,
    words: Sequence[str],
    owners: Numbers,
    *,
    hashes_of: Callable[[str], tuple[int, ...]],
) -> _Field:
    """Words, each of some unit, as their terms."""
    numbers = {word: number for number, word in enumerate(dict.fromkeys(words))}
    ids = np.fromiter(map(numbers.__getitem__, words), np.int64, len(words))
    hashes = [hashes_of(word) for word in numbers]
    flat = np.fromiter(chain.from_iterable(hashes), np.uint64) ^ np.uint64(field.salt)
    sizes = np.fromiter(map(len, hashes), np.int64, len(hashes))
    starts = np.cumsum(sizes) - sizes
    # For each word its run of hashes: the run's start, plus 0, 1, 2 ... inside the run.
    runs = sizes[ids]
    inside = np.arange(runs.sum()) - np.repeat(np.cumsum(runs) - runs, runs)
    return _Field(flat, np.repeat(starts[ids], runs) + inside, np.repeat(owners, runs))
