"""The cache's limit: what was unused longest goes, and never what the running question uses."""

import multiprocessing
import os
import sqlite3
import time
from pathlib import Path

import pytest
from conftest import RepositoryMaker, write_files
from test_index_build import QUESTION

from repoqa.evidence.question import read
from repoqa.index.build import build
from repoqa.index.eviction import DEBRIS_SECONDS, KEPT_SHARE
from repoqa.index.index import Index
from repoqa.index.inventory import inventory
from repoqa.index.places import (
    LISTINGS,
    PLACES,
    SEGMENTS,
    Place,
    index_directory,
    kept_listings,
    mark_used,
    place_of,
    size_of,
    used_places,
)
from repoqa.index.store import Store, database_path
from repoqa.models.estimate import EstimatedTokenizer
from repoqa.packing.budget import Room
from repoqa.packing.pack import pack
from repoqa.protocols import Silent
from repoqa.ranking.rank import rank
from repoqa.repository.snapshot import open_snapshot

DAY = 86_400.0
FILES = 12
FORK = multiprocessing.get_context("fork")


def source(name: str, number: int) -> str:
    body = "".join(f"    word_{name}_{number}_{line} = {line}\n" for line in range(200))
    return f"def total_{name}_{number}():\n{body}"


def repository(make: RepositoryMaker, name: str) -> Path:
    return make({f"{name}{number}.py": source(name, number) for number in range(FILES)})


def indexed(root: Path, cache: Path, limit: int | None = None) -> Index:
    store = Store(cache, limit=limit)
    index = build(open_snapshot(root), store, progress=Silent())
    store.close()
    return index


def use_days_ago(root: Path, cache: Path, days: float) -> None:
    """Date the last use of a repository, and its records, back."""
    when = time.time() - days * DAY
    place = place_of(open_snapshot(root))
    os.utime(cache / PLACES / place.name, (when, when))
    with sqlite3.connect(database_path(cache)) as database:
        database.execute("UPDATE records SET used = ? WHERE used > ?", (int(when), int(when)))
    database.close()


def cached_roots(cache: Path) -> set[str]:
    names = {path.name for path in (cache / SEGMENTS).iterdir()}
    return {place.root for place, _ in used_places(cache) if place.name in names}


def test_below_the_limit_nothing_goes(make_repository: RepositoryMaker, tmp_path: Path) -> None:
    one, two = repository(make_repository, "a"), repository(make_repository, "b")
    for root in (one, two):
        indexed(root, tmp_path / "cache", limit=1 << 30)
    assert [indexed(root, tmp_path / "cache").parsed_count for root in (one, two)] == [0, 0]


def test_what_was_unused_longest_goes_with_its_records(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    days = [40, 60, 20, 50, 10]
    roots = {day: repository(make_repository, f"r{day}_") for day in days}
    for day, root in roots.items():
        indexed(root, cache)
        use_days_ago(root, cache, day)
    limit = int(size_of(cache) * 1.1)  # a sixth is too much
    indexed(repository(make_repository, "last"), cache, limit=limit)
    assert KEPT_SHARE * limit / 2 < size_of(cache) <= KEPT_SHARE * limit
    assert cached_roots(cache).isdisjoint({str(roots[60])})
    parsed = {day: indexed(roots[day], cache).parsed_count for day in sorted(days)}
    assert (parsed[10], parsed[20], parsed[40], parsed[60]) == (0, 0, 0, FILES)


def test_the_listing_of_a_working_tree_goes_with_it(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    directory, kept_at = index_directory(tmp_path), kept_listings(tmp_path)
    gone, aborted, used = (repository(make_repository, name) for name in ("a", "b", "c"))
    indexed(gone, directory)
    alone = inventory(directory).places[0].size
    for root in (gone, aborted, used):
        open_snapshot(root, kept_at=kept_at)
    assert inventory(directory).places[0].size == alone + kept_at(gone).stat().st_size
    use_days_ago(gone, directory, 30)
    indexed(used, directory, limit=0)
    assert [kept_at(root).exists() for root in (gone, aborted, used)] == [False, False, True]


def test_a_record_stays_as_long_as_a_place_that_holds_it_is_used(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    old, other = repository(make_repository, "a"), repository(make_repository, "b")
    copy = make_repository({f"copy/a{number}.py": source("a", number) for number in range(FILES)})
    for days, root in zip((30, 1, 20), (old, copy, other), strict=True):
        indexed(root, cache)
        use_days_ago(root, cache, days)
    use_days_ago(copy, cache, 0)  # its records are those that were added for `old`
    indexed(repository(make_repository, "c"), cache, limit=int(size_of(cache) * 1.1))
    assert str(copy) in cached_roots(cache)
    assert indexed(copy, cache).parsed_count == 0
    assert indexed(old, cache).parsed_count == 0
    assert indexed(other, cache).parsed_count > 0


def test_what_the_question_uses_stays_whatever_the_limit(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    one, two = repository(make_repository, "a"), repository(make_repository, "b")
    indexed(one, cache, limit=0)
    first = indexed(two, cache, limit=0)
    assert cached_roots(cache) == {str(two)}
    assert len(Store(cache).catalogue()) == FILES
    again = indexed(two, cache, limit=0)
    assert again.parsed_count == 0
    assert rank(QUESTION, again) == rank(QUESTION, first)


def test_a_question_goes_on_when_another_process_evicts_all_it_uses(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    one, two = repository(make_repository, "a"), repository(make_repository, "b")
    question = read("total_a_3 is wrong")
    expected = rank(question, indexed(one, tmp_path / "other"))
    indexed(one, cache)
    store = Store(cache)
    running = build(open_snapshot(one), store, progress=Silent())
    use_days_ago(one, cache, 30)
    indexed(two, cache, limit=0)
    assert cached_roots(cache) == {str(two)}
    assert expected.files
    assert rank(question, running) == expected


@pytest.mark.parametrize("text", ["", "x = 1\n", None])
def test_a_question_goes_on_when_a_file_changes_that_was_evicted(
    tmp_path: Path, text: str | None
) -> None:
    cache, root = tmp_path / "cache", tmp_path / "plain"
    write_files(root, {f"a{number}.py": source("a", number) * 3 for number in range(FILES)})
    store = Store(cache)
    running = build(open_snapshot(root, plain=True), store, progress=Silent())
    store.remove([key for key, _, _ in store.catalogue()])
    for path in root.iterdir():
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
    ranking = rank(read("total_a_3 is wrong"), running)
    assert "a3.py" in {ranked.path for ranked in ranking.files}
    assert pack(ranking, running, Room(500, EstimatedTokenizer(1.0), reliable=500)).tokens <= 500


def index_again_and_again(root: Path, cache: Path) -> None:
    for _ in range(5):
        assert len(indexed(root, cache, limit=0).paths) == FILES


def test_two_processes_may_evict_at_once(make_repository: RepositoryMaker, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    roots = [repository(make_repository, name) for name in "abcd"]
    processes = [FORK.Process(target=index_again_and_again, args=(r, cache)) for r in roots]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(roots)
    expected = rank(QUESTION, indexed(roots[0], tmp_path / "other"))
    assert rank(QUESTION, indexed(roots[0], cache)) == expected


def test_a_clock_that_was_set_back_decides_nothing_but_the_order(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    one, two = repository(make_repository, "a"), repository(make_repository, "b")
    first = indexed(one, cache)
    use_days_ago(one, cache, -400)  # as if the clock had been a year ahead
    assert indexed(one, cache).parsed_count == 0
    assert rank(QUESTION, indexed(one, cache)) == rank(QUESTION, first)
    indexed(two, cache, limit=0)
    assert cached_roots(cache) == {str(two)}


@pytest.mark.parametrize("folder", [SEGMENTS, LISTINGS])
def test_what_a_killed_process_left_half_written_goes(
    make_repository: RepositoryMaker, tmp_path: Path, folder: str
) -> None:
    cache = tmp_path / "cache"
    dead, alive = (cache / folder / name for name in (".repoqa-dead", ".repoqa-alive"))
    stranger = cache / "other" / ".repoqa-dead"
    for unfinished, age in ((dead, DEBRIS_SECONDS + 60), (alive, 0), (stranger, DAY)):
        write_files(unfinished, {"terms": b"x" * 1000})
        when = time.time() - age
        os.utime(unfinished, (when, when))
    indexed(repository(make_repository, "a"), cache, limit=1 << 30)
    assert [path.exists() for path in (dead, alive, stranger)] == [False, True, True]


def test_the_databases_of_other_releases_go_first(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    one, two = repository(make_repository, "a"), repository(make_repository, "b")
    indexed(one, cache)
    write_files(cache, {"records-0.sqlite": b"x" * 10_000_000})
    indexed(two, cache, limit=5_000_000)
    assert not (cache / "records-0.sqlite").exists()
    assert cached_roots(cache) == {str(one), str(two)}


@pytest.mark.parametrize("name", ["caf\udce9", "line\nbreak", "a b"])
def test_places_of_any_name_come_back(tmp_path: Path, name: str) -> None:
    place = Place(f"/home/{name}", "1234")
    mark_used(tmp_path, place)
    ((found, used),) = used_places(tmp_path)
    assert found == place
    assert abs(used - time.time()) < 60


def test_a_damaged_place_is_passed_over_and_mended(tmp_path: Path) -> None:
    place = Place("/home/ada/shop")
    mark_used(tmp_path, place)
    (tmp_path / PLACES / place.name).write_bytes(b"/home/eve/shop\0")
    assert list(used_places(tmp_path)) == []
    mark_used(tmp_path, place)
    assert [found for found, _ in used_places(tmp_path)] == [place]


def test_the_size_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"12345")
    (tmp_path / "c").write_bytes(b"678")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert size_of(tmp_path) == 8
    assert size_of(tmp_path / "absent") == 0
