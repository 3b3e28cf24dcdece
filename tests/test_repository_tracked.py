"""The copy that is kept of git's index: used where the index is the same, never believed else."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import RepositoryMaker, git, write_files
from test_repository_snapshot import read, skipped

from repoqa.records import FileEntry, Snapshot
from repoqa.repository.snapshot import open_snapshot


@pytest.fixture
def root(make_repository: RepositoryMaker) -> Path:
    return make_repository({"a.py": "1", "d/b.py": "2", "d/.repoqaignore": "c.py\n", "d/c.py": "3"})


class Asked:
    """How often git was asked for the index of the repository in each folder."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def since_then(self) -> list[str]:
        """The folders it was asked in since the last look."""
        folders = self._log.read_text().splitlines() if self._log.exists() else []
        self._log.unlink(missing_ok=True)
        return [Path(folder).name for folder in folders]


def put_before_git(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Have a shell script run in git's place; `$GIT` is git, `$ROOT` the repository's folder."""
    folder.mkdir()
    whole = f"#!/bin/sh\nGIT={shutil.which('git')}\nROOT=$GIT_WORK_TREE\n{script}"
    (folder / "git").write_text(whole)
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    log = tmp_path / "asked"
    script = f'case "$*" in *--stage*) echo "$ROOT" >> {log};; esac\nexec $GIT "$@"\n'
    put_before_git(tmp_path / "bin", monkeypatch, script)
    return Asked(log)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "listings" / "one"


def opened(root: Path, kept: Path) -> Snapshot:
    """The repository as it is opened with a copy, which never shows."""
    snapshot = open_snapshot(root, kept_at=lambda _: kept)
    assert snapshot == open_snapshot(root)
    return snapshot


def test_git_is_asked_once_as_long_as_nothing_is_staged(
    root: Path, kept: Path, asked: Asked
) -> None:
    first = open_snapshot(root, kept_at=lambda _: kept)
    assert asked.since_then() == ["repository"]
    write_files(root, {"a.py": "edited", "new.py": "new"})
    (root / "d/b.py").unlink()
    second = open_snapshot(root, kept_at=lambda _: kept)
    assert asked.since_then() == []
    assert first.files != second.files
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


def stage_without_a_checksum(root: Path) -> None:
    """As git does with index.skipHash: where a checksum stands otherwise, there are zeros."""
    write_files(root, {"a.py": "edited"})
    git(root, "add", "a.py")
    take_the_checksum(root)


def take_the_checksum(root: Path) -> None:
    index = root / ".git/index"
    index.write_bytes(index.read_bytes()[:-20] + bytes(20))


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
        stage_without_a_checksum,
        ignore,
        ignore_at_the_root,
        remove_the_index,
    ],
)
def test_what_changes_the_index_or_the_files_shows_at_once(
    root: Path, kept: Path, change: Callable[[Path], None]
) -> None:
    if change is stage_without_a_checksum:
        take_the_checksum(root)
    before = opened(root, kept)
    change(root)
    after = opened(root, kept)
    assert change in (switch, remove_the_index) or after != before
    assert opened(root, kept) == after


def sparse(root: Path, *options: str) -> None:
    git(root, "sparse-checkout", "init", "--cone", *options)
    git(root, "sparse-checkout", "set", "d")


@pytest.mark.parametrize("options", [(), ("--sparse-index",)])
class TestSparseCheckout:
    """What git tells of one depends on what lies on the disk, and on settings."""

    @pytest.fixture
    def root(self, make_repository: RepositoryMaker) -> Path:
        return make_repository({"d/a.py": "1", "out/b.py": "2", "out/c.py": "3"})

    def test_a_file_outside_that_comes(
        self, root: Path, kept: Path, options: tuple[str, ...]
    ) -> None:
        sparse(root, *options)
        opened(root, kept)
        write_files(root, {"out/b.py": "edited"})
        assert read(opened(root, kept)) == {"d/a.py": b"1", "out/b.py": b"edited"}

    def test_a_file_outside_that_goes(
        self, root: Path, kept: Path, options: tuple[str, ...]
    ) -> None:
        sparse(root, *options)
        write_files(root, {"out/b.py": "there"})
        assert "out/b.py" in read(opened(root, kept))
        shutil.rmtree(root / "out")
        assert read(opened(root, kept)) == {"d/a.py": b"1"}

    @pytest.mark.parametrize(
        "setting",
        [("core.sparseCheckout", "false"), ("sparse.expectFilesOutsideOfPatterns", "true")],
    )
    def test_a_setting_that_changes(
        self, root: Path, kept: Path, setting: tuple[str, str], *, options: tuple[str, ...]
    ) -> None:
        sparse(root, *options)
        write_files(root, {"out/b.py": "there"})
        opened(root, kept)
        git(root, "config", "--worktree", *setting)
        write_files(root, {"out/b.py": "edited"})
        opened(root, kept)

    def test_one_that_begins(self, root: Path, kept: Path, options: tuple[str, ...]) -> None:
        opened(root, kept)
        sparse(root, *options)
        assert read(opened(root, kept)) == {"d/a.py": b"1"}
        git(root, "sparse-checkout", "disable")
        assert len(opened(root, kept).files) == 3


def test_submodules_are_kept_beside_their_repository(
    make_repository: RepositoryMaker, kept: Path, asked: Asked
) -> None:
    outer = make_repository({"o.py": "o"})
    for name in ("one", "two"):
        inner = make_repository({f"{name}.py": name})
        git(outer, "submodule", "--quiet", "add", str(inner), name)
    commit(outer)
    opened(outer, kept)
    write_files(outer, {"one/new.py": "new"})
    git(outer / "one", "add", "new.py")
    asked.since_then()
    assert read(open_snapshot(outer, kept_at=lambda _: kept)).keys() == {
        *(".gitmodules", "o.py", "one/new.py", "one/one.py", "two/two.py")
    }
    assert asked.since_then() == ["one"]
    git(outer, "submodule", "--quiet", "deinit", "--force", "two")
    opened(outer, kept)
    asked.since_then()
    assert read(open_snapshot(outer, kept_at=lambda _: kept)).keys() == {
        *(".gitmodules", "o.py", "one/new.py", "one/one.py")
    }
    assert asked.since_then() == []


def test_of_paths_that_are_not_utf_8_no_copy_is_kept(
    make_repository: RepositoryMaker, kept: Path, asked: Asked
) -> None:
    inner, outer = make_repository({"i.py": "i"}), make_repository({"o.py": "o"})
    (inner / os.fsdecode(b"\xff.py")).write_bytes(b"4")
    git(inner, "add", "--all")
    git(inner, "commit", "--quiet", "--message=x")
    git(outer, "submodule", "--quiet", "add", str(inner), "in")
    assert b"4" in read(opened(outer, kept)).values()
    asked.since_then()
    assert b"4" in read(open_snapshot(outer, kept_at=lambda _: kept)).values()
    assert asked.since_then() == ["in"]


def test_another_encoding_of_file_names_reads_anew(root: Path, kept: Path) -> None:
    write_files(root, {"caf\xe9.py": "1"})
    git(root, "add", "--all")
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from repoqa.repository.snapshot import open_snapshot\n"
        "kept = Path(sys.argv[1])\n"
        "kept_at = lambda _: kept\n"
        "assert sys.getfilesystemencoding() == sys.argv[2]\n"
        "given = open_snapshot(Path(), kept_at=kept_at)\n"
        "assert given == open_snapshot(Path())\n"
        "assert all(content for _, content in given.source.read(given.files))\n"
    )
    for mode, encoding in (("1", "utf-8"), ("0", "ascii"), ("1", "utf-8")):
        subprocess.run(
            [sys.executable, "-X", f"utf8={mode}", "-c", script, str(kept), encoding],
            cwd=root,
            env={**os.environ, "LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"},
            check=True,
        )


def test_an_index_that_changes_while_git_reads_it_is_not_kept(
    root: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        '$GIT "$@"\nstatus=$?\n'
        'case "$*" in *--stage*) $GIT -C "$ROOT" rm --quiet --cached a.py;; esac\nexit $status\n'
    )
    with monkeypatch.context() as patched:
        put_before_git(root.parent / "bin", patched, script)
        open_snapshot(root, kept_at=lambda _: kept)
    assert git(root, "ls-files", "a.py") == ""
    assert not kept.exists()
    opened(root, kept)
    assert kept.exists()


def test_whoever_reads_a_copy_sees_all_of_it(root: Path, kept: Path) -> None:
    opened(root, kept)
    whole = kept.read_bytes()
    with kept.open("rb") as reading:
        edit_and_commit(root)
        opened(root, kept)
        assert reading.read() == whole
    assert kept.read_bytes() != whole
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


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
