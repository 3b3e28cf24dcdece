"""All checks, in the order they are told. Nothing here uses the network or loads a model."""

from collections.abc import Mapping
from dataclasses import dataclass

from repoqa.checkup import models, places, system
from repoqa.checkup.check import Check
from repoqa.errors import RepositoryError, UsageError
from repoqa.protocols import Progress
from repoqa.records import Snapshot
from repoqa.settings import Settings, profile_directory, read_settings


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined: the repository the user is in, or why it could not be opened; its own
    settings file; and the environment's settings."""

    snapshot: Snapshot | RepositoryError
    repository_file: bytes | None
    environment: Mapping[str, str]


def examine(patient: Patient, *, progress: Progress) -> tuple[Check, ...]:
    """Every check of this machine, and of the repository the user is in."""
    check, settings = _settings(patient)
    return (
        system.python(),
        system.git(),
        system.grammars(progress=progress),
        places.repository(patient.snapshot),
        check,
        places.cache(settings.cache_dir),
        places.state(),
        system.device(has_server=bool(settings.server_url)),
        system.memory(),
        models.server(settings),
        *models.models(settings, directories=(profile_directory(),)),
    )


def can_ask(checks: tuple[Check, ...]) -> bool:
    """Whether `repoqa ask` can answer here as things stand."""
    return all(check.state != "missing" for check in checks)


def _settings(patient: Patient) -> tuple[Check, Settings]:
    """The settings, or the defaults where these are refused, so that the rest is still told."""
    try:
        settings = read_settings(
            environment=patient.environment, flags={}, repository_file=patient.repository_file
        )
    except UsageError as error:
        check = Check("settings", error.message, "missing", "no command runs", error.remedy)
        return check, Settings()
    return Check("settings", "as `repoqa doctor --settings` shows them"), settings
