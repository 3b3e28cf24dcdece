"""`repoqa fill`: code for a place in a file, as a diff or written into it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from repoqa.cli.options import Budget, Model, Repo
from repoqa.errors import UsageError

if TYPE_CHECKING:
    from repoqa.infill.place import Site
    from repoqa.records import Snapshot
    from repoqa.terminal.output import Output

FROM_STDIN = "-"


Place: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="FILE[:LINE[:COLUMN]]",
        help="The end of a line, or what is before a column of it; - reads standard input, "
        "where --marker says the place.",
    ),
]
Marker: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--marker",
        metavar="TEXT",
        help="The place is where this stands, once; it is replaced.",
        show_default=False,
    ),
]
Write: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--write", help="Write into the file instead of printing a diff.", show_default=False
    ),
]
Order: TypeAlias = Annotated[
    str,
    typer.Option(
        "--order",
        metavar="ORDER",
        help="What the model reads first: psm (what is before the place), spm (what is behind "
        "it) or auto (spm where whole lines are missing).",
        show_default=False,
    ),
]


def fill(
    place: Place = FROM_STDIN,
    marker: Marker = None,
    write: Write = False,
    repo: Repo = None,
    model: Model = None,
    budget: Budget = None,
    order: Order = "auto",
) -> None:
    """Fill in code at a place, from what is around it and the definitions that it uses.

    Prints a unified diff; nothing is written without --write. The model runs on this machine. One
    that was not trained to fill gaps goes on from the code before the place.
    """
    from repoqa.api import fill as api
    from repoqa.infill.edit import unified_diff
    from repoqa.infill.edit import write as write_file
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress

    output, options = standard_output(), api.FillOptions(model, budget, order)
    path = _path(place, marker=marker)
    if path is None and write:
        raise UsageError(
            "standard input cannot be written into", remedy="Name a file, or leave out --write."
        )
    snapshot = api.repository_of(repo or (path or Path()).parent, named=repo is not None)
    site = _site(place, path, marker, snapshot)
    with shown_progress(output) as progress:
        filled = api.fill(site, snapshot, options, progress=progress, note=output.note)
    if path is not None and write:
        write_file(path, site, filled.text)
        output.note(f"{path}: line {site.line:,} is filled in")
    else:
        _print(unified_diff(site, filled.text), site, output)


def _path(place: str, *, marker: str | None) -> Path | None:
    """The file that is named; None is standard input."""
    from repoqa.infill.place import parse_place

    if place == FROM_STDIN:
        if marker is None:
            raise UsageError(
                "there is no place to fill in",
                remedy="Name one: repoqa fill FILE:LINE; or give --marker TEXT with the input.",
            )
        return None
    return Path(place if marker is not None else parse_place(place).path)


def _site(place: str, path: Path | None, marker: str | None, snapshot: "Snapshot | None") -> "Site":
    from repoqa.api.fill import path_inside
    from repoqa.infill.place import parse_place, read_text, site_at, site_of_marker

    if path is None:
        text = read_text("standard input", sys.stdin.buffer.read())
    else:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UsageError(
                f"{path} cannot be read: {error.strerror}", remedy="Name a file that is there."
            ) from error
        text = read_text(path_inside(path, snapshot), content)
    if marker is not None:
        return site_of_marker(text, marker)
    return site_at(text, parse_place(place))


def _print(diff: str, site: "Site", output: "Output") -> None:
    """The diff: made safe for a terminal, byte by byte for a program that applies it."""
    from repoqa.infill.edit import diff_bytes

    if output.is_live:
        output.write(diff)
    else:
        output.write_bytes(diff_bytes(site, diff))
