"""Ignore rules: the same answers as git's own, for files git would be asked about one by one."""

import os
import subprocess
import tempfile
from pathlib import Path

from conftest import git, write_files
from hypothesis import given, settings
from hypothesis import strategies as st

from repoqa.repository.ignore import IgnoreRules

NAMES = st.sampled_from(["a", "b", "a.py", "b.txt", "build"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
PATTERNS = st.builds(
    lambda negation, start, body, end: negation + start + body + end,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/", "**/"]),
    st.lists(st.sampled_from(["a", "b", "*", "*.py", "build", "?", "[ab]", "**"]), min_size=1).map(
        lambda parts: "/".join(parts[:2])
    ),
    st.sampled_from(["", "", "/", "/*", "/**"]),
)
RULES = st.dictionaries(
    st.sampled_from(["", "a", "build", "a/b"]), st.lists(PATTERNS, max_size=4), max_size=3
)


def git_ignores(rules: dict[str, list[str]], paths: list[str]) -> set[str]:
    """The paths that git ignores, when nothing of them is in its index."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        git(root, "init", "--quiet")
        write_files(
            root, {f"{where}/.gitignore".lstrip("/"): "\n".join(r) for where, r in rules.items()}
        )
        checked = subprocess.run(
            ["git", "check-ignore", "--no-index", "--stdin", "-z"],
            cwd=root,
            input="\0".join(paths).encode(),
            capture_output=True,
            check=False,
        )
        assert checked.returncode in (0, 1), checked.stderr
        return set(os.fsdecode(checked.stdout).split("\0")) - {""}


@settings(max_examples=40, deadline=None)
@given(RULES, st.lists(PATHS, min_size=1, max_size=6, unique=True))
def test_rules_answer_as_git_does(rules: dict[str, list[str]], paths: list[str]) -> None:
    # A path that is a folder to another one is not a file.
    folders = tuple(f"{other}/" for other in [*paths, *rules])
    files = [p for p in paths if not any(f.startswith(f"{p}/") and f != f"{p}/" for f in folders)]
    files = [p for p in files if p not in rules]
    ours = IgnoreRules({folder: ["\n".join(lines).encode()] for folder, lines in rules.items()})
    assert {path for path in files if ours.ignores(path)} == git_ignores(rules, files)


def test_a_broken_pattern_costs_only_itself() -> None:
    rules = IgnoreRules({"": [b"!\n*.log\n\\\n"]})
    assert rules.ignores("x.log")
    assert not rules.ignores("x.py")


def test_the_later_of_a_folders_files_is_the_stronger() -> None:
    rules = IgnoreRules({"": [b"*.log\n*.tmp\n", b"!keep.log\n"]})
    assert [rules.ignores(path) for path in ("a.log", "keep.log", "d/a.tmp")] == [True, False, True]


def test_nothing_is_taken_back_into_an_ignored_folder() -> None:
    rules = IgnoreRules({"": [b"build/\n"], "build": [b"!keep.py\n"]})
    assert rules.ignores("build/keep.py")
    assert rules.ignores("build", is_folder=True)
    assert not rules.ignores("build")
