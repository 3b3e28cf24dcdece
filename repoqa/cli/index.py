"""`repoqa index`: builds the cache that questions use, shows it, or empties it."""

from typing import TYPE_CHECKING, Annotated

import typer

from repoqa.cli import options
from repoqa.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from repoqa.settings import Settings
    from repoqa.terminal.output import Output


def index(
    repo: options.Repo = None,
    rev: options.Rev = None,
    status: Annotated[
        bool,
        typer.Option(
            "--status", help="Show what is cached, for which repositories.", show_default=False
        ),
    ] = False,
    clear: Annotated[
        bool,
        typer.Option("--clear", help="Empty the cache, for all repositories.", show_default=False),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Read the repository now, so that the first question need not wait.

    Questions do it by themselves; files that are cached already are not read again.
    """
    from repoqa.terminal.output import standard_output

    output = standard_output()
    if status and clear:
        raise UsageError("--status shows what --clear removes", remedy="Leave out one of the two.")
    if (status or clear) and (repo is not None or rev is not None):
        raise UsageError(
            f"{'--status' if status else '--clear'} is about all repositories",
            remedy="Leave --repo and --rev out.",
        )
    if status:
        _show(output, as_json=as_json)
    elif clear:
        _clear(output)
    else:
        _build(repo, rev, output, as_json=as_json)


def _build(repo: "Path | None", rev: str | None, output: "Output", *, as_json: bool) -> None:
    from pathlib import Path

    from repoqa.api.index import build_index
    from repoqa.api.job import difficulties
    from repoqa.formats import json
    from repoqa.formats.inventory import index_report
    from repoqa.index.places import kept_listings
    from repoqa.repository.snapshot import start_opening
    from repoqa.terminal.inventory import built_line
    from repoqa.terminal.progress import shown_progress

    opening = start_opening(repo or Path(), revision=rev, plain=repo is not None)
    snapshot = opening.finish(kept_at=kept_listings(_settings().cache_dir))
    for line in snapshot.notes:
        output.note(line)
    with shown_progress(output) as progress:
        built = build_index(snapshot, progress=progress)
    for line in difficulties(built.index):
        output.note(line)
    if as_json:
        output.write_bytes(json.encode(index_report(built.index, seconds=built.seconds)))
    else:
        output.write(built_line(built.index, seconds=built.seconds))


def _show(output: "Output", *, as_json: bool) -> None:
    from repoqa.formats import json
    from repoqa.formats.inventory import status_report
    from repoqa.index.inventory import inventory
    from repoqa.index.places import index_directory
    from repoqa.terminal.inventory import status_lines

    settings = _settings()
    found = inventory(index_directory(settings.cache_dir))
    if as_json:
        output.write_bytes(json.encode(status_report(found, limit=settings.cache_limit)))
    else:
        output.write(status_lines(found, limit=settings.cache_limit))


def _clear(output: "Output") -> None:
    from repoqa.checkup.places import megabytes
    from repoqa.index.inventory import clear
    from repoqa.index.places import index_directory

    directory = index_directory(_settings().cache_dir)
    output.write(f"{megabytes(clear(directory))} removed from {directory}\n")


def _settings() -> "Settings":
    import os

    from repoqa.settings import read_settings

    return read_settings(environment=os.environ, flags={})
