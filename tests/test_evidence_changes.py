"""The lines a diff changes, by diffs that git writes."""

from pathlib import Path

import pytest
from conftest import RepositoryMaker, git, write_files
from hypothesis import given, settings
from hypothesis import strategies as st

from repoqa.evidence.changes import changes, replaced
from repoqa.records import Lines
from repoqa.repository.diff import range_diff, working_tree_diff

TEN = "".join(f"{number}\n" for number in range(1, 11))
ODD_NAMES = ["with space.py", 'a"quote.py', "tab\t.py", "schön.py", "back\\slash.py", "b/a/b/c.py"]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (TEN.replace("5\n", "five\n"), [(5, 5)]),
        (TEN.replace("5\n", "five\nmore\n"), [(5, 6)]),
        (TEN.replace("5\n6\n", ""), [(5, 5)]),
        (TEN + "11\n", [(11, 11)]),
        ("0\n" + TEN.replace("9\n", "nine\n"), [(1, 1), (10, 10)]),
        (TEN.replace("10\n", "10"), [(10, 10)]),
        (TEN.replace("3\n", "--- 3\n+++ b/x.py\n@@ -1 +1 @@\n"), [(3, 5)]),
        ("", [(1, 1)]),
        (TEN.replace("2\n", "\n").replace("4\n", "four\n"), [(2, 2), (4, 4)]),
    ],
)
def test_each_run_of_changed_lines(
    make_repository: RepositoryMaker, after: str, expected: list[tuple[int, int]]
) -> None:
    root = make_repository({"a.py": TEN})
    write_files(root, {"a.py": after})
    found = changes(working_tree_diff(root))
    assert [(lines.start, lines.end) for lines in found] == expected
    assert {lines.path for lines in found} == {"a.py"}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (TEN.replace("5\n", "five\n"), [(5, 5)]),
        (TEN.replace("5\n", "five\nmore\nand more\n"), [(5, 5)]),
        (TEN.replace("5\n6\n", ""), [(5, 6)]),
        (TEN.replace("5\n6\n", "5\nnew\n6\n"), [(5, 5)]),
        (TEN + "11\n", [(10, 10)]),
        ("0\n" + TEN.replace("9\n", "nine\n"), [(1, 1), (9, 9)]),
        (TEN.replace("3\n", "--- 3\n+++ b/x.py\n@@ -1 +1 @@\n"), [(3, 3)]),
        ("", [(1, 10)]),
    ],
)
@pytest.mark.parametrize("context", ["0", "3"])
def test_each_run_of_lines_as_they_were(
    make_repository: RepositoryMaker, *, after: str, expected: list[tuple[int, int]], context: str
) -> None:
    root = make_repository({"a.py": TEN})
    write_files(root, {"a.py": after})
    found = replaced(git(root, "diff", f"--unified={context}"))
    assert [(lines.start, lines.end) for lines in found] == expected
    assert {lines.path for lines in found} == {"a.py"}


def test_added_files_were_not_there_and_renamed_ones_had_another_name(
    make_repository: RepositoryMaker,
) -> None:
    root = make_repository({"old.py": TEN, "empty.py": ""})
    (root / "old.py").rename(root / "new.py")
    write_files(
        root, {"new.py": TEN.replace("7\n", "seven\n"), "added.py": "1\n", "empty.py": "1\n"}
    )
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "move")
    diff = range_diff(root, "HEAD~1..HEAD")
    assert set(replaced(diff)) == {Lines("old.py", 7, 7), Lines("empty.py", 1, 1)}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_that_git_quotes(make_repository: RepositoryMaker, name: str) -> None:
    root = make_repository({name: "1\n2\n"})
    write_files(root, {name: "1\ntwo\n"})
    assert changes(working_tree_diff(root)) == (Lines(name, 2, 2),)
    assert replaced(working_tree_diff(root)) == (Lines(name, 2, 2),)


def test_removed_and_renamed_files(make_repository: RepositoryMaker) -> None:
    root: Path = make_repository({"gone.py": "1\n", "old.py": TEN})
    (root / "gone.py").unlink()
    (root / "old.py").rename(root / "new.py")
    write_files(root, {"new.py": TEN.replace("7\n", "seven\n")})
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "move")
    assert changes(range_diff(root, "HEAD~1..HEAD")) == (Lines("new.py", 7, 7),)


@settings(deadline=None)
@given(st.text("+-@ ,1\n\\ab/", max_size=80))
def test_text_that_is_no_diff_never_raises(text: str) -> None:
    for found in (*changes(f"+++ b/a.py\n{text}"), *replaced(f"--- a/a.py\n{text}")):
        assert 1 <= found.start <= found.end
