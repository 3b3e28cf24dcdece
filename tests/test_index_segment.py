"""Segments: merged from files' postings, saved, and mapped again."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repoqa.index.files import Files, Note, record_key
from repoqa.index.gaps import AT_A_TIME, pack_runs, unpack_run
from repoqa.index.merge import ReadFile, merge
from repoqa.index.record import analyze
from repoqa.index.segment import DTYPES, TABLE, Segment, listed_files, load, save
from repoqa.index.terms import Field, count_terms, hashed, term_hash

CONTENTS = {
    "logo.png": b"\x89PNG\0",
    "shop/cart.py": b"def total(cart):\n    return cart\n\n\ndef empty():\n    pass\n",
    "shop/empty.py": b"",
    "shop/shop.md": b"a cart has a total\n",
}


def merged(contents: dict[str, bytes]) -> Segment:
    return merge(
        "kind",
        [
            ReadFile(path, f"oid-{path}", analyze(path, content).postings)
            for path, content in sorted(contents.items())
        ],
    )


def held(segment: Segment, term: str) -> dict[int, int]:
    units, counts = segment.postings(hashed(Field.TEXT, term))
    return dict(zip(units.tolist(), counts.tolist(), strict=True))


def test_units_are_numbered_through_the_files() -> None:
    segment = merged(CONTENTS)
    assert segment.arrays.unit_file.tolist() == [1, 1, 3]
    assert segment.arrays.unit_number.tolist() == [0, 1, 0]
    assert held(segment, "cart") == {0: 2, 2: 1}
    assert held(segment, "empti") == {1: 1}
    assert held(segment, "absent") == {}


def test_paths_have_terms_too() -> None:
    segment = merged(CONTENTS)
    assert segment.files_named(term_hash("shop")).tolist() == [1, 2, 3]
    assert segment.files_named(term_hash("cart")).tolist() == [1]
    assert segment.files_named(term_hash("absent")).tolist() == []
    assert segment.arrays.path_lengths.tolist() == [2, 3, 3, 3]


def test_files_keep_their_notes() -> None:
    assert merged(CONTENTS).files == Files(
        "kind",
        tuple(CONTENTS),
        tuple(f"oid-{path}" for path in CONTENTS),
        {0: Note("binary", "")},
    )


def test_nothing_is_a_segment_too(tmp_path: Path) -> None:
    segment = merged({})
    assert held(segment, "cart") == {}
    save(segment, tmp_path / "s")
    loaded = load(tmp_path / "s")
    assert loaded is not None
    assert len(loaded.files) == 0


WORDS = st.lists(st.sampled_from(["cart", "total", "price", "shop"]), max_size=12).map(" ".join)


@given(st.dictionaries(st.sampled_from(["a.md", "b.md", "c/d.md", "e.md"]), WORDS))
def test_merging_keeps_every_count(contents: dict[str, str]) -> None:
    segment = merged({path: text.encode() for path, text in contents.items()})
    arrays = segment.arrays
    for term in ("cart", "total", "price", "shop"):
        by_file = {
            segment.files.paths[arrays.unit_file[unit]]: count
            for unit, count in held(segment, term).items()
        }
        counts = {path: count_terms(text)[term] for path, text in contents.items()}
        assert by_file == {path: count for path, count in counts.items() if count}
    assert all(before < after for before, after in pairwise(arrays.terms.tolist()))
    assert arrays.offsets[-1] == len(arrays.counts)
    assert arrays.gap_offsets[-1] == len(arrays.gaps)


def test_counts_beyond_a_byte_are_kept() -> None:
    counts = {"a.md": 254, "b.md": 255, "c.md": 256, "d.md": 70_000, "e.md": 1}
    segment = merged({path: b"cart " * number for path, number in counts.items()})
    assert list(held(segment, "cart").values()) == [254, 255, 256, 65_535, 1]


RISING = st.lists(st.integers(0, 1 << 40), unique=True, min_size=1).map(sorted)


@given(st.lists(RISING, max_size=8))
def test_runs_come_back_from_their_gaps(runs: list[list[int]]) -> None:
    numbers = np.array([number for run in runs for number in run], dtype=np.int64)
    starts = np.cumsum([0, *map(len, runs)])[:-1]
    packed, offsets = pack_runs(numbers, starts)
    assert offsets[-1] == len(packed)
    found = [unpack_run(packed[start:end]).tolist() for start, end in pairwise(offsets)]
    assert found == runs


def test_more_numbers_than_are_packed_at_a_time() -> None:
    numbers = np.concatenate([np.arange(AT_A_TIME - 1) * 3, np.arange(0, 9000, 300), [5]])
    starts = np.array([0, AT_A_TIME - 1, AT_A_TIME + 29])
    packed, offsets = pack_runs(numbers, starts)
    found = [unpack_run(packed[start:end]) for start, end in pairwise(offsets)]
    assert np.array_equal(np.concatenate(found), numbers)


def test_what_is_saved_is_mapped_again(tmp_path: Path) -> None:
    segment = merged(CONTENTS)
    save(segment, tmp_path / "s")
    loaded = load(tmp_path / "s")
    assert loaded is not None
    assert loaded.files == segment.files
    for name, dtype in DTYPES.items():
        before, after = getattr(segment.arrays, name), getattr(loaded.arrays, name)
        assert np.array_equal(before, after), name
        assert after.dtype == before.dtype == dtype, name
    assert list(listed_files(tmp_path / "s").keys) == [
        record_key("kind", path, f"oid-{path}") for path in CONTENTS
    ]


@pytest.mark.parametrize("name", [TABLE, *DTYPES])
def test_a_damaged_file_makes_the_segment_absent(tmp_path: Path, name: str) -> None:
    save(merged({**CONTENTS, "words.md": b"cart " * 300}), tmp_path / "s")
    damaged = tmp_path / "s" / name
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    assert load(tmp_path / "s") is None
    damaged.unlink()
    assert load(tmp_path / "s") is None
