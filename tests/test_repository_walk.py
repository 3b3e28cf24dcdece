"""Folders outside git."""

import os
import sys
from pathlib import Path

import pytest
from conftest import Unprivileged, git, write_files
from test_repository_snapshot import read, skipped

from repoqa.errors import RepositoryError
from repoqa.repository.snapshot import open_snapshot


def test_every_file_below_is_read(tmp_path: Path) -> None:
    write_files(tmp_path / "plain", {"a.py": "1", "d/e/b.py": b"\xff", "node_modules/c.js": "3"})
    snapshot = open_snapshot(tmp_path / "plain", plain=True)
    assert read(snapshot) == {"a.py": b"1", "d/e/b.py": b"\xff", "node_modules/c.js": b"3"}
    assert (snapshot.root, snapshot.name) == (tmp_path / "plain", "plain")
    assert (snapshot.revision, snapshot.object_format) == (None, "sha1")
    git(tmp_path, "init", "--quiet")
    for entry, content in snapshot.source.read(snapshot.files):
        assert content is not None
        assert git(tmp_path, "hash-object", "--stdin", stdin=content) == entry.oid


def test_a_folder_inside_a_repository_means_the_repository(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.py": "1", "d/b.py": "2"})
    git(tmp_path, "init", "--quiet")
    assert read(open_snapshot(tmp_path / "d", plain=True)).keys() == {"a.py", "d/b.py"}


def test_ignore_files_are_honoured_and_metadata_is_passed_over(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            ".gitignore": "*.log\nnode_modules/\n",
            ".repoqaignore": "!kept.log\n/secret/\n",
            "a.log": "1",
            "kept.log": "2",
            "node_modules/x.js": "3",
            "secret/x.py": "4",
            "d/.gitignore": "x.py\n",
            "d/x.py": "5",
            "d/secret/y.py": "6",
            ".hg/store": "7",
            "d/.svn/entries": "8",
            ".git/unfinished": "9",
        },
    )
    assert read(open_snapshot(tmp_path, plain=True)).keys() == {
        ".gitignore",
        ".repoqaignore",
        "d/.gitignore",
        "d/secret/y.py",
        "kept.log",
    }


def test_links_pipes_and_loops(tmp_path: Path) -> None:
    write_files(tmp_path, {"outside/x.py": "1", "plain/a.py": "2"})
    plain = tmp_path / "plain"
    (plain / "loop").symlink_to(plain)
    (plain / "link").symlink_to(tmp_path / "outside/x.py")
    os.mkfifo(plain / "pipe")
    os.mkfifo(plain / ".gitignore")
    snapshot = open_snapshot(plain, plain=True)
    assert read(snapshot) == {"a.py": b"2"}
    assert skipped(snapshot) == {
        ".gitignore": "not a regular file",
        "link": "a symbolic link",
        "loop": "a symbolic link",
        "pipe": "not a regular file",
    }


def test_very_deep_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    depth = sys.getrecursionlimit() // 2
    monkeypatch.chdir(tmp_path)
    for _ in range(depth):
        os.mkdir("d")  # noqa: PTH102
        os.chdir("d")
    Path("deep.py").write_text("1")
    snapshot = open_snapshot(tmp_path, plain=True)
    assert [entry.path.count("/") for entry in snapshot.files] == [depth]


def test_what_changes_after_listing(tmp_path: Path) -> None:
    write_files(tmp_path, {"edited.py": "1", "gone.py": "2"})
    snapshot = open_snapshot(tmp_path, plain=True)
    write_files(tmp_path, {"edited.py": "other"})
    (tmp_path / "gone.py").unlink()
    (edited, content), (_, gone) = snapshot.source.read(snapshot.files)
    assert (edited.size, content, gone) == (5, b"other", None)
    git(tmp_path, "init", "--quiet")
    assert git(tmp_path, "hash-object", "edited.py") == edited.oid


def test_unreadable_folders(unprivileged: Unprivileged, open_folder: Path) -> None:
    write_files(open_folder, {"a.py": "1", "closed/b.py": "2", "c.py": "3"})
    (open_folder / "closed").chmod(0)
    (open_folder / "c.py").chmod(0)

    def look() -> dict[str, str]:
        snapshot = open_snapshot(open_folder, plain=True)
        assert read(snapshot) == {"a.py": b"1"}
        return skipped(snapshot)

    expected = {"closed/": "permission denied", "c.py": "permission denied"}
    assert unprivileged(open_folder, look) == expected


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="it has no files"):
        open_snapshot(tmp_path, plain=True)
