"""Snapshots of working trees: whatever state a repository is in, the bytes are the true ones."""

import os
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from conftest import RepositoryMaker, Unprivileged, git, write_files
from hypothesis import given, settings
from hypothesis import strategies as st

from repoqa.errors import RepositoryError
from repoqa.records import Snapshot
from repoqa.repository.objects import LARGEST_FILE_BYTES
from repoqa.repository.snapshot import open_snapshot
from repoqa.repository.tracked import parse_index, parse_plain_index


def read(snapshot: Snapshot) -> dict[str, bytes]:
    """Every file's bytes; each entry must be what it claims to be."""
    contents = {}
    assert list(snapshot.files) == sorted(snapshot.files)
    for expected, (entry, content) in zip(
        snapshot.files, snapshot.source.read(snapshot.files), strict=True
    ):
        assert content is not None, entry
        assert (entry.path, entry.oid) == (expected.path, expected.oid)
        assert entry.size == len(content)
        contents[entry.path] = content
    return contents


def assert_true_ids(snapshot: Snapshot, repository: Path) -> None:
    """The ids are those that git itself gives the bytes."""
    for entry, content in snapshot.source.read(snapshot.files):
        assert content is not None
        assert git(repository, "hash-object", "--stdin", stdin=content) == entry.oid


def skipped(snapshot: Snapshot) -> dict[str, str]:
    return {file.path: file.why for file in snapshot.skipped}


def metadata(repository: Path) -> dict[str, bytes]:
    """Every byte of the repository's own files."""
    files = (path for path in (repository / ".git").rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files}


def test_a_clean_repository(make_repository: RepositoryMaker) -> None:
    files: dict[str, str | bytes] = {
        "a.py": "print(1)\n",
        "pkg/b.py": b"\xff\x00",
        "empty": "",
        ".hidden": "x",
    }
    root = make_repository(files)
    before = metadata(root)
    snapshot = open_snapshot(root)
    assert read(snapshot) == {
        ".hidden": b"x",
        "a.py": b"print(1)\n",
        "empty": b"",
        "pkg/b.py": b"\xff\x00",
    }
    assert_true_ids(snapshot, root)
    assert (snapshot.root, snapshot.name, snapshot.revision) == (root, "repository", None)
    assert (snapshot.object_format, snapshot.skipped, snapshot.notes) == ("sha1", (), ())
    assert metadata(root) == before


def test_any_folder_of_it_finds_the_whole(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a.py": "1", "pkg/deep/b.py": "2"})
    (root / "pkg/ignored").mkdir()
    for start in (root / "pkg/deep", root / "pkg/ignored", root / ".git", root / ".git/refs"):
        assert open_snapshot(start) == open_snapshot(root)


def test_edits_and_untracked_files_are_read_and_ignored_ones_not(
    make_repository: RepositoryMaker,
) -> None:
    root = make_repository(
        {".gitignore": "*.log\n", "clean.py": "c", "edited.py": "old", "staged.py": "old"}
    )
    write_files(
        root, {"edited.py": "new!", "staged.py": "staged", "new/file.py": "n", "x.log": "l"}
    )
    git(root, "add", "staged.py")
    write_files(root, {"staged.py": "after staging", ".git/info/exclude": "secret.*\n"})
    write_files(root, {"secret.txt": "s"})
    before = metadata(root)
    snapshot = open_snapshot(root)
    assert read(snapshot) == {
        ".gitignore": b"*.log\n",
        "clean.py": b"c",
        "edited.py": b"new!",
        "new/file.py": b"n",
        "staged.py": b"after staging",
    }
    assert_true_ids(snapshot, root)
    assert metadata(root) == before


def test_deleted_files_are_listed_as_such(make_repository: RepositoryMaker) -> None:
    root = make_repository(
        {"kept.py": "1", "gone.py": "2", "folder/gone.py": "3", "removed.py": "4"}
    )
    (root / "gone.py").unlink()
    (root / "folder/gone.py").unlink()
    (root / "folder").rmdir()
    (root / "folder").write_text("now a file")
    git(root, "rm", "--quiet", "removed.py")
    snapshot = open_snapshot(root)
    assert read(snapshot) == {"folder": b"now a file", "kept.py": b"1"}
    assert skipped(snapshot) == {
        "folder/gone.py": "deleted in the working tree",
        "gone.py": "deleted in the working tree",
    }


def test_an_edit_of_the_same_size_right_after_a_commit_is_seen(
    make_repository: RepositoryMaker,
) -> None:
    root = make_repository({"a.py": "0000"})
    for number in range(20):
        git(root, "commit", "--quiet", "--all", "--allow-empty", "--message=x")
        (root / "a.py").write_text(f"{number:04}")
        assert read(open_snapshot(root)) == {"a.py": f"{number:04}".encode()}


def test_an_edit_that_puts_size_and_time_back_is_seen(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a.py": "old"})
    long_ago = 10**18
    os.utime(root / "a.py", ns=(long_ago, long_ago))
    git(root, "update-index", "--refresh")
    time.sleep(1.1)  # git compares the time of the last change of any kind in whole seconds
    (root / "a.py").write_text("new")
    os.utime(root / "a.py", ns=(long_ago, long_ago))
    assert read(open_snapshot(root)) == {"a.py": b"new"}


def test_a_file_git_was_told_to_assume_unchanged_is_read_as_it_is(
    make_repository: RepositoryMaker,
) -> None:
    root = make_repository({"a.py": "old", "b.py": "old"})
    git(root, "update-index", "--assume-unchanged", "a.py")
    git(root, "update-index", "--skip-worktree", "b.py")
    write_files(root, {"a.py": "changed", "b.py": "changed"})
    assert read(open_snapshot(root)) == {"a.py": b"changed", "b.py": b"changed"}


def test_symbolic_links_are_listed_and_not_followed(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    write_files(outside, {"secret.py": "s", "replaced.py": "s"})
    root = make_repository({"a.py": "1", "folder/replaced.py": "2"})
    (root / "tracked").symlink_to("a.py")
    git(root, "add", "tracked")
    (root / "untracked").symlink_to(outside / "secret.py")
    (root / "to_folder").symlink_to(outside)
    (root / "loop").symlink_to("loop")
    (root / "folder/replaced.py").unlink()
    (root / "folder").rmdir()
    (root / "folder").symlink_to(outside)
    (root / "a.py").unlink()
    (root / "a.py").symlink_to(outside / "secret.py")
    (root / "b.py").write_text("b")
    snapshot = open_snapshot(root)
    assert read(snapshot) == {"b.py": b"b"}
    assert skipped(snapshot) == {
        "a.py": "a symbolic link",
        "folder": "a symbolic link",
        "folder/replaced.py": "behind a symbolic link",
        "loop": "a symbolic link",
        "to_folder": "a symbolic link",
        "tracked": "a symbolic link",
        "untracked": "a symbolic link",
    }


def test_pipes_and_sockets_are_not_waited_for(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a.py": "1", "pipe.py": "2", "socket.py": "3"})
    (root / "pipe.py").unlink()
    (root / "socket.py").unlink()
    os.mkfifo(root / "pipe.py")
    os.mkfifo(root / "untracked.fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(root / "socket.py"))
        snapshot = open_snapshot(root)
    assert read(snapshot) == {"a.py": b"1"}
    assert skipped(snapshot) == {"pipe.py": "not a regular file", "socket.py": "not a regular file"}


@pytest.mark.parametrize("put", [os.mkfifo, partial(os.symlink, "other.py")])
def test_a_pipe_or_link_that_takes_a_files_place_later_is_not_read(
    make_repository: RepositoryMaker, put: Callable[[Path], None]
) -> None:
    root = make_repository({"a.py": "1"})
    write_files(root, {"new.py": "2"})
    snapshot = open_snapshot(root)
    write_files(root, {"other.py": "3"})
    for name in ("a.py", "new.py"):
        (root / name).unlink()
        put(root / name)
    contents = [content for _, content in snapshot.source.read(snapshot.files)]
    assert contents == [b"1", None]


WEIRD = [
    b"line\nbreak.py",
    b"quo\"te's.py",
    b"tab\t.py",
    b"\xff\xfe.py",
    "schön.py".encode(),
    b"-v",
    b" .py ",
]


@pytest.mark.parametrize("quote_path", ["true", "false"])
def test_weird_names(make_repository: RepositoryMaker, quote_path: str) -> None:
    root = make_repository({})
    git(root, "config", "core.quotePath", quote_path)
    for number, name in enumerate(WEIRD):
        (root / os.fsdecode(name)).write_bytes(name)
        if number % 2:
            git(root, "add", "--", name)
    tree = open_snapshot(root)
    assert read(tree) == {os.fsdecode(name): name for name in WEIRD}
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=x")
    assert open_snapshot(root).files == tree.files
    assert read(open_snapshot(root, revision="HEAD")) == read(tree)


@pytest.mark.parametrize("name", [b"$HOME", b"~", b"line\nbreak", b"\xff\xfe", b"%PATH%", b"-v"])
def test_weird_names_of_the_repository_itself(tmp_path: Path, name: bytes) -> None:
    root = tmp_path / os.fsdecode(name)
    root.mkdir()
    git(root, "init", "--quiet")
    write_files(root, {"a.py": "1"})
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=x")
    snapshot = open_snapshot(root)
    assert (snapshot.root, snapshot.name) == (root, root.name)
    assert read(snapshot) == read(open_snapshot(root, revision="HEAD")) == {"a.py": b"1"}


def test_names_that_differ_in_case_alone(make_repository: RepositoryMaker) -> None:
    root = make_repository({"Readme.md": "1", "README.md": "2", "readme.md": "3"})
    assert list(read(open_snapshot(root)).values()) == [b"2", b"1", b"3"]


def test_too_large_files_are_listed_with_their_size(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a.py": "1", "most.py": b"x" * LARGEST_FILE_BYTES})
    with (root / "more.bin").open("wb") as file:
        file.truncate(LARGEST_FILE_BYTES + 1)
    with (root / "most.bin").open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    tree = open_snapshot(root)
    assert [entry.path for entry in tree.files] == ["a.py", "most.py"]
    assert skipped(tree) == {"more.bin": "too large (4.0 MB)", "most.bin": "too large (200.0 MB)"}


def test_line_ends_that_git_converts(make_repository: RepositoryMaker) -> None:
    root = make_repository(
        {".gitattributes": "*.txt text eol=crlf\n", "a.txt": "1\n2\n", "b.py": "3\n"}
    )
    (root / "a.txt").unlink()
    git(root, "checkout", "--quiet", "a.txt")
    assert (root / "a.txt").read_bytes() == b"1\r\n2\r\n"
    snapshot = open_snapshot(root)
    for entry, content in snapshot.source.read(snapshot.files):
        assert content is not None
        assert len(content) == entry.size
        assert git(root, "hash-object", "--no-filters", "--stdin", stdin=content) == entry.oid
        assert content.replace(b"\r", b"") in (b"*.txt text eol=crlf\n", b"1\n2\n", b"3\n")


def test_what_changes_after_listing(make_repository: RepositoryMaker) -> None:
    root = make_repository({"clean.py": "1", "deleted.py": "2", "edited.py": "3"})
    write_files(root, {"edited.py": "4", "new.py": "5", "gone.py": "6"})
    snapshot = open_snapshot(root)
    write_files(root, {"clean.py": "changed", "edited.py": "again", "new.py": "newer"})
    (root / "deleted.py").unlink()
    (root / "gone.py").unlink()
    answers = {
        entry.path: (entry, content) for entry, content in snapshot.source.read(snapshot.files)
    }
    assert {path: content for path, (_, content) in answers.items()} == {
        "clean.py": b"1",  # git still has what was listed
        "deleted.py": b"2",
        "edited.py": b"again",
        "gone.py": None,
        "new.py": b"newer",
    }
    for entry, content in answers.values():
        if content is not None:
            assert git(root, "hash-object", "--stdin", stdin=content) == entry.oid
            assert entry.size == len(content)


def test_repoqaignore_files(make_repository: RepositoryMaker) -> None:
    root = make_repository(
        {
            ".repoqaignore": "*.gen.py\n/vendor/\n!keep.gen.py\n",
            "a.gen.py": "1",
            "keep.gen.py": "2",
            "vendor/x.py": "3",
            "src/vendor/x.py": "4",
            "src/.repoqaignore": "*.txt\n!../keep.txt\n",
            "src/a.txt": "5",
            "a.txt": "6",
        }
    )
    write_files(root, {"new.gen.py": "7", "src/new.txt": "8", "src/new.py": "9"})
    expected = {".repoqaignore", "a.txt", "keep.gen.py", "src/.repoqaignore", "src/vendor/x.py"}
    assert read(open_snapshot(root)).keys() == expected | {"src/new.py"}
    assert read(open_snapshot(root, revision="HEAD")).keys() == expected
    assert skipped(open_snapshot(root)) == {}


def test_a_repoqaignore_file_that_git_ignores_counts(make_repository: RepositoryMaker) -> None:
    root = make_repository({".gitignore": ".repoqaignore\n", "a.py": "1", "b.py": "2"})
    write_files(root, {".repoqaignore": "b.py"})
    assert read(open_snapshot(root)).keys() == {".gitignore", "a.py"}


def test_a_repository_within_is_listed(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a.py": "1"})
    write_files(root, {"inner/b.py": "2"})
    git(root / "inner", "init", "--quiet")
    snapshot = open_snapshot(root)
    assert read(snapshot).keys() == {"a.py"}
    assert skipped(snapshot) == {"inner/": "a git repository of its own"}


def test_unreadable_files_and_folders(unprivileged: Unprivileged, open_folder: Path) -> None:
    root = open_folder
    git(root, "init", "--quiet")
    write_files(root, {"a.py": "1", "tracked.py": "2", "in/tracked.py": "3"})
    git(root, "add", "--all")
    write_files(root, {"untracked.py": "4", "in/untracked.py": "5", "closed/untracked.py": "6"})
    for name in ("tracked.py", "untracked.py", "in", "closed"):
        (root / name).chmod(0)

    def look() -> dict[str, str]:
        snapshot = open_snapshot(root)
        assert read(snapshot) == {"a.py": b"1"}
        return skipped(snapshot)

    assert unprivileged(root, look) == {
        "closed/": "permission denied",
        "in/": "permission denied",
        "in/tracked.py": "permission denied",
        "tracked.py": "permission denied",
        "untracked.py": "permission denied",
    }


def test_the_index_in_a_format_not_known() -> None:
    plain = b"100644 " + b"a" * 40 + b" 0\tx\ny.py\x00"
    assert parse_index(plain) is None
    assert parse_plain_index(plain) == [("100644", "a" * 40, "x\ny.py", "0", "8000")]


NAMES = st.sampled_from(["a.py", "b.py", "d/a.py", "d/b.py", "d/e/c.py"])
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), NAMES, st.sampled_from(["", "1", "2", "long\n"])),
        st.tuples(st.sampled_from(["delete", "add", "forget", "commit"]), NAMES, st.just("")),
    ),
    max_size=12,
)


def act(root: Path, action: str, *, name: str, content: str) -> None:
    if action == "write":
        write_files(root, {name: content})
    elif action == "delete":
        (root / name).unlink(missing_ok=True)
    elif action == "add" and (root / name).exists():
        git(root, "add", name)
    elif action == "forget":
        git(root, "rm", "--cached", "--quiet", "--ignore-unmatch", "--force", name)
    elif action == "commit":
        git(root, "commit", "--quiet", "--allow-empty", "--message=x")


@settings(max_examples=25, deadline=None)
@given(ACTIONS)
def test_a_working_tree_is_what_lies_on_disk(actions: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        git(root, "init", "--quiet")
        write_files(root, {"always.py": "here"})
        kept = root / ".git/kept-listing"
        for action, name, content in actions:
            act(root, action, name=name, content=content)
            open_snapshot(root, kept_at=lambda _: kept)
        snapshot = open_snapshot(root)
        assert open_snapshot(root, kept_at=lambda _: kept) == snapshot
        on_disk = {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*.py")
            if stat.S_ISREG(path.lstat().st_mode)
        }
        assert read(snapshot) == on_disk
        assert_true_ids(snapshot, root)


class TestNothingToRead:
    def test_no_repository(self, tmp_path: Path) -> None:
        with pytest.raises(RepositoryError) as raised:
            open_snapshot(tmp_path)
        assert raised.value.message == f"no git repository at or above {tmp_path}"
        assert "--repo DIR" in raised.value.remedy

    def test_no_such_folder(self, tmp_path: Path) -> None:
        with pytest.raises(RepositoryError, match="there is no folder"):
            open_snapshot(tmp_path / "nowhere")
        (tmp_path / "file").touch()
        with pytest.raises(RepositoryError, match="is not a folder"):
            open_snapshot(tmp_path / "file")

    def test_an_empty_repository(self, make_repository: RepositoryMaker) -> None:
        root = make_repository({})
        with pytest.raises(RepositoryError, match="it has no files"):
            open_snapshot(root)

    def test_everything_left_out(self, make_repository: RepositoryMaker) -> None:
        root = make_repository({"a.py": "1", "b.py": "2"})
        (root / "a.py").unlink()
        (root / "b.py").unlink()
        with pytest.raises(RepositoryError, match=r"'a\.py' is left out \(deleted.*\) and 1 more"):
            open_snapshot(root)

    def test_another_users_repository(self, make_repository: RepositoryMaker) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can give a repository to another user")
        root = make_repository({"a.py": "1"})
        for path in (root, root / ".git"):
            os.chown(path, 12345, 12345)
        with pytest.raises(RepositoryError) as raised:
            open_snapshot(root)
        command = f"git config --global --add safe.directory {root}"
        assert raised.value.message == f"git refuses to read {root}: it belongs to another user"
        assert raised.value.remedy.endswith(command)
        subprocess.run(command, shell=True, check=True)
        assert read(open_snapshot(root)) == {"a.py": b"1"}

    def test_a_damaged_index(self, make_repository: RepositoryMaker) -> None:
        root = make_repository({"a.py": "1"})
        (root / ".git/index").write_bytes(b"DIRC broken")
        with pytest.raises(RepositoryError, match="git cannot read .*index"):
            open_snapshot(root)

    @pytest.mark.parametrize("start", ["", ".git"])
    def test_damaged_settings(self, make_repository: RepositoryMaker, start: str) -> None:
        root = make_repository({"a.py": "1"})
        (root / ".git/config").write_bytes(b"\xff[[\n")
        with pytest.raises(RepositoryError, match="settings|config"):
            open_snapshot(root / start)

    def test_an_unknown_format(self, make_repository: RepositoryMaker) -> None:
        root = make_repository({"a.py": "1"})
        git(root, "config", "core.repositoryFormatVersion", "99")
        with pytest.raises(RepositoryError, match="git refuses to read .*99"):
            open_snapshot(root)

    def test_no_git_on_the_path(
        self, make_repository: RepositoryMaker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root = make_repository({"a.py": "1"})
        monkeypatch.setenv("PATH", "")
        with pytest.raises(RepositoryError, match="git was not found"):
            open_snapshot(root)
