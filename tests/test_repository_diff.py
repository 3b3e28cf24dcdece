"""Diffs as text: the same under any of the user's settings, and bounded."""

import os
from pathlib import Path

import pytest
from conftest import RepositoryMaker, git, write_files
from test_repository_snapshot import metadata

from repoqa.errors import RepositoryError, UsageError
from repoqa.repository.diff import LARGEST_DIFF_BYTES, range_diff, working_tree_diff

EDIT = """\
diff --git a/a.py b/a.py
index d00491f..0cfbf08 100644
--- a/a.py
+++ b/a.py
@@ -1 +1 @@
-1
+2
"""
NEW = """\
diff --git a/schön.py b/schön.py
new file mode 100644
index 0000000..00750ed
--- /dev/null
+++ b/schön.py
@@ -0,0 +1 @@
+3
"""


@pytest.fixture
def edited(make_repository: RepositoryMaker) -> Path:
    """An unstaged edit, a staged new file, an untracked file and a touched one."""
    root = make_repository({"a.py": "1\n", "b.py": "1\n", ".gitattributes": ""})
    write_files(root, {"a.py": "2\n", "schön.py": "3\n", "untracked.py": "4\n"})
    git(root, "add", "schön.py")
    os.utime(root / "b.py", (1_000_000_000, 1_000_000_000))
    return root


def test_staged_and_unstaged_edits_without_untracked_files(edited: Path) -> None:
    before = metadata(edited)
    assert working_tree_diff(edited) == EDIT + NEW
    assert metadata(edited) == before


@pytest.mark.parametrize(
    "setting",
    [
        "diff.noprefix=true",
        "diff.mnemonicPrefix=true",
        "color.ui=always",
        "diff.context=0",
        "diff.renames=false",
        "diff.orderFile=/nowhere",
        "diff.suppressBlankEmpty=true",
        "diff.external=/nowhere",
        "diff.autoRefreshIndex=false",
        "diff.relative=true",
        "diff.wordRegex=.",
        "core.quotePath=true",
        "diff.submodule=log",
        "core.pager=false",
    ],
)
def test_the_users_settings_do_not_change_its_form(edited: Path, setting: str) -> None:
    git(edited, "config", *setting.split("="))
    assert working_tree_diff(edited) == EDIT + NEW


def test_a_clean_tree_has_no_diff(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a.py": "1\n"})
    assert working_tree_diff(root / ".git" / "..") == ""
    assert range_diff(root, "HEAD..HEAD") == ""


def test_before_the_first_commit_everything_staged_is_new(make_repository: RepositoryMaker) -> None:
    root = make_repository({})
    write_files(root, {"a.py": "1\n", "untracked.py": "2\n"})
    git(root, "add", "a.py")
    diff = working_tree_diff(root)
    assert diff.startswith("diff --git a/a.py b/a.py\nnew file mode 100644\n")
    assert diff.endswith("\n+1\n")


@pytest.fixture
def forked(make_repository: RepositoryMaker) -> Path:
    """`main` wrote m.py and `topic` t.py since they parted."""
    root = make_repository({"a.py": "1\n"})
    git(root, "checkout", "--quiet", "-b", "topic")
    write_files(root, {"t.py": "topic\n"})
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=Topic")
    git(root, "checkout", "--quiet", "main")
    write_files(root, {"m.py": "main\n"})
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=Main")
    return root


@pytest.mark.parametrize(
    ("range_", "lines"),
    [
        ("main..topic", ["-main", "+topic"]),
        ("main...topic", ["+topic"]),
        ("topic...main", ["+main"]),
        ("topic..", ["+main", "-topic"]),
        ("..topic", ["-main", "+topic"]),
        ("HEAD~1..HEAD", ["+main"]),
    ],
)
def test_ranges(forked: Path, range_: str, lines: list[str]) -> None:
    write_files(forked, {"m.py": "the working tree does not matter\n"})
    diff = range_diff(forked, range_)
    changed = [
        line for line in diff.splitlines() if line[0] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert changed == lines


@pytest.mark.parametrize(
    ("range_", "words"),
    [
        ("--output=x..main", "unknown revision '--output=x'"),
        ("mian..topic", "unknown revision 'mian'"),
        ("main..--cached", "unknown revision '--cached'"),
    ],
)
def test_an_unknown_end_is_refused(forked: Path, range_: str, words: str) -> None:
    with pytest.raises(RepositoryError, match=words):
        range_diff(forked, range_)


@pytest.mark.parametrize("range_", ["main", ""])
def test_one_revision_is_no_range(forked: Path, range_: str) -> None:
    with pytest.raises(UsageError, match="is not a range"):
        range_diff(forked, range_)


def test_ends_without_a_common_commit(forked: Path) -> None:
    git(forked, "checkout", "--quiet", "--orphan", "alone")
    git(forked, "commit", "--quiet", "--message=Alone")
    with pytest.raises(RepositoryError, match="no commit in common"):
        range_diff(forked, "main...alone")


def test_a_long_diff_is_cut_after_a_line_and_says_so(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a.py": "1\n"})
    line = "x" * 98 + "\n"
    write_files(root, {"a.py": line * (LARGEST_DIFF_BYTES // 50)})
    diff = working_tree_diff(root)
    *lines, last = diff.splitlines(keepends=True)
    assert last.startswith("# The diff goes on")
    assert set(lines[6:]) == {f"+{line}"}
    assert LARGEST_DIFF_BYTES - 200 < len(diff) < LARGEST_DIFF_BYTES + 200_000


def test_bytes_that_are_no_text(make_repository: RepositoryMaker) -> None:
    root = make_repository({"latin.py": b"# caf\xe9\n", "binary": b"\0\1"})
    write_files(root, {"latin.py": b"# th\xe9\n", "binary": b"\0\2"})
    diff = working_tree_diff(root)
    assert "-# caf\ufffd\n+# th\ufffd\n" in diff
    assert "Binary files a/binary and b/binary differ" in diff


def test_where_there_is_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="no git repository"):
        working_tree_diff(tmp_path)
    git(tmp_path, "init", "--quiet", "--bare", "bare.git")
    with pytest.raises(RepositoryError, match="no working tree to compare"):
        working_tree_diff(tmp_path / "bare.git")
