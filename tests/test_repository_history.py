"""Past commits: messages and paths, read within a time limit, without fetching."""

import time
from pathlib import Path

import pytest
from conftest import PERSON, RepositoryMaker, git, write_files
from test_repository_kinds import clone

from repoqa.errors import RepositoryError
from repoqa.records import Commit
from repoqa.repository.history import commits, parse_log

MADE = 1714979289  # 2024-05-06T07:08:09Z, as PERSON says


@pytest.fixture
def root(make_repository: RepositoryMaker) -> Path:
    root = make_repository({"a.py": "1", "pkg/b.py": "1"})
    write_files(root, {"a.py": "2", 'we\nird "näme".py': "x"})
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=Fix the login\n\nIt failed: é.\n\x1e\n\nCloses #5")
    git(root, "commit", "--quiet", "--allow-empty", "--allow-empty-message", "--message=")
    git(root, "mv", "a.py", "moved.py")
    git(root, "commit", "--quiet", "--message=Move")
    return root


def ids(root: Path) -> list[str]:
    return git(root, "rev-list", "HEAD").split()


def everything(root: Path) -> tuple[Commit, ...]:
    return commits(root, "HEAD", limit=100, seconds=60.0)


def test_messages_and_paths_newest_first(root: Path) -> None:
    assert PERSON["GIT_COMMITTER_DATE"] == "2024-05-06T07:08:09+00:00"
    moved, empty, fix, first = ids(root)
    assert everything(root) == (
        Commit(moved, MADE, "Move", ("a.py", "moved.py")),
        Commit(empty, MADE, "", ()),
        Commit(
            fix,
            MADE,
            "Fix the login\n\nIt failed: é.\n\x1e\n\nCloses #5",
            ("a.py", 'we\nird "näme".py'),
        ),
        Commit(first, MADE, "First", ("a.py", "pkg/b.py")),
    )


def test_the_limit_the_revision_and_the_folder_started_from(root: Path) -> None:
    whole = everything(root)
    assert commits(root, "HEAD", limit=2, seconds=60.0) == whole[:2]
    assert commits(root / "pkg", "HEAD~2", limit=10, seconds=60.0) == whole[2:]


@pytest.mark.parametrize(
    "setting",
    [
        "log.showRoot=false",
        "log.follow=true",
        "log.decorate=full",
        "diff.renames=copies",
        "format.pretty=oneline",
        "color.ui=always",
        "diff.relative=true",
        "core.quotePath=true",
        "i18n.logOutputEncoding=latin1",
        "log.abbrevCommit=true",
        "log.date=relative",
        "log.diffMerges=separate",
        "diff.noprefix=true",
        "log.graphColors=red",
    ],
)
def test_the_users_settings_do_not_matter(root: Path, setting: str) -> None:
    expected = everything(root)
    git(root, "config", *setting.split("="))
    assert everything(root) == expected


def test_merges_are_left_out(root: Path) -> None:
    git(root, "checkout", "--quiet", "-b", "topic", "HEAD~1")
    write_files(root, {"t.py": "t"})
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=Topic")
    git(root, "merge", "--quiet", "--message=Merge", "main")
    subjects = {commit.message.partition("\n")[0] for commit in everything(root)}
    assert subjects == {"", "First", "Fix the login", "Move", "Topic"}


def test_no_commit_or_no_repository(tmp_path: Path, make_repository: RepositoryMaker) -> None:
    with pytest.raises(RepositoryError, match="no commit yet"):
        commits(make_repository({}), "HEAD", limit=1, seconds=60.0)
    (tmp_path / "plain").mkdir()
    with pytest.raises(RepositoryError, match="no git repository"):
        commits(tmp_path / "plain", "HEAD", limit=1, seconds=60.0)


def test_a_shallow_clones_last_commit_does_not_claim_every_file(root: Path) -> None:
    shallow = clone(root, "shallow", "--depth=3")
    newest, empty, cut = everything(shallow)
    assert (newest.paths, cut.paths) == (("a.py", "moved.py"), ())
    assert cut.message.startswith("Fix the login")


@pytest.mark.parametrize(("form", "has_paths"), [("blob:none", True), ("tree:0", False)])
def test_a_partial_clone_fetches_nothing(root: Path, form: str, *, has_paths: bool) -> None:
    git(root, "config", "uploadpack.allowFilter", "true")
    copy = clone(root, "partial", f"--filter={form}", "--no-checkout")
    objects = sorted((copy / ".git/objects").rglob("*"))
    git(copy, "config", "remote.origin.url", str(root / "moved away"))
    read = everything(copy)
    assert [commit.oid for commit in read] == ids(root)
    assert bool(read[0].paths) == has_paths
    assert sorted((copy / ".git/objects").rglob("*")) == objects


def test_the_time_limit_leaves_whole_commits(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a.py": "1"})
    count = 5_000
    stream = "".join(
        f"commit refs/heads/main\ncommitter A <a> {number} +0000\ndata 5\nmsg\n\n"
        f"M 100644 inline f{number % 50}\ndata 1\n{number % 10}\n"
        for number in range(count)
    )
    git(root, "fast-import", "--quiet", "--force", stdin=stream.encode())
    whole = commits(root, "main", limit=count, seconds=60.0)
    assert len(whole) == count
    started = time.monotonic()
    some = commits(root, "main", limit=count, seconds=0.005)
    assert time.monotonic() - started < 10
    assert len(some) < count
    assert some == whole[: len(some)]


def test_a_log_cut_anywhere_gives_only_whole_commits(root: Path) -> None:
    oids = ids(root)
    log = b"".join(
        b"\0%s\0%d\0%s\n\0\0\n%s\0" % (oid.encode(), number, b"message", b"a.py\0dir/b.py")
        for number, oid in enumerate(oids)
    )
    whole = [
        Commit(oid, number, "message", ("a.py", "dir/b.py")) for number, oid in enumerate(oids)
    ]
    assert list(parse_log(log, is_whole=True)) == whole
    for end in range(len(log)):
        parsed = list(parse_log(log[:end], is_whole=False))
        assert parsed == whole[: len(parsed)]
        assert len(parsed) >= log[:end].count(b"message") - 1
