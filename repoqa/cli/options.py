"""The options that several commands share, written once."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Question: TypeAlias = Annotated[
    str | None,
    typer.Argument(
        metavar="QUESTION",
        help="What to find out; - reads it from standard input.",
        show_default=False,
    ),
]
Repo: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--repo",
        metavar="DIR",
        help="The repository, or a folder in it (default: found upward from here).",
        show_default=False,
    ),
]
Rev: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--rev",
        metavar="REV",
        help="Read this revision, without checking it out.",
        show_default=False,
    ),
]
Model: TypeAlias = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", help="The model's profile.", show_default=False),
]
Budget: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--budget",
        metavar="TOKENS",
        help="The longest prompt, as in 4096 or 13k.",
        show_default=False,
    ),
]
Log: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--log", metavar="FILE", help="A log that belongs to the question.", show_default=False
    ),
]
NoStdin: TypeAlias = Annotated[
    bool, typer.Option("--no-stdin", help="Leave standard input unread.", show_default=False)
]
Include: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--include",
        metavar="GLOB",
        help="Read only the files that match, as in .gitignore; repeatable.",
        show_default=False,
    ),
]
Exclude: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="GLOB",
        help="Leave out the files that match; repeatable.",
        show_default=False,
    ),
]
Pins: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--path",
        metavar="PLACE",
        help="Show this file, symbol (Class.method) or path:line for certain; repeatable.",
        show_default=False,
    ),
]
Diff: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--diff", help="What is not committed yet belongs to the question.", show_default=False
    ),
]
DiffRange: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--diff-range",
        metavar="A..B",
        help="What A..B changes belongs to the question.",
        show_default=False,
    ),
]
NoRedact: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--no-redact",
        help="Leave passwords, keys and tokens in the prompt.",
        show_default=False,
    ),
]
AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON object (schema 1).", show_default=False)
]
