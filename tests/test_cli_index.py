"""`repoqa index`: builds the cache, shows it, empties it."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from commands import QUESTION, SHOP, repoqa, repoqa_process
from conftest import RepositoryMaker, Unprivileged, git, write_files
from schemas import validator

from repoqa.errors import ExitCode, JobError
from repoqa.index.inventory import clear, inventory
from repoqa.index.places import PLACES


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    return make_repository(SHOP)


@pytest.fixture
def cache() -> Path:
    return Path(os.environ["REPOQA_CACHE_DIR"]) / "index"


def report(*arguments: str, where: Path) -> Any:
    done = repoqa(*arguments, "--json", where=where)
    assert (done.code, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    name = "index-status" if "--status" in arguments else "index"
    validator(name).validate(found)
    return found


def parsed_by_a_question(where: Path, *more: str) -> int:
    done = repoqa("pack", "--json", "--no-stdin", QUESTION, *more, where=where)
    assert done.code == 0, done.stderr
    parsed: int = json.loads(done.stdout)["run"]["parsed"]
    return parsed


def test_what_is_indexed_is_not_parsed_by_the_first_question(shop: Path) -> None:
    done = repoqa("index", where=shop / "shop")
    assert re.fullmatch(
        r"repository: 4 files indexed in \d+\.\d s \(4 parsed, 0 reused\)\n", done.stdout
    )
    assert (done.code, done.stderr) == (0, "")
    assert parsed_by_a_question(shop) == 0


def test_the_report_for_other_programs(shop: Path) -> None:
    write_files(shop, {"logo.png": b"\x89PNG\r\n\x1a\n\x00\x00"})
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "--message=Second")
    found = report("index", "--rev", "HEAD~1", where=shop)
    assert found["revision"] == git(shop, "rev-parse", "HEAD~1")
    assert (found["repo"], found["files"], found["files_skipped"]) == ("repository", 4, [])
    found = report("index", where=shop)
    assert (found["revision"], found["files"]) == (None, 4)
    assert found["files_skipped"] == [{"path": "logo.png", "why": "binary"}]
    assert (found["run"]["parsed"], found["run"]["reused"]) == (1, 4)


def test_the_repositorys_ignore_setting_counts(shop: Path) -> None:
    write_files(shop, {".repoqa.toml": 'ignore = ["*.md"]\n'})
    assert report("index", where=shop)["files"] == 4  # three and the settings
    assert parsed_by_a_question(shop) == 0
    write_files(shop, {".repoqa.toml": 'ignore = ["*"]\n'})
    done = repoqa("index", where=shop)
    assert done.code == ExitCode.FAILED
    assert "leaves none of the 5 files" in done.stderr


def test_the_status_tells_what_is_cached_how_big_and_for_whom(
    shop: Path, make_repository: RepositoryMaker, cache: Path
) -> None:
    other = make_repository({"a.py": "a = 1\n", "b.py": SHOP["shop/basket.py"]})
    repoqa("index", where=shop)
    repoqa("index", "--rev", "HEAD", where=other)
    found = report("index", "--status", where=other)
    assert found["directory"] == str(cache)
    assert found["limit"] == 2 << 30
    assert found["records"] == 6
    assert found["bytes"] == sum(p.stat().st_size for p in cache.rglob("*") if p.is_file())
    commit = git(other, "rev-parse", "HEAD")
    assert [(p["root"], p["revision"], p["files"]) for p in found["places"]] == [
        (str(other), commit, 2),
        (str(shop), None, 4),
    ]
    assert all(0 < place["bytes"] < found["bytes"] for place in found["places"])
    done = repoqa("index", "--status", where=shop)
    head, columns, *rows = done.stdout.splitlines()
    assert head.startswith(f"{cache}: 0.")
    assert head.endswith(" of 2,147 MB, 6 files known")
    assert columns.split() == ["files", "size", "last", "used", "repository"]
    assert [row.split()[0] for row in rows] == ["2", "4"]
    assert rows[0].endswith(f"  {other} at {commit[:12]}")
    assert rows[1].endswith(f"  {shop}")


def test_the_status_of_nothing_makes_nothing(tmp_path: Path, cache: Path) -> None:
    done = repoqa("index", "--status", where=tmp_path)
    assert done.stdout == f"{cache}: 0.0 MB of 2,147 MB, 0 files known\n"
    assert report("index", "--status", where=tmp_path)["places"] == []
    assert not cache.exists()


def test_names_cannot_drive_the_terminal(tmp_path: Path) -> None:
    root = tmp_path / "a\x1b[31m\nb"
    write_files(root, {"a.py": "a = 1\n"})
    repoqa("index", "--repo", str(root), where=tmp_path)
    done = repoqa("index", "--status", where=tmp_path)
    assert "a\\x1b[31m\\nb" in done.stdout


def test_a_cleared_cache_is_built_again(shop: Path, cache: Path) -> None:
    repoqa("index", where=shop)
    write_files(cache, {"of/the/users.txt": "own", "records-0.sqlite": "old"})
    done = repoqa("index", "--clear", where=shop)
    assert re.fullmatch(rf"0\.\d MB removed from {re.escape(str(cache))}\n", done.stdout)
    assert (done.code, done.stderr) == (0, "")
    left = [path.name for path in cache.rglob("*") if path.is_file()]
    assert left == ["users.txt"], "what repoqa did not make stays"
    assert report("index", "--status", where=shop)["places"] == []
    assert parsed_by_a_question(shop) == 4
    assert parsed_by_a_question(shop) == 0


def test_clearing_what_is_not_there(shop: Path, cache: Path) -> None:
    assert repoqa("index", "--clear", where=shop).stdout.startswith("0.0 MB removed")
    assert not cache.exists()


def test_a_cache_that_cannot_be_removed_is_told(
    unprivileged: Unprivileged, open_folder: Path
) -> None:
    write_files(open_folder, {f"index/{PLACES}/a": "x"})
    for path in (open_folder / "index" / PLACES, open_folder / "index"):
        path.chmod(0o555)

    def look() -> str:
        try:
            clear(open_folder / "index")
        except JobError as error:
            return error.message
        return "removed"

    assert unprivileged(open_folder, look).endswith("cannot be removed: Permission denied")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--status", "--clear"], "Leave out one of the two"),
        (["--status", "--repo", "."], "--status is about all repositories"),
        (["--clear", "--rev", "HEAD"], "--clear is about all repositories"),
    ],
)
def test_contradictions_are_refused(shop: Path, arguments: list[str], said: str) -> None:
    done = repoqa("index", *arguments, where=shop)
    assert done.code == ExitCode.USAGE
    assert said in done.stderr


def test_the_limit_is_kept(shop: Path, make_repository: RepositoryMaker, cache: Path) -> None:
    other = make_repository({"a.py": "a = 1\n"})
    repoqa("index", where=shop)
    done = repoqa_process("index", where=other, REPOQA_CACHE_LIMIT="0")
    assert done.code == 0, done.stderr
    assert [cached.place.root for cached in inventory(cache).places] == [str(other)]
    assert parsed_by_a_question(shop) == 4


def test_a_file_that_the_parser_gives_up_on_is_named_once(shop: Path) -> None:
    write_files(shop, {"deep.py": "x = " + "[\n" * 100_000})
    said = "repoqa: deep.py: brackets nested over 10,000 deep: read as line chunks\n"
    assert repoqa("index", where=shop).stderr == said
    assert repoqa("index", where=shop).stderr == ""


def test_a_cache_that_cannot_be_written_is_named(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = repoqa_process("index", where=shop, REPOQA_CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert done.code == 0
    assert done.stdout.startswith("repository: 4 files indexed")
    assert re.fullmatch(
        r"repoqa: the index cache cannot be used \(.*\); the next question indexes again\n",
        done.stderr,
    )
