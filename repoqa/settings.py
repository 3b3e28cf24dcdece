"""Every setting, parsed once into one frozen object.

Later sources win: the defaults here, the user's `config.toml`, the repository's `.repoqa.toml`,
`REPOQA_*` in the environment, the command line. (What a model's profile says stands below all of
them and is not read here: a setting that is None means "as the profile has it".) The repository's
file is untrusted input: it may only set what `REPOSITORY_KEYS` names.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import platformdirs

from repoqa.errors import UsageError

APPLICATION = "repoqa"
CONFIG_NAME = "config.toml"
REPOSITORY_FILE = ".repoqa.toml"
ENVIRONMENT_PREFIX = "REPOQA_"
DEFAULT_MODEL = "smollm2-135m"
THOUSAND = 1_000

Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user wants. Budgets are in tokens; None means as the model's profile has it."""

    model: str = DEFAULT_MODEL
    budget: int | None = None
    answer: int | None = None
    server_url: str = ""
    server_model: str = ""
    api_key: str = field(default="", repr=False)
    cache_dir: Path = Path()
    ignore: tuple[str, ...] = ()


class Source(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"server_url": "server.url", "server_model": "server.model"},
):
    """The types that one source may give; a budget may be a number or written `13k`."""

    model: str | msgspec.UnsetType = msgspec.UNSET
    budget: int | str | msgspec.UnsetType = msgspec.UNSET
    answer: int | str | msgspec.UnsetType = msgspec.UNSET
    server_url: str | msgspec.UnsetType = msgspec.UNSET
    server_model: str | msgspec.UnsetType = msgspec.UNSET
    api_key: str | msgspec.UnsetType = msgspec.UNSET
    cache_dir: str | msgspec.UnsetType = msgspec.UNSET
    ignore: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


FIELD_OF = dict(zip(Source.__struct_encode_fields__, Source.__struct_fields__, strict=True))
KEYS = tuple(FIELD_OF)
CONFIG_KEYS = tuple(key for key in KEYS if key != "api_key")
REPOSITORY_KEYS = ("budget", "ignore")
KEY_OF_VARIABLE = {f"{ENVIRONMENT_PREFIX}{name.upper()}": key for key, name in FIELD_OF.items()}
SECTIONS = ("server",)
TOKEN_KEYS = ("budget", "answer")
LIST_KEYS = ("ignore",)
TOKENS = re.compile(r"(?P<number>\d+(?:_\d+)*)(?P<fraction>\.\d+)?(?P<thousand>[kK])?")


def config_path() -> Path:
    """Where the user's settings file is, whether it exists or not."""
    return platformdirs.user_config_path(APPLICATION, appauthor=False) / CONFIG_NAME


def profile_directory() -> Path:
    """Where the user's own model profiles are."""
    return config_path().parent / "models"


def log_directory() -> Path:
    """Where a log of an unexpected error goes."""
    return platformdirs.user_state_path(APPLICATION, appauthor=False)


def read_settings(
    *,
    environment: Mapping[str, str],
    flags: Mapping[str, object],
    repository_file: bytes | None = None,
) -> Settings:
    """All sources, merged. `flags` that are None were not given on the command line.

    Raises UsageError for an unknown key, a wrong type and a repository's file that oversteps.
    """
    given = {key: value for key, value in flags.items() if value is not None}
    merged: dict[str, Any] = {
        "cache_dir": platformdirs.user_cache_path(APPLICATION, appauthor=False),
        **_config(config_path()),
        **(_repository(repository_file) if repository_file is not None else {}),
        **_environment(environment),
        **_typed(given, origin="the command line"),
    }
    merged["cache_dir"] = Path(merged["cache_dir"]).expanduser()
    return Settings(**merged)


def parse_tokens(value: int | str, *, origin: str) -> int:
    """A number of tokens: 13000, "13000", "13_000" or "13k" (k is a thousand)."""
    match = TOKENS.fullmatch(str(value).strip())
    if match is None or (match["fraction"] and not match["thousand"]):
        raise UsageError(
            f"{origin}: {str(value)!r} is not a number of tokens",
            remedy="Write it as 13000 or 13k.",
        )
    number = float(match["number"] + (match["fraction"] or ""))
    tokens = round(number * THOUSAND) if match["thousand"] else int(number)
    if tokens == 0:
        raise UsageError(f"{origin}: 0 tokens are too few", remedy="Try 4k.")
    return tokens


def nearest(name: str, known: Iterable[str], *, count: int = 1) -> list[str]:
    """The known names most like `name`, best first; none where nothing comes close."""
    return difflib.get_close_matches(name, sorted(known), n=count, cutoff=0.5)


def _config(path: Path) -> Values:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}",
            remedy="Make it readable, or move it away to go on with the defaults.",
        ) from error
    table = _toml(content, origin=str(path))
    if "api_key" in table:
        raise UsageError(
            f"{path}: a key is not kept in a file",
            remedy="Remove `api_key` there and set the environment variable REPOQA_API_KEY.",
        )
    _refuse_unknown(table, origin=str(path), known=CONFIG_KEYS)
    return _typed(table, origin=str(path))


def _repository(content: bytes) -> Values:
    table = _toml(content, origin=REPOSITORY_FILE)
    for key in sorted(set(table) & set(KEYS) - set(REPOSITORY_KEYS)):
        raise UsageError(
            f"{REPOSITORY_FILE} may not set `{key}`: a repository is not trusted to choose "
            "where your code is sent or what your machine loads",
            remedy=f"Remove it there; if you want it, set it in {config_path()}.",
        )
    _refuse_unknown(table, origin=REPOSITORY_FILE, known=REPOSITORY_KEYS)
    return _typed(table, origin=REPOSITORY_FILE)


def _environment(environment: Mapping[str, str]) -> Values:
    given = {
        name: value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT_PREFIX) and value
    }
    _refuse_unknown(given, origin="the environment", known=KEY_OF_VARIABLE)
    table: dict[str, object] = {}
    for name, value in given.items():
        key = KEY_OF_VARIABLE[name]
        table[key] = value.split(os.pathsep) if key in LIST_KEYS else value
    return _typed(table, origin="the environment")


def _toml(content: bytes, *, origin: str) -> Values:
    """The table with its sections flattened: `url` under `[server]` is `server.url`."""
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"{origin} is not valid TOML: {error}", remedy="Correct it, or move it away."
        ) from error
    flat: dict[str, object] = {}
    for key, value in table.items():
        if key in SECTIONS and isinstance(value, dict):
            flat.update({f"{key}.{name}": inner for name, inner in value.items()})
        else:
            flat[key] = value
    return flat


def _refuse_unknown(table: Iterable[str], *, origin: str, known: Iterable[str]) -> None:
    names = sorted(known)
    for key in sorted(set(table) - set(names)):
        close = nearest(key, names)
        raise UsageError(
            f"{origin}: there is no setting `{key}`",
            remedy=f"Did you mean `{close[0]}`?" if close else f"Known are {', '.join(names)}.",
        )


def _typed(table: Values, *, origin: str) -> Values:
    """The values by field name, with their types checked and their token counts read."""
    try:
        source = msgspec.convert(dict(table), Source)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{origin}: {str(error).replace('$.', '')}", remedy="Give it the expected type."
        ) from error
    values = {FIELD_OF[key]: getattr(source, FIELD_OF[key]) for key in table}
    for name in values.keys() & set(TOKEN_KEYS):
        values[name] = parse_tokens(values[name], origin=f"{origin}: {name}")
    return values
