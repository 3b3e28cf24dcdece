"""What `repoqa tune` takes from the settings, the profiles, and a run that was cut off."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from repoqa.errors import UsageError
from repoqa.models.adapter import CARD, read_json
from repoqa.models.profile import load_profile
from repoqa.models.weights import ensure_checkpoint
from repoqa.protocols import Progress
from repoqa.records import Snapshot
from repoqa.repository.ignore import IGNORE_FILE, IgnoreRules
from repoqa.repository.narrow import without_ignored
from repoqa.repository.snapshot import read_file
from repoqa.settings import REPOSITORY_FILE, profile_directory, read_settings
from repoqa.tuning.folder import Data
from repoqa.tuning.recipe import Recipe
from repoqa.tuning.run import Base
from repoqa.tuning.state import Position, TunedCard, read_position, refuse_occupied


def allowed_files(snapshot: Snapshot) -> tuple[Snapshot, IgnoreRules]:
    """The files that the settings, the repository's own among them, do not ignore; and the rules
    for files that are not there any more."""
    settings = read_settings(
        environment=os.environ, flags={}, repository_file=read_file(snapshot, REPOSITORY_FILE)
    )
    files = [entry for entry in snapshot.files if PurePosixPath(entry.path).name == IGNORE_FILE]
    rules = {"": [os.fsencode(pattern) for pattern in settings.ignore]}
    for entry, content in snapshot.source.read(files):
        folder = entry.path.removesuffix(IGNORE_FILE).rstrip("/")
        rules.setdefault(folder, []).append(content or b"")
    return without_ignored(snapshot, settings.ignore), IgnoreRules(rules)


def model_name(model: str | None) -> str:
    """The profile that is named, else that of the settings."""
    return read_settings(environment=os.environ, flags={"model": model}).model


def base_model(name: str, *, progress: Progress) -> Base:
    """The model to tune, its weights fetched where they are not here yet.

    Raises UsageError for one that cannot be tuned, ModelError where its weights cannot be had.
    """
    profile = load_profile(name, directories=(profile_directory(),))
    if profile.engine != "transformers":
        raise UsageError(
            f"{name} does not run on this machine", remedy="Name a model that does: --model NAME."
        )
    if profile.adapter:
        raise UsageError(
            f"{name} is tuned already", remedy="Name the model that it was made of: --model NAME."
        )
    cache = read_settings(environment=os.environ, flags={}).cache_dir
    return Base(profile, ensure_checkpoint(profile, cache=cache, progress=progress))


def began(
    examples: Data, target: Path, *, resume: bool, given: Mapping[str, Any]
) -> tuple[Recipe, Position | None]:
    """The recipe, and with `resume` where the unfinished run of it is. `given` are the settings
    that the user named, None for those that were not.

    Raises UsageError where there is no such run, or one of other settings or examples.
    """
    said = {key: value for key, value in given.items() if value is not None}
    if not resume:
        refuse_occupied(target)
        name = model_name(said.pop("model", None))
        return Recipe(name, examples.digest, **said), None
    position = read_position(target)
    if position is None:
        raise UsageError(
            f"{target} holds no run to go on with", remedy="Name its folder with --out."
        )
    recipe = position.recipe
    if recipe.examples != examples.digest:
        raise UsageError(
            "the examples are not those that the run began with",
            remedy="Name their folder, or train anew with another --out.",
        )
    known = msgspec.structs.asdict(recipe)
    if other := [key for key, value in said.items() if known[key] != value]:
        raise UsageError(
            f"the run began with other settings: {', '.join(f'--{key}' for key in other)}",
            remedy="Leave them out: --resume takes those that it began with.",
        )
    return recipe, position


def card_of(adapter: Path) -> TunedCard:
    """What is known of an adapter. Raises UsageError where `repoqa tune run` did not make it."""
    card = read_json(adapter / CARD, TunedCard)
    if card is None:
        raise UsageError(
            f"{adapter} holds no adapter that `repoqa tune run` made",
            remedy="Name the folder that it printed.",
        )
    return card
