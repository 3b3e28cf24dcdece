"""`repoqa doctor`: what works here, and what to do about what does not."""

from typing import TYPE_CHECKING, Annotated

import typer

from repoqa.cli import options
from repoqa.errors import ExitCode, RepositoryError

if TYPE_CHECKING:
    from pathlib import Path

    from repoqa.records import Snapshot
    from repoqa.settings import Sourced


def doctor(
    repo: options.Repo = None,
    settings: Annotated[
        bool,
        typer.Option(
            "--settings",
            help="Show each setting, its value and where it came from.",
            show_default=False,
        ),
    ] = False,
) -> None:
    """Say what works here, and what to do about what doesn't.

    Nothing is fetched and no server is asked. The exit code is 3 where `repoqa ask` cannot answer
    here as things stand.
    """
    import os

    from repoqa.checkup.examine import Patient, can_ask, examine
    from repoqa.terminal.checks import check_lines, setting_lines, verdict
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress

    output = standard_output()
    snapshot = _opened(repo)
    own_file = None if isinstance(snapshot, RepositoryError) else _settings_file(snapshot)
    if settings:
        output.write(setting_lines(_traced(own_file)))
        return
    patient = Patient(snapshot, own_file, os.environ)
    with shown_progress(output) as progress:
        checks = examine(patient, progress=progress)
    output.styled(check_lines(checks))
    output.write(verdict(can_ask=can_ask(checks)))
    if not can_ask(checks):
        raise typer.Exit(ExitCode.FAILED)


def _opened(repo: "Path | None") -> "Snapshot | RepositoryError":
    from pathlib import Path

    from repoqa.repository.snapshot import open_snapshot

    try:
        return open_snapshot(repo or Path(), plain=repo is not None)
    except RepositoryError as error:
        return error


def _settings_file(snapshot: "Snapshot") -> bytes | None:
    from repoqa.repository.snapshot import read_file
    from repoqa.settings import REPOSITORY_FILE

    return read_file(snapshot, REPOSITORY_FILE)


def _traced(own_file: bytes | None) -> "tuple[Sourced, ...]":
    """Every setting, those that are left to the model's profile with what it says."""
    import os
    from dataclasses import replace

    from repoqa.models.profile import load_profile
    from repoqa.settings import DEFAULT_ORIGIN, profile_directory, trace_settings

    traced = trace_settings(environment=os.environ, flags={}, repository_file=own_file)
    name = next(setting.value for setting in traced if setting.key == "model")
    profile = load_profile(name, directories=(profile_directory(),))
    of_profile = {
        "budget": profile.reliable_window,
        "answer": profile.answer,
        "server.url": profile.url,
    }
    return tuple(
        replace(setting, value=of_profile[setting.key], origin=f"the profile {profile.name}")
        if setting.origin == DEFAULT_ORIGIN and of_profile.get(setting.key)
        else setting
        for setting in traced
    )
