"""The options that several commands share, written once."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from repoqa.cli import completion

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
    typer.Option(
        "--model",
        metavar="NAME",
        help="The model's profile.",
        show_default=False,
        autocompletion=completion.profiles,
    ),
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
Strategy: TypeAlias = Annotated[
    str,
    typer.Option(
        "--strategy",
        metavar="NAME",
        help="How a budget over what the model reads reliably is used: single (one long prompt), "
        "sweep (windows, each asked for suspects, then their code) or auto.",
        show_default=False,
        autocompletion=completion.strategies,
    ),
]
Rope: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--rope",
        metavar="KIND",
        help="How positions are scaled past the window the model was trained on: auto, none, "
        "yarn, theta, llama3, linear or dynamic.",
        show_default=False,
        autocompletion=completion.scalings,
    ),
]
RopeFactor: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--rope-factor",
        metavar="N",
        help="How far they are stretched (default: as far as the prompt needs).",
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
FollowUp: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--continue",
        "-c",
        help="Follow up on the last question asked about this repository.",
        show_default=False,
    ),
]
AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON object (schema 1).", show_default=False)
]
AsPage: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="FILE",
        help="Write a page for a browser: what was chosen, and why.",
        show_default=False,
    ),
]
Plot: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        help="Draw the figures into a .png, .svg or .pdf (needs repoqa-cli[plot]).",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Request:
    """What `ask` and `pack` are asked: each field is an option; None is what was not said."""

    question: Question = None
    repo: Repo = None
    rev: Rev = None
    model: Model = None
    budget: Budget = None
    rope: Rope = None
    rope_factor: RopeFactor = None
    include: Include = None
    exclude: Exclude = None
    path: Pins = None
    log: Log = None
    no_stdin: NoStdin = False
    diff: Diff = False
    diff_range: DiffRange = None
    no_redact: NoRedact = False
    follow_up: FollowUp = False


def taking_request(command: Callable[..., None]) -> Callable[..., None]:
    """The command as typer reads it: an option for each field of its first parameter, a Request."""
    shared = [
        Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
        for field in fields(Request)
    ]
    own = list(signature(command).parameters.values())[1:]
    parameters = [*shared, *(option.replace(kind=Parameter.KEYWORD_ONLY) for option in own)]

    @wraps(command)
    def expanded(**given: Any) -> None:
        request = Request(**{option.name: given.pop(option.name) for option in shared})
        command(request, **given)

    expanded.__annotations__ = {option.name: option.annotation for option in parameters}
    vars(expanded)["__signature__"] = Signature(parameters)
    return expanded
