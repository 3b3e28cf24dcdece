"""Segments: merged from files' postings, saved, and mapped again."""

import threading
import tracemalloc
from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from repoqa.index.batches import FILES_AT_A_TIME
from repoqa.index.count import Counts
from repoqa.index.files import Files, Note, record_key
from repoqa.index.gaps import AT_A_TIME, pack_runs, unpack_run
from repoqa.index.merge import ReadFile, merge
from repoqa.index.parts import PARTS
from repoqa.index.record import Postings, analyze
from repoqa.index.segment import DTYPES, TABLE, Arrays, Segment, listed_files, load, save
from repoqa.index.terms import Field, count_terms, hashed, term_hash

CONTENTS = {
    "logo.png": b"\x89PNG\0",
    "shop/cart.py": b"def total(cart):\n    return cart\n\n\ndef empty():\n    pass\n",
    "shop/empty.py": b"",
    "shop/shop.md": b"a cart has a total\n",
}


def read_files(contents: dict[str, bytes]) -> list[ReadFile]:
    return [
        ReadFile(path, f"oid-{path}", analyze(path, content).postings)
        for path, content in sorted(contents.items())
    ]


def merged(contents: dict[str, bytes]) -> Segment:
    return merge("kind", read_files(contents))


def contents_of(segment: Segment) -> dict[str, object]:
    arrays = {field.name: getattr(segment.arrays, field.name) for field in fields(Arrays)}
    return {name: (array.dtype, array.tolist()) for name, array in arrays.items()}


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


def test_paths_tell_the_part_of_the_project() -> None:
    segment = merged({"a/cart.py": b"", "docs/cart.md": b"", "tests/test_cart.py": b""})
    assert [PARTS[part] for part in segment.arrays.path_parts] == ["code", "docs", "test"]


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


def test_a_segment_is_checked_where_no_thread_can_be_started(tmp_path: Path) -> None:
    saved = merged(CONTENTS)
    save(saved, tmp_path / "s")
    usual = threading.stack_size(1 << 46)  # more than a process may address
    try:
        with pytest.raises(RuntimeError):
            threading.Thread(target=print).start()
        loaded = load(tmp_path / "s")
        assert loaded is not None
        assert contents_of(loaded) == contents_of(saved)
        (tmp_path / "s" / "counts").write_bytes(b"\x07")
        assert load(tmp_path / "s") is None
    finally:
        threading.stack_size(usual)


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


@pytest.mark.parametrize("at_a_time", [1, 1000])
def test_counts_beyond_a_byte_are_kept(at_a_time: int) -> None:
    counts = {"a.md": 254, "b.md": 255, "c.md": 256, "d.md": 70_000, "e.md": 1}
    read = read_files({path: b"total " + b"cart " * number for path, number in counts.items()})
    segment = merge("kind", read, at_a_time=at_a_time)
    assert list(held(segment, "total").values()) == [1] * 5
    assert list(held(segment, "cart").values()) == [254, 255, 256, 65_535, 1]


@given(
    st.dictionaries(st.sampled_from(["a.md", "b.md", "c/d.md", "e.md", "f.md"]), WORDS),
    st.randoms(use_true_random=False),
    st.sampled_from([(size, room) for size in (1, 3, 9) for room in (True, False)]),
)
def test_batches_in_any_order_make_the_same_segment(
    contents: dict[str, str], chooser: Random, held_at_once: tuple[int, bool]
) -> None:
    at_a_time, has_room = held_at_once
    read = read_files({path: text.encode() for path, text in contents.items()})
    whole = merge("kind", read)
    chooser.shuffle(read)
    folder = None if has_room else Path("/there/is/no/such/folder")
    segment = merge("kind", read, folder=folder, at_a_time=at_a_time)
    assert segment.files == whole.files
    assert contents_of(segment) == contents_of(whole)


def test_files_without_postings_are_batched_too() -> None:
    empty = analyze("a.md", b"").postings
    count = FILES_AT_A_TIME + 2
    last = ReadFile("z.md", "oid", analyze("z.md", b"a cart\n").postings)
    segment = merge("kind", [last, *(ReadFile(f"{n:06}.md", "oid", empty) for n in range(count))])
    assert len(segment.files) == count + 1
    assert segment.arrays.unit_file.tolist() == [count]
    assert held(segment, "cart") == {0: 1}


TERMS_PER_FILE = 500
POSTINGS_AT_A_TIME = 20 * TERMS_PER_FILE


def peak(files: int) -> tuple[int, int]:
    """The most bytes that were held while some files were merged, and those of the segment."""

    def read() -> Iterator[ReadFile]:
        for number in range(files):
            terms = np.arange(TERMS_PER_FILE, dtype=np.uint64) << np.uint64(31)
            ones = np.ones(TERMS_PER_FILE, dtype=np.uint32)
            units, lengths = np.zeros_like(ones), np.array([TERMS_PER_FILE], np.uint32)
            counts = Counts(terms, ones, units, ones.astype(np.uint16), lengths)
            yield ReadFile(f"f{number}.py", "oid", Postings(counts))

    tracemalloc.start()
    try:
        segment = merge("kind", read(), at_a_time=POSTINGS_AT_A_TIME)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return most, sum(getattr(segment.arrays, field.name).nbytes for field in fields(Arrays))


def test_memory_grows_with_the_segment_alone() -> None:
    few, small = peak(200)
    many, large = peak(800)
    assert many - few < 2.5 * (large - small)


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
