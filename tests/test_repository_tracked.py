"""The copy that is kept of git's index: used where the index is the same, never believed else."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import RepositoryMaker, git, write_files
from test_repository_snapshot import read, skipped

from repoqa.records import FileEntry, Snapshot
from repoqa.repository import tracked
from repoqa.repository.plumbing import Git
from repoqa.repository.snapshot import open_snapshot
from repoqa.repository.tracked import Tracked


@pytest.fixture
def root(make_repository: RepositoryMaker) -> Path:
    return make_repository({"a.py": "1", "d/b.py": "2", "d/.repoqaignore": "c.py\n", "d/c.py": "3"})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders of the repositories whose index git was asked for."""
    folders: list[str] = []
    real = tracked.read_tracked

    def read_tracked(git: Git) -> Tracked:
        folders.append(git.root.name)
        return real(git)

    monkeypatch.setattr(tracked, "read_tracked", read_tracked)
    return folders


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "listings" / "one"


def opened(root: Path, kept: Path) -> Snapshot:
    """The repository as it is opened with a copy, which never shows."""
    snapshot = open_snapshot(root, kept_at=lambda _: kept)
    assert snapshot == open_snapshot(root)
    return snapshot


def test_git_is_asked_once_as_long_as_nothing_is_staged(
    root: Path, kept: Path, asked: list[str]
) -> None:
    first = opened(root, kept)
    del asked[:]
    write_files(root, {"a.py": "edited", "new.py": "new"})
    (root / "d/b.py").unlink()
    second = open_snapshot(root, kept_at=lambda _: kept)
    assert asked == []
    assert read(first).keys() == {"a.py", "d/b.py", "d/.repoqaignore"}
    assert read(second) == {
        "a.py": b"edited",
        "d/.repoqaignore": b"c.py\n",
        "new.py": b"new",
    }
    assert skipped(second) == {"d/b.py": "deleted in the working tree"}
    assert second == open_snapshot(root)


def commit(root: Path) -> None:
    git(root, "commit", "--quiet", "--all", "--message=x")


def mark(flag: str) -> Callable[[Path], None]:
    """Set a flag of an entry, and edit its file, at which git does not look from now on."""

    def change(root: Path) -> None:
        git(root, "update-index", flag, "a.py")
        write_files(root, {"a.py": "unseen"})

    return change


def intend_to_add(root: Path) -> None:
    write_files(root, {"new.py": "new"})
    git(root, "add", "--intent-to-add", "new.py")


def edit_and_commit(root: Path) -> None:
    write_files(root, {"a.py": "edited"})
    commit(root)


def switch(root: Path) -> None:
    git(root, "checkout", "--quiet", "-b", "other")
    git(root, "mv", "a.py", "moved.py")
    commit(root)
    git(root, "checkout", "--quiet", "main")


def conflict(root: Path) -> None:
    for branch, content in (("ours", "ours"), ("theirs", "theirs")):
        git(root, "checkout", "--quiet", "-B", branch, "main")
        write_files(root, {"a.py": content})
        commit(root)
    with pytest.raises(AssertionError, match="Merge conflict"):
        git(root, "merge", "ours")


def split(root: Path) -> None:
    git(root, "update-index", "--split-index")
    write_files(root, {"new.py": "new"})
    git(root, "add", "new.py")


def without_hash(root: Path) -> None:
    git(root, "config", "index.skipHash", "true")
    intend_to_add(root)


def ignore(root: Path) -> None:
    write_files(root, {"d/.repoqaignore": "b.py\n"})


def ignore_at_the_root(root: Path) -> None:
    write_files(root, {".repoqaignore": "d/\n", ".gitignore": ".repoqaignore\n"})


def remove_the_index(root: Path) -> None:
    (root / ".git/index").unlink()


@pytest.mark.parametrize(
    "change",
    [
        edit_and_commit,
        mark("--assume-unchanged"),
        mark("--skip-worktree"),
        intend_to_add,
        switch,
        conflict,
        split,
        without_hash,
        ignore,
        ignore_at_the_root,
        remove_the_index,
    ],
)
def test_what_changes_the_index_or_the_files_shows_at_once(
    root: Path, kept: Path, change: Callable[[Path], None]
) -> None:
    before = opened(root, kept)
    change(root)
    after = opened(root, kept)
    assert change in (switch, remove_the_index) or after != before
    assert opened(root, kept) == after


def test_submodules_are_kept_beside_their_repository(
    make_repository: RepositoryMaker, kept: Path, asked: list[str]
) -> None:
    outer = make_repository({"o.py": "o"})
    for name in ("one", "two"):
        inner = make_repository({f"{name}.py": name})
        git(outer, "submodule", "--quiet", "add", str(inner), name)
    commit(outer)
    opened(outer, kept)
    del asked[:]
    write_files(outer, {"one/new.py": "new"})
    git(outer / "one", "add", "new.py")
    assert read(open_snapshot(outer, kept_at=lambda _: kept)).keys() == {
        *(".gitmodules", "o.py", "one/new.py", "one/one.py", "two/two.py")
    }
    assert asked == ["one"]
    git(outer, "submodule", "--quiet", "deinit", "--force", "two")
    opened(outer, kept)
    del asked[:]
    assert read(open_snapshot(outer, kept_at=lambda _: kept)).keys() == {
        *(".gitmodules", "o.py", "one/new.py", "one/one.py")
    }
    assert asked == []


def test_a_path_that_is_not_utf_8_keeps_nothing(root: Path, kept: Path) -> None:
    (root / os.fsdecode(b"\xff.py")).write_bytes(b"4")
    git(root, "add", "--all")
    assert b"4" in read(opened(root, kept)).values()
    assert not kept.exists()


def test_an_index_that_changes_while_git_reads_it_is_not_kept(
    root: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tracked.read_tracked

    def read_tracked(git_of_root: Git) -> Tracked:
        found = real(git_of_root)
        git(root, "rm", "--quiet", "--cached", "a.py")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(tracked, "read_tracked", read_tracked)
        open_snapshot(root, kept_at=lambda _: kept)
    assert not kept.exists()
    git(root, "add", "a.py")
    opened(root, kept)


def test_a_damaged_copy_is_read_anew(root: Path, kept: Path) -> None:
    opened(root, kept)
    whole = kept.read_bytes()
    for place in range(0, len(whole), 7):
        kept.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert FileEntry("a.py", "56a6051ca2b02b04ef92d5150c9ef600403cb1de", 1) in (
            open_snapshot(root, kept_at=lambda _: kept).files
        )
        assert kept.read_bytes() == whole
    kept.write_bytes(whole[:-1])
    opened(root, kept)
    assert kept.read_bytes() == whole


def test_where_nothing_can_be_kept_all_is_read(root: Path, tmp_path: Path) -> None:
    write_files(tmp_path, {"file": "in the way"})
    assert opened(root, tmp_path / "file" / "listings" / "one").files
