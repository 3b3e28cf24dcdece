"""Snapshots of revisions: every way of naming one, and blobs read in bulk."""

import os
import random
import zlib
from itertools import islice
from pathlib import Path

import pytest
from conftest import RepositoryMaker, git, write_files
from test_repository_snapshot import metadata, read, skipped

from repoqa.errors import RepositoryError
from repoqa.records import FileEntry
from repoqa.repository.objects import BATCH, LARGEST_FILE_BYTES, ObjectReader
from repoqa.repository.plumbing import open_git
from repoqa.repository.snapshot import open_snapshot


@pytest.fixture
def history(make_repository: RepositoryMaker) -> Path:
    """Three commits: `a.py` holds 1, 2, 3; the first is tagged v1 and branched as `topic/one`."""
    root = make_repository({"a.py": "1", "only/first.py": "x"})
    git(root, "tag", "--annotate", "--message=Release", "v1")
    git(root, "branch", "topic/one")
    git(root, "rm", "--quiet", "only/first.py")
    write_files(root, {"a.py": "2"})
    git(root, "commit", "--quiet", "--all", "--message=Second: the fix")
    write_files(root, {"a.py": "3"})
    git(root, "commit", "--quiet", "--all", "--message=Third")
    return root


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("HEAD", b"3"),
        ("main", b"3"),
        ("refs/heads/main", b"3"),
        ("HEAD~1", b"2"),
        ("main^", b"2"),
        (":/the fix", b"2"),
        ("v1", b"1"),
        ("topic/one", b"1"),
        ("v1^{tree}", b"1"),
        ("@{2 hours ago}", b"3"),
    ],
)
def test_every_name_git_knows(history: Path, name: str, content: bytes) -> None:
    write_files(history, {"a.py": "working tree", "untracked.py": "u"})
    snapshot = open_snapshot(history, revision=name)
    assert read(snapshot)["a.py"] == content
    assert "untracked.py" not in {entry.path for entry in snapshot.files}


def test_the_snapshot_carries_the_commits_whole_id(history: Path) -> None:
    commit = git(history, "rev-parse", "v1^{commit}")
    for name in ("v1", "topic/one", "HEAD~2", commit, commit[:9]):
        assert open_snapshot(history, revision=name).revision == commit


def test_a_folder_of_a_commit_is_a_tree_too(history: Path) -> None:
    assert read(open_snapshot(history, revision="v1:only")) == {"first.py": b"x"}


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "nothing",
        "^HEAD",
        "HEAD..v1",
        "HEAD:a.py",
        "f" * 40,
        "-v1",
        "a\0b",
        "HEAD v1",
        "a\nb",
    ],
)
def test_what_is_no_revision_is_refused(history: Path, name: str) -> None:
    with pytest.raises(RepositoryError, match="unknown revision"):
        open_snapshot(history, revision=name)


@pytest.mark.parametrize("name", ["--output={}", "--git-dir={}", "-o{}", "--all"])
def test_a_revision_that_looks_like_an_option_does_nothing(
    history: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(RepositoryError, match="unknown revision"):
        open_snapshot(history, revision=name.format(tmp_path / "written"))
    assert not (tmp_path / "written").exists()


def test_the_nearest_names_are_offered(history: Path) -> None:
    for wrong, right in (("mian", "main"), ("topic/on", "topic/one"), ("v1.", "v1")):
        with pytest.raises(RepositoryError) as raised:
            open_snapshot(history, revision=wrong)
        assert raised.value.message == f"unknown revision {wrong!r}"
        assert raised.value.remedy.startswith(f"Did you mean {right}")
    with pytest.raises(RepositoryError) as raised:
        open_snapshot(history, revision="entirely-different")
    assert "git branch --all" in raised.value.remedy


def test_a_revision_needs_a_repository(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.py": "1"})
    with pytest.raises(RepositoryError, match="not in a git repository"):
        open_snapshot(tmp_path, revision="HEAD", plain=True)


def test_links_and_large_files_are_listed(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a.py": "1", "large.py": b"x" * (LARGEST_FILE_BYTES + 1)})
    (root / "link").symlink_to("/etc/passwd")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=x")
    snapshot = open_snapshot(root, revision="HEAD")
    assert read(snapshot) == {"a.py": b"1"}
    assert skipped(snapshot) == {"large.py": "too large (4.0 MB)", "link": "a symbolic link"}


def test_many_blobs_come_in_order_whatever_their_size(make_repository: RepositoryMaker) -> None:
    chance = random.Random(7)
    sizes = [0, 1, 70_000, 300_000, *(chance.randrange(3000) for _ in range(300))]
    files = {f"{number:03}": chance.randbytes(size) for number, size in enumerate(sizes)}
    root = make_repository(files)
    before = metadata(root)
    snapshot = open_snapshot(root, revision="HEAD")
    assert read(snapshot) == files
    shuffled = list(snapshot.files)
    chance.shuffle(shuffled)
    answers = list(snapshot.source.read(iter(shuffled)))
    assert answers == [(entry, files[entry.path]) for entry in shuffled]
    assert metadata(root) == before


def test_a_reading_left_in_the_middle_ends_git(make_repository: RepositoryMaker) -> None:
    files = {f"{number:03}": b"x" * 100_000 for number in range(3 * BATCH)}
    snapshot = open_snapshot(make_repository(files), revision="HEAD")
    reading = snapshot.source.read(snapshot.files)
    assert len(list(islice(reading, 3))) == 3
    reading.close()  # type: ignore[attr-defined]
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


SHORT = b"blob 99\0short"  # git 2.39 announces 99 bytes, gives 5 and goes on as if nothing was


def damage(root: Path, oid: str, content: bytes | None) -> None:
    path = root / ".git/objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


def test_a_broken_blob_costs_only_itself(make_repository: RepositoryMaker) -> None:
    root = make_repository({f"{number:03}": str(number) for number in range(100)})
    snapshot = open_snapshot(root, revision="HEAD")
    damages = [None, b"", b"garbage", *map(zlib.compress, (b"tree 0\0", SHORT, b"blob 1\0long"))]
    broken = {entry.path: entry for entry in snapshot.files[10:70:10]}
    for entry, content in zip(broken.values(), damages, strict=True):
        damage(root, entry.oid, content)
    answers = {entry.path: content for entry, content in snapshot.source.read(snapshot.files)}
    assert answers == {
        path: None if path in broken else str(int(path)).encode() for path in answers
    }
    assert len(answers) == 100


def test_a_blob_shorter_than_it_says_is_not_waited_for(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a.py": "1", "b.py": "2"})
    one, two = (git(root, "rev-parse", f"HEAD:{name}") for name in ("a.py", "b.py"))
    damage(root, one, zlib.compress(SHORT))
    opened = open_git(root)
    assert opened is not None
    reader = ObjectReader(opened, patience=0.3)
    assert list(reader.blobs([two, one])) == [b"2", None]
    assert list(reader.blobs([one, two, one])) == [None, b"2", None]
    reader.close()


def test_a_missing_blob_is_listed(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a.py": "1", "b.py": "2"})
    damage(root, git(root, "rev-parse", "HEAD:b.py"), None)
    snapshot = open_snapshot(root, revision="HEAD")
    assert read(snapshot) == {"a.py": b"1"}
    assert skipped(snapshot) == {"b.py": "missing from the object database"}


def test_an_entry_of_elsewhere_reads_as_gone(history: Path) -> None:
    snapshot = open_snapshot(history, revision="HEAD")
    stranger = FileEntry("a.py", "1" * 40, 5)
    assert list(snapshot.source.read([stranger, *snapshot.files])) == [
        (stranger, None),
        (snapshot.files[0], b"3"),
    ]
