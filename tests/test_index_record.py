"""A file's record, and that packing keeps all of it."""

import zlib

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repoqa.index.count import MOST_COUNTED
from repoqa.index.outline import KeptOutline
from repoqa.index.record import FileRecord, analyze, pack, unpack_postings
from repoqa.index.terms import Field, hashed

SOURCE = b'''
class Cart:
    """What a customer buys: a cart, one cart."""

    def total(self, prices):
        return sum(prices)
'''


def arrays(record: FileRecord) -> list[np.ndarray]:
    counts = record.postings.counts
    return [counts.terms, counts.runs, counts.units, counts.counts, counts.lengths]


def pairs(record: FileRecord, field: Field, term: str) -> dict[int, int]:
    """The units that hold a term, with its count in each."""
    counts = record.postings.counts
    (place,) = np.flatnonzero(counts.terms == hashed(field, term))
    start = int(counts.runs[:place].sum())
    held = slice(start, start + int(counts.runs[place]))
    return dict(zip(counts.units[held].tolist(), counts.counts[held].tolist(), strict=True))


def test_the_terms_of_a_file_by_unit() -> None:
    record = analyze("shop.py", SOURCE)
    assert [unit.name for unit in record.outline.units] == ["Cart", "Cart.total"]
    assert pairs(record, Field.TEXT, "cart") == {0: 3}
    assert pairs(record, Field.TEXT, "price") == {1: 2}
    assert pairs(record, Field.NAME, "total") == {1: 1}
    assert pairs(record, Field.DEFINED, "total") == {1: 1}
    assert pairs(record, Field.QUALIFIED, "Cart.total") == {1: 1}
    assert pairs(record, Field.USED, "sum") == {1: 1}
    assert record.postings.counts.lengths.tolist() == [8, 7]


def test_a_count_that_is_too_large_for_its_bits_is_the_largest() -> None:
    record = analyze("words.txt", b"cart " * (MOST_COUNTED + 5))
    assert pairs(record, Field.TEXT, "cart") == {0: MOST_COUNTED}


@given(st.text(max_size=400), st.sampled_from(["a.py", "a.md", "a.go"]))
def test_what_was_packed_comes_back(text: str, path: str) -> None:
    record = analyze(path, text.encode("utf-8", "replace"))
    packed = pack(record)
    outline = KeptOutline(packed.outline)
    assert tuple(map(outline.unit, range(len(outline)))) == record.outline.units
    assert outline.parsed == record.outline.parsed
    lines = range(1, record.outline.parsed.lines + 1)
    assert [name for line in lines for name in outline.used(line, line)] == [
        reference.name
        for reference in record.outline.parsed.references
        if reference.kind != "import"
    ]
    postings = unpack_postings(packed.postings)
    unpacked = FileRecord(record.outline, postings)
    for before, after in zip(arrays(record), arrays(unpacked), strict=True):
        assert before.dtype == after.dtype
        assert before.tolist() == after.tolist()
    assert postings.left_out == record.postings.left_out
    assert postings.problem == record.postings.problem


@pytest.mark.parametrize("payload", [b"", b"\x80", zlib.compress(b""), zlib.compress(b"\x81")])
def test_what_was_not_packed_is_an_error(payload: bytes) -> None:
    with pytest.raises((zlib.error, msgspec.MsgspecError)):
        KeptOutline(payload)
    with pytest.raises((zlib.error, msgspec.MsgspecError)):
        unpack_postings(payload)
