"""The worked examples of docs/extending.md, done as written, to a copy of the package."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import QUESTION, ROOT, SHOP, command, environment, repoqa
from conftest import RepositoryMaker

from repoqa.models.profile import load_profile
from repoqa.settings import profile_directory

TEXT = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


def marked(kind: str) -> Iterator[tuple[str, str]]:
    """What each mark of a kind says, and the code block that follows it."""
    pattern = rf"<!-- {kind}: (.+?) -->\n```\w+\n(.*?)```"
    yield from re.findall(pattern, TEXT, re.DOTALL)


def content(path: str) -> str:
    return dict(marked("file"))[path]


def edit(package: Path, mark: str, block: str) -> None:
    """Put a block before or after the first line of a file that reads as the mark says."""
    path, _, place = mark.partition(", ")
    side, _, anchor = place.partition(": ")
    lines = (package / path).read_text(encoding="utf-8").splitlines(keepends=True)
    number = lines.index(f"{anchor}\n") + (side == "after")
    lines.insert(number, block)
    (package / path).write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package with every edit and every file of the examples."""
    copy = tmp_path / "checkout"
    for folder in ("repoqa", "configs"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    edits = list(marked("edit"))
    assert len(edits) == 5
    for mark, block in edits:
        edit(copy, mark, block)
    query = "repoqa/parsing/queries/lua.scm"
    (copy / query).write_text(content(query), encoding="utf-8")
    return copy


def packed(package: Path, *arguments: str, where: Path) -> dict[str, Any]:
    """What the changed package packs."""
    done = subprocess.run(
        command("pack", "--json", *arguments),
        cwd=where,
        env=environment(PYTHONPATH=str(package)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_a_signal_and_a_language_are_added(package: Path, make_repository: RepositoryMaker) -> None:
    lua = "shop/cart.lua"
    repository = make_repository({**SHOP, lua: content(lua)})
    question = "why is the total of Cart wrong"
    assert f'"{question}" finds `Cart.total`' in TEXT.replace("\n", " ")
    report = packed(package, question, where=repository)
    symbols = {(s["path"], s["name"]): s for s in report["symbols"]}
    total = symbols[lua, "Cart.total"]
    assert (total["kind"], total["start"], total["end"]) == ("method", 11, 13)
    assert report["symbols"][0] == total
    assert {name for path, name in symbols if path == lua} >= {"Cart.new", "Cart.total"}

    report = packed(package, "Service.log_in fails to log in again", where=repository)
    reasons = {s["name"]: s["reasons"] for s in report["symbols"]}
    assert reasons["Service.log_in"]["two_words"] == 0.5
    assert "two_words" not in reasons["strengthen"]


def test_a_profile_is_added(make_repository: RepositoryMaker) -> None:
    folder = profile_directory()
    folder.mkdir(parents=True)
    (folder / "qwen-team.toml").write_text(content("qwen-team.toml"), encoding="utf-8")
    repository = make_repository(SHOP)
    shown = repoqa("models", "show", "qwen-team", where=repository)
    assert shown.code == 0
    assert "http://gpu-1.example:8000/v1" in shown.stdout
    dry = repoqa("ask", "--model=qwen-team", "--dry-run", "--json", QUESTION, where=repository)
    assert dry.code == 0
    assert json.loads(dry.stdout)["budget"]["limit"] == 24_000
    assert load_profile("qwen-team", directories=(folder,)).engine == "server"
