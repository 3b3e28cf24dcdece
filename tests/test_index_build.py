"""The index of a snapshot: what is cached, what is parsed again, and what damage costs."""

import os
import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import RepositoryMaker, git, write_files
from hypothesis import given, settings
from hypothesis import strategies as st

from repoqa.evidence.question import read
from repoqa.index.build import FEWEST_CHANGED, build
from repoqa.index.index import Index
from repoqa.index.places import kept_listings
from repoqa.index.store import Store
from repoqa.index.terms import Field
from repoqa.protocols import Silent
from repoqa.ranking.rank import rank
from repoqa.records import Ranking
from repoqa.repository.snapshot import open_snapshot

FILES: Mapping[str, str | bytes] = {
    "shop/cart.py": "class Cart:\n    def total(self):\n        return price(self)\n",
    "shop/prices.py": "def price(cart):\n    return 3\n",
    "shop/copy_of_prices.py": "def price(cart):\n    return 3\n",
    "logo.png": b"\x89PNG\r\n\x1a\n\x00\x00",
    "notes.txt": "how the total price of a cart is found\n",
}
QUESTION = read("the total price of a Cart is wrong")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def indexed(root: Path, cache: Path | None, revision: str | None = None) -> Index:
    kept_at = None if cache is None else kept_listings(cache)
    snapshot = open_snapshot(root, revision=revision, kept_at=kept_at)
    return build(snapshot, Store(cache), progress=Silent())


def ranking(index: Index) -> Ranking:
    return rank(QUESTION, index)


def test_a_second_build_parses_nothing(make_repository: RepositoryMaker, tmp_path: Path) -> None:
    root = make_repository(FILES)
    first = indexed(root, tmp_path / "cache")
    assert (first.parsed_count, first.reused_count) == (5, 0)
    second = indexed(root, tmp_path / "cache")
    assert (second.parsed_count, second.reused_count) == (0, 5)
    assert ranking(second) == ranking(first)
    assert second.paths == sorted(set(FILES) - {"logo.png"})
    assert [skipped.path for skipped in second.skipped] == ["logo.png"]


def test_names_of_any_bytes_come_back(make_repository: RepositoryMaker, tmp_path: Path) -> None:
    root = make_repository({"b.py": "b = 1\n"})
    name = os.fsdecode(b"caf\xe9.py")
    write_files(root, {name: "def brew():\n    pass\n"})
    for _ in range(2):
        index = indexed(root, tmp_path / "cache")
        assert index.defined("brew") == [name]
    assert index.parsed_count == 0


def test_lookups(make_repository: RepositoryMaker, tmp_path: Path) -> None:
    index = indexed(make_repository(FILES), tmp_path / "cache")
    assert index.defined("price") == ["shop/copy_of_prices.py", "shop/prices.py"]
    assert index.defined("Cart.total") == ["shop/cart.py"]
    assert index.defined("absent") == []
    assert index.lines("shop/prices.py") == ["def price(cart):", "    return 3"]
    assert [symbol.name for symbol in index.parsed("shop/cart.py").symbols] == [
        "Cart",
        "Cart.total",
    ]
    (unit,) = index.matches(Field.USED, "price").units
    assert index.symbol(int(unit)).name == "Cart.total"
    with pytest.raises(KeyError):
        index.parsed("logo.png")
    with pytest.raises(KeyError):
        index.lines("absent.py")


def test_only_changed_files_are_parsed_and_nothing_stale_is_served(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    root = make_repository(FILES)
    indexed(root, tmp_path / "cache")
    write_files(root, {"shop/cart.py": "class Cart:\n    def amount(self):\n        return 1\n"})
    write_files(root, {"shop/new.py": "def fresh():\n    pass\n"})
    (root / "notes.txt").unlink()
    (root / "shop/prices.py").rename(root / "shop/costs.py")
    changed = indexed(root, tmp_path / "cache")
    assert changed.parsed_count == 3
    assert changed.defined("Cart.total") == []
    assert changed.defined("Cart.amount") == ["shop/cart.py"]
    assert changed.defined("fresh") == ["shop/new.py"]
    assert changed.defined("price") == ["shop/copy_of_prices.py", "shop/costs.py"]
    assert "notes.txt" not in changed.paths
    assert ranking(changed) == ranking(indexed(root, None))


def test_many_changes_write_the_segment_anew(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    many = {f"m{n}.py": f"def f{n}():\n    return {n}\n" for n in range(FEWEST_CHANGED + 5)}
    root = make_repository(many)
    indexed(root, tmp_path / "cache")
    write_files(root, {path: f"{text}\n\nx = 1\n" for path, text in many.items()})
    assert indexed(root, tmp_path / "cache").parsed_count == len(many)
    again = indexed(root, tmp_path / "cache")
    assert again.parsed_count == 0
    assert ranking(again) == ranking(indexed(root, None))


def test_revisions_share_what_they_have_in_common(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    root = make_repository(FILES)
    before = indexed(root, tmp_path / "cache")
    write_files(root, {"shop/prices.py": "def price(cart):\n    return 4\n"})
    git(root, "commit", "--quiet", "--all", "--message=Second")
    assert indexed(root, tmp_path / "cache").parsed_count == 1
    old = indexed(root, tmp_path / "cache", revision="HEAD~1")
    assert old.parsed_count == 0
    assert ranking(old) == ranking(before)
    assert old.lines("shop/prices.py")[1] == "    return 3"


def test_a_cache_that_cannot_be_made_costs_nothing_but_time(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    index = indexed(make_repository(FILES), tmp_path / "file" / "cache")
    assert ranking(index) == ranking(indexed(tmp_path / "repository", None))


def test_a_damaged_database_is_made_anew(make_repository: RepositoryMaker, tmp_path: Path) -> None:
    root = make_repository(FILES)
    expected = ranking(indexed(root, tmp_path / "cache"))
    for path in sorted((tmp_path / "cache").rglob("*")):
        if path.is_file():
            path.write_bytes(b"not a database" * 100)
    assert ranking(indexed(root, tmp_path / "cache")) == expected
    indexed(root, tmp_path / "cache")
    assert indexed(root, tmp_path / "cache").parsed_count == 0


@pytest.fixture(scope="module")
def damaged_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), truncate=st.booleans())
def test_flipped_bytes_never_change_an_answer(
    damaged_home: Path, seed: int, truncate: bool
) -> None:
    root, cache = damaged_home / "r", damaged_home / "c"
    if not root.exists():
        root.mkdir()
        git(root, "init", "--quiet")
        write_files(root, FILES)
        git(root, "add", "--all")
    expected = ranking(indexed(root, None))
    assert ranking(indexed(root, cache)) == expected
    chooser = random.Random(seed)
    files = sorted(path for path in cache.rglob("*") if path.is_file() and path.stat().st_size)
    path = chooser.choice(files)
    content = bytearray(path.read_bytes())
    place = chooser.randrange(len(content))
    if truncate:
        del content[place:]
    else:
        content[place] ^= 1 << chooser.randrange(8)
    path.write_bytes(content)
    assert ranking(indexed(root, cache)) == expected
