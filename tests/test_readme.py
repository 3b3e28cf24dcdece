"""What README.md shows is what the program does."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
WIDTH = "80"


def block_after(mark: str) -> str:
    """The code block that follows a mark."""
    match = re.search(rf"{re.escape(mark)}\n```\w*\n(.*?)```", README, re.DOTALL)
    assert match, f"README.md has no code block after {mark}"
    return match[1]


def run(*command: str) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": WIDTH},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("command", ["ask"])
def test_the_help_shown_is_the_help_printed(command: str) -> None:
    printed = run(sys.executable, "-m", "repoqa", command, "--help")
    assert block_after(f"<!-- help: {command} -->") == printed


@pytest.mark.parametrize("name", ["commands.md", "settings.md", "ranking.md"])
def test_what_the_code_says_is_what_the_docs_say(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", WIDTH)
    page = runpy.run_path(str(ROOT / "docs" / "generate.py"))["PAGES"][name]()
    kept = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert page == kept, f"docs/{name} is old: make docs"


@pytest.mark.parametrize("name", ["ask", "test"])
def test_the_commands_are_valid_and_start_from_nothing(name: str) -> None:
    command = block_after(f"<!-- command: {name} -->")
    subprocess.run(["bash", "-n", "-c", command], check=True)
    assert command.startswith("python3.11 -m venv .venv && .venv/bin/pip install")
    assert "--constraint constraints.txt" in command


def test_every_file_named_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    named = [*links, *re.findall(r"\bexamples/[\w./-]+", README)]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_setting_is_listed() -> None:
    from repoqa.setting_keys import CONFIG_KEYS, KEY_OF_VARIABLE

    table = README.partition("## Settings")[2].partition("## Privacy")[0]
    assert [key for key in (*CONFIG_KEYS, *KEY_OF_VARIABLE) if f"`{key}`" not in table] == []


def test_every_shipped_profile_is_listed() -> None:
    names = [path.stem for path in (ROOT / "configs").glob("*.toml")]
    assert names
    assert [name for name in names if f"`{name}`" not in README] == []


def test_the_picture_is_of_the_example() -> None:
    picture = block_after("<!-- picture -->")
    assert "$ repoqa ask" in picture
    for place in re.findall(r"[\w/]+\.py", picture):
        assert (ROOT / "examples" / "login" / "accounts" / place).is_file(), place


def test_the_question_of_the_example_is_the_one_asked() -> None:
    question = re.search(r'"(Why [^"]+)"', block_after("<!-- command: ask -->"))
    assert question
    assert question[1] in (ROOT / "examples" / "login" / "README.md").read_text(encoding="utf-8")


def test_the_pinned_pytorch_is_the_one_named() -> None:
    pinned = re.search(r"^torch==.*$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned
    assert pinned[0] in README
