"""Writes what the documentation takes from the code: commands.md, settings.md, and what commands
print in ranking.md.

make docs, or python docs/generate.py; tests/test_readme.py fails where they are not up to date.
"""

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.core import TyperGroup

from repoqa.cli.app import app
from repoqa.cli.failure import NAME
from repoqa.settings import (
    CONFIG_KEYS,
    FIELD_OF,
    KEY_OF_VARIABLE,
    KEYS,
    REPOSITORY_KEYS,
    Settings,
)

HERE = Path(__file__).parent
LOGIN = HERE.parent / "examples" / "login"
QUESTION = "Why does the second login fail after the password hash is renewed?"
WIDTH = 80
DIGITS = 2
# A mark, and the code block that may follow it.
PRINTED = re.compile(
    r"^(<!-- printed: (.+?) -->\n)(?:\n```console\n.*?^```\n)?", re.MULTILINE | re.DOTALL
)
COMMANDS = """\
# Commands

Each command's own `--help`. Exit codes: 0 fine, 1 a review found what `--block-on` names, 2 wrong
usage or settings, 3 the job could not be done, 4 a bug in `repoqa` (a log is kept, its path
printed), 130 interrupted. Answers go to standard output, everything else to standard error.
"""
SETTINGS = """\
# Settings

Later ones win: the model's profile, `~/.config/repoqa/config.toml`, the repository's
`.repoqa.toml`, `REPOQA_*` variables, the command line. Where nothing is said, the last column
holds. `repoqa doctor --settings` shows each setting, its value and where it came from.

A repository's `.repoqa.toml` is not trusted: it may set what is marked ✓, and one that sets
anything else is an error. The hook's own settings, in git's configuration, are in
[review.md](review.md).
"""
# What each setting is, by its key; a setting without words fails the test.
WORDS = {
    "model": "the model's profile",
    "budget": 'the longest prompt, in tokens: `13000` or `"13k"`',
    "answer": "the longest answer, in tokens, on top of the prompt",
    "server.url": "the server's address, as in `http://localhost:8000/v1`",
    "server.model": "the server's name for the model, where it has several",
    "api_key": "the server's key; kept in no file",
    "cache_dir": "where the index and fetched weights are kept",
    "cache_limit": 'the most that the index may take on disk, as in `"2G"`; what was unused '
    "longest goes first",
    "prefix_cache": 'the most that what models have read may take on disk, as in `"4G"`, so that '
    "`-c` reads only what is new",
    "rope": "how positions are scaled past the window that the model was trained on",
    "rope_factor": "how far they are stretched",
    "ignore": "patterns as in `.gitignore`, to leave files out; in the variable, with `:` between",
}
BINARY_GIGABYTE = 1 << 30
UNSAID = {
    "budget": "the profile's",
    "answer": "the profile's",
    "server.url": "the profile's",
    "server.model": "the server's first",
    "api_key": "none",
    "cache_dir": "the user's cache folder",
    "prefix_cache": "nothing is kept",
    "rope_factor": "as far as the prompt needs",
    "ignore": "none",
}


def commands() -> str:
    """The help of every command."""
    return "\n".join([COMMANDS, *_helps(typer.main.get_command(app), NAME)])


def settings() -> str:
    """Every setting with its variable, who may set it, and what holds where nobody does."""
    rows = [
        "| `config.toml` | variable | `.repoqa.toml` | what it is | default |",
        "|---|---|---|---|---|",
    ]
    variable_of = {key: variable for variable, key in KEY_OF_VARIABLE.items()}
    for key in KEYS:
        in_file = f"`{key}`" if key in CONFIG_KEYS else ""
        trusted = "✓" if key in REPOSITORY_KEYS else ""
        row = (in_file, f"`{variable_of[key]}`", trusted, WORDS[key], _default(key))
        rows.append(f"| {' | '.join(row)} |")
    return "\n".join([SETTINGS, *rows, ""])


def _default(key: str) -> str:
    if key in UNSAID:
        return UNSAID[key]
    value = getattr(Settings(), FIELD_OF[key])
    if isinstance(value, int) and value >= BINARY_GIGABYTE:
        return f"{value // BINARY_GIGABYTE} GiB"
    return f"`{value}`"


def _helps(command: object, name: str) -> Iterator[str]:
    """A command's help under its name, then those of its own commands."""
    parts = name.split()[1:]
    if parts:
        yield f"## {name}\n\n```text\n{_help(parts)}```\n"
    if isinstance(command, TyperGroup):
        context = typer.Context(command)
        for inner in command.list_commands(context):
            yield from _helps(command.get_command(context, inner), f"{name} {inner}")


def _help(parts: list[str]) -> str:
    """What a command prints for --help, as wide as COLUMNS says."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        typer.main.get_command(app).main([*parts, "--help"], NAME, standalone_mode=False)
    return shown.getvalue()


def ranking() -> str:
    """The page as it is, with what its commands print now."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(shutil.copytree(LOGIN / "accounts", Path(folder) / "accounts"))
        subprocess.run(["git", "init", "--quiet", project], check=True)
        return PRINTED.sub(
            lambda match: f"{match[1]}\n{_printed(match[2], project)}",
            (HERE / "ranking.md").read_text(encoding="utf-8"),
        )


def _printed(what: str, project: Path) -> str:
    """A code block of what a command prints; of `symbols N`, the first N symbols of its JSON."""
    kind, _, count = what.partition(" ")
    if kind != "symbols":
        arguments = f'repoqa {what} "$QUESTION" < failure.txt'
        return f"```console\n$ {arguments}\n{_run(what.split(), project)}```\n"
    symbols = json.loads(_run(["pack", "--json"], project))["symbols"][: int(count)]
    told = [
        {
            "name": symbol["name"],
            "score": round(symbol["score"], DIGITS),
            "reasons": {name: round(value, DIGITS) for name, value in symbol["reasons"].items()},
        }
        for symbol in symbols
    ]
    lines = "".join(f"{json.dumps(each)}\n" for each in told)
    comment = "repoqa pack --json: .symbols[], rounded"
    return f"```console\n# {comment}\n{lines}```\n"


def _run(arguments: list[str], project: Path) -> str:
    """What a command prints for the example's question, on a machine with nothing set up."""
    home = project.parent / "home"
    plain = {"HOME": str(home), "COLUMNS": str(WIDTH)}
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("REPOQA_", "XDG_", "GIT_"))
    }
    with (LOGIN / "failure.txt").open("rb") as log:
        done = subprocess.run(
            [sys.executable, "-m", "repoqa", *arguments, QUESTION],
            cwd=project,
            env={**kept, **plain, "PYTHONPATH": str(HERE.parent)},
            stdin=log,
            capture_output=True,
            text=True,
            check=True,
        )
    return done.stdout


PAGES = {"commands.md": commands, "settings.md": settings, "ranking.md": ranking}


def main() -> None:
    """Write them."""
    os.environ["COLUMNS"] = str(WIDTH)
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
