"""What editors and shells read: lines with places, and what could follow on a command line."""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from commands import QUESTION, ROOT, SHOP, command, environment, repoqa, write_profile
from conftest import RepositoryMaker, write_files
from review_code import PYTHON

from repoqa.api.strategy import NAMES
from repoqa.cli.completion import STRATEGIES
from repoqa.models.profile import profile_names
from repoqa.models.rope import KINDS
from repoqa.ranking.weights import FILE_WEIGHTS, UNIT_WEIGHTS

EDITORS = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
Place = tuple[str, int, str]
FIRST: Place = ("shop/service.py", 9, "info")
MISFITS: list[Place] = [
    ("shop/admin.py", 5, "error"),
    ("shop/login.py", 5, "error"),
]


def block(language: str) -> str:
    match = re.search(rf"```{language}\n(.*?)```", EDITORS, re.DOTALL)
    assert match
    return match[1]


@pytest.fixture
def suspects(make_repository: RepositoryMaker) -> str:
    """What `pack --format lines` prints."""
    done = repoqa("pack", "--format", "lines", QUESTION, where=make_repository(SHOP))
    assert (done.code, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def review(make_repository: RepositoryMaker) -> str:
    """What `review` prints."""
    repository = make_repository(PYTHON.files)
    write_files(repository, PYTHON.now)
    done = repoqa("review", "--worktree", "--no-model", where=repository)
    assert done.code == 0
    return done.stdout


def written(lines: str) -> list[Place]:
    """The places of lines that are nothing else."""
    fields = (line.split(":", 3) for line in lines.splitlines())
    return [(path, int(line), severity.strip()) for path, line, severity, _ in fields]


def test_suspects_as_lines(suspects: str) -> None:
    first, *_ = suspects.splitlines()
    assert first == (
        "shop/service.py:9: info: Service.log_in: lines 9-14: the question's words stand together "
        "in its code; words of the question in its code; words of the question in its name"
    )
    assert written(suspects)[0] == FIRST
    assert len(written(suspects)) > len(SHOP)


def read_by_code(text: str) -> list[Place]:
    """The places by the regular expression of VS Code's problem matcher."""
    (task,) = json.loads(block("json"))["tasks"]
    pattern = task["problemMatcher"]["pattern"]
    found = (re.match(pattern["regexp"], line) for line in text.splitlines())
    return [
        (m[pattern["file"]], int(m[pattern["line"]]), m[pattern["severity"]]) for m in found if m
    ]


def read_by_emacs(text: str) -> list[Place]:
    """The same by Emacs' regular expression, written as Python's."""
    match = re.search(r'"(\^.*?: )"\s+1 2 nil \(3 \. 4\)', block("elisp"))
    assert match
    swapped = {r"\\(": "(", r"\\)": ")", r"\\|": "|", "(": r"\(", ")": r"\)", "|": r"\|"}
    pattern = re.sub(r"\\\\[()|]|[()|]", lambda found: swapped[found[0]], match[1])
    places = (re.match(pattern, line) for line in text.splitlines())
    return [
        (m[1], int(m[2]), "warning" if m[3] else "info" if m[4] else "error") for m in places if m
    ]


def read_by_vim(text: str, folder: Path) -> list[Place]:
    """The same by a real Vim's quickfix list."""
    (folder / "lines").write_text(text, encoding="utf-8")
    setting, _, _ = block("vim").partition("\n")
    entries = "map(getqflist(), '[bufname(v:val.bufnr), v:val.lnum, v:val.type]')"
    keep = f"call writefile([json_encode({entries})], 'places')"
    steps = [part for each in (setting, "cgetfile lines", keep, "qall!") for part in ("-c", each)]
    vim = ["vim", "-N", "-u", "NONE", "-i", "NONE", "-es", *steps]
    subprocess.run(vim, cwd=folder, check=True, stdin=subprocess.DEVNULL, timeout=60)
    severities = {"e": "error", "w": "warning", "i": "info"}
    read = json.loads((folder / "places").read_text(encoding="utf-8"))
    return [(path, line, severities[kind.lower()]) for path, line, kind in read]


def test_vs_code_reads_them(suspects: str, review: str) -> None:
    assert read_by_code(suspects) == written(suspects)
    assert read_by_code(review) == MISFITS


def test_emacs_reads_them(suspects: str, review: str) -> None:
    assert read_by_emacs(suspects) == written(suspects)
    assert read_by_emacs(review) == MISFITS


@pytest.mark.skipif(shutil.which("vim") is None, reason="Vim is not installed")
def test_vim_reads_them(suspects: str, review: str, tmp_path: Path) -> None:
    assert read_by_vim(suspects, tmp_path) == written(suspects)
    assert read_by_vim(review, tmp_path) == MISFITS


def test_paths_lead_from_where_one_stands(make_repository: RepositoryMaker) -> None:
    root = make_repository(SHOP)
    inside = repoqa("pack", "--format", "lines", QUESTION, where=root / "shop")
    assert inside.stdout.startswith("service.py:9: info: ")
    outside = repoqa("pack", "--format=lines", f"--repo={root}", QUESTION, where=root.parent)
    assert outside.stdout.startswith(f"{root.resolve()}/shop/service.py:9: info: ")


def test_two_forms_are_one_too_many(make_repository: RepositoryMaker) -> None:
    root = make_repository(SHOP)
    done = repoqa("pack", "--format=lines", "--json", QUESTION, where=root)
    assert (done.code, done.stdout) == (2, "")
    assert "--format lines is one form and --json another" in done.stderr
    same = repoqa("pack", "--format=json", "--json", QUESTION, where=root)
    assert json.loads(same.stdout)["schema"] == 1


def offered(words: str, *, shell: str = "bash") -> list[str]:
    """What a shell's Tab offers, asked as its own script asks."""
    asked = {
        "_REPOQA_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = subprocess.run(
        command(), env=environment(**asked), capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_shell_completes_names() -> None:
    write_profile("my-own", "an answer")
    assert offered("repoqa ask --model codellama-7b") == [
        name for name in profile_names() if name.startswith("codellama-7b")
    ]
    assert offered("repoqa models show my", shell="fish") == ["my-own"]
    assert set(offered("repoqa eval localize --without ")) == {*FILE_WEIGHTS, *UNIT_WEIGHTS}
    assert offered("repoqa pack --rope ") == ["auto", *KINDS]
    assert offered("repoqa ask --strategy s") == ["single", "sweep"]
    assert '"--staged"' in offered("repoqa review --st", shell="zsh")[0]
    assert STRATEGIES == NAMES


def test_the_script_for_bash_works_in_a_real_bash(tmp_path: Path) -> None:
    start = tmp_path / "repoqa"
    start.write_text(f'#!/bin/sh\nexec {shlex.join(command())} "$@"\n')
    start.chmod(0o755)
    shown = subprocess.run(
        [*command(), "--show-completion", "bash"],
        env=environment(_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1"),
        capture_output=True,
        text=True,
        check=True,
    )
    script = f"""{shown.stdout}
COMP_WORDS=(repoqa eval mi) COMP_CWORD=2
_repoqa_completion {start}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["mine"]


def test_completion_loads_nothing_heavy() -> None:
    asked = environment(
        _REPOQA_COMPLETE="complete_bash",
        COMP_WORDS="repoqa ask --model ",
        COMP_CWORD="3",
        PYTHONPROFILEIMPORTTIME="1",
    )
    done = subprocess.run(command(), env=asked, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "repoqa.models.profile" in loaded
    heavy = {
        "numpy",
        "torch",
        "transformers",
        "git",
        "tree_sitter",
        "tiktoken",
        "rich",
        "tokenizers",
    }
    assert loaded & heavy == set()
    assert os.environ.get("_REPOQA_COMPLETE") is None
