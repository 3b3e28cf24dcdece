"""An adapter as a model profile of the user's own: what `repoqa ask --model NAME` takes."""

import json
import re
from pathlib import Path

from repoqa.errors import UsageError
from repoqa.models.profile import profile_names
from repoqa.tuning.folder import write_whole

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def refuse_taken(name: str, directory: Path) -> None:
    """Raise UsageError for what is no name of a new profile in the user's `directory`."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"--profile: {name!r} is no name for a profile",
            remedy="Use letters, digits, dots, dashes and underscores.",
        )
    if name in profile_names(directories=(directory,)):
        raise UsageError(
            f"--profile: there is a model profile {name} already", remedy="Choose another name."
        )


def profile_text(base: str, adapter: Path, *, repo: str) -> str:
    """The profile's TOML. JSON's strings are TOML's basic strings as well."""
    summary = f"{base}, tuned on {repo}"
    rows = (("extends", base), ("summary", summary), ("adapter", str(adapter.absolute())))
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in rows)


def write_profile(name: str, text: str, directory: Path) -> Path:
    """Write a profile into the user's directory. Raises UsageError where that cannot be done."""
    path = directory / f"{name}.toml"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}",
            remedy="Make the folder writable; the adapter itself is there.",
        ) from error
    return path
