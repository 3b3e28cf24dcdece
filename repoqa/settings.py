"""Every setting, parsed once into one frozen object.

Later sources win: the defaults here, the user's `config.toml`, the repository's `.repoqa.toml`,
`REPOQA_*` in the environment, the command line. (What a model's profile says stands below all of
them and is not read here: a setting that is None means "as the profile has it".) The repository's
file is untrusted input: it may only set what `REPOSITORY_KEYS` names.
"""

import difflib
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import platformdirs

from repoqa.amounts import parse_number, parse_size, parse_tokens
from repoqa.errors import UsageError
from repoqa.setting_keys import (
    CONFIG_KEYS,
    ENVIRONMENT_PREFIX,
    FIELD_OF,
    KEY_OF_VARIABLE,
    KEYS,
    LIST_KEYS,
    NUMBER_KEYS,
    REPOSITORY_KEYS,
    SECTIONS,
    SIZE_KEYS,
    TOKEN_KEYS,
    Source,
)

APPLICATION = "repoqa"
CONFIG_NAME = "config.toml"
REPOSITORY_FILE = ".repoqa.toml"
SKIP_VARIABLE = "REPOQA_SKIP"  # for the hook alone: no setting
DEFAULT_MODEL = "smollm2-135m"
# An index is about as large as its source: some 50 repositories of a million lines.
DEFAULT_CACHE_LIMIT = 2 << 30
# Where no file can be: the folders of a user without a home (a container's, for example).
NOWHERE = Path(os.devnull) / APPLICATION

DEFAULT_ORIGIN = "default"
ENVIRONMENT_ORIGIN = "the environment"
FLAGS_ORIGIN = "the command line"

Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user wants. Budgets are in tokens; None means as the model's profile has it.

    `cache_limit` is the most that the index in the cache may take, in bytes, `prefix_cache` the
    most that what models have read may take there; 0 keeps none of it.
    """

    model: str = DEFAULT_MODEL
    budget: int | None = None
    answer: int | None = None
    server_url: str = ""
    server_model: str = ""
    api_key: str = field(default="", repr=False)
    cache_dir: Path = Path()
    cache_limit: int = DEFAULT_CACHE_LIMIT
    prefix_cache: int = 0
    rope: str = "auto"
    rope_factor: float | None = None
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sourced:
    """One setting as it is: its key, its value, and the source that had the last word."""

    key: str
    value: Any = field(repr=False)
    origin: str

    @property
    def is_secret(self) -> bool:
        """Whether the value must never be shown."""
        return self.key == "api_key"


def config_path() -> Path:
    """Where the user's settings file is, whether it exists or not."""
    return _own_folder(platformdirs.user_config_path) / CONFIG_NAME


def profile_directory() -> Path:
    """Where the user's own model profiles are."""
    return config_path().parent / "models"


def log_directory() -> Path:
    """Where a log of an unexpected error goes."""
    return _own_folder(platformdirs.user_state_path)


def _own_folder(place: Callable[..., Path]) -> Path:
    """The user's folder of that kind, or NOWHERE for a user without a home."""
    try:
        folder = place(APPLICATION, appauthor=False)
    except RuntimeError:
        return NOWHERE
    # Older releases of platformdirs leave `~` as it is: a folder of the repository's, from there.
    return folder if folder.is_absolute() else NOWHERE


def read_settings(
    *,
    environment: Mapping[str, str],
    flags: Mapping[str, object],
    repository_file: bytes | None = None,
) -> Settings:
    """All sources, merged. `flags` that are None were not given on the command line.

    Raises UsageError for an unknown key, a wrong type and a repository's file that oversteps.
    """
    merged: dict[str, Any] = {}
    for _, values in _sources(environment, flags, repository_file=repository_file):
        merged.update(values)
    merged["cache_dir"] = _folder(merged["cache_dir"])
    return Settings(**merged)


def trace_settings(
    *,
    environment: Mapping[str, str],
    flags: Mapping[str, object],
    repository_file: bytes | None = None,
) -> tuple[Sourced, ...]:
    """Every setting with its value and where that came from. Raises what `read_settings` does."""
    settings = read_settings(environment=environment, flags=flags, repository_file=repository_file)
    origin_of = dict.fromkeys(FIELD_OF.values(), DEFAULT_ORIGIN)
    for origin, values in _sources(environment, flags, repository_file=repository_file):
        origin_of.update(dict.fromkeys(values, origin))
    variable_of = {FIELD_OF[key]: variable for variable, key in KEY_OF_VARIABLE.items()}
    return tuple(
        Sourced(
            key,
            getattr(settings, name),
            variable_of[name] if origin_of[name] == ENVIRONMENT_ORIGIN else origin_of[name],
        )
        for key, name in FIELD_OF.items()
    )


def _sources(
    environment: Mapping[str, str], flags: Mapping[str, object], *, repository_file: bytes | None
) -> Iterator[tuple[str, Values]]:
    """The values that each source gives, by field name, the strongest source last."""
    given = {key: value for key, value in flags.items() if value is not None}
    yield DEFAULT_ORIGIN, {"cache_dir": str(_own_folder(platformdirs.user_cache_path))}
    yield str(config_path()), _config(config_path())
    if repository_file is not None:
        yield REPOSITORY_FILE, _repository(repository_file)
    yield ENVIRONMENT_ORIGIN, _environment(environment)
    yield FLAGS_ORIGIN, _typed(given, origin=FLAGS_ORIGIN)


def _folder(text: str) -> Path:
    """A folder named in a setting. Raises UsageError where its `~` stands for nobody's home."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"there is no home folder for {text}",
            remedy="Set HOME, or write the folder from / on.",
        ) from error


def nearest(name: str, known: Iterable[str], *, count: int = 1) -> list[str]:
    """The known names most like `name`, best first; none where nothing comes close."""
    return difflib.get_close_matches(name, sorted(known), n=count, cutoff=0.5)


def _config(path: Path) -> Values:
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
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
    for key in sorted(key for key in table if _meant(key) not in (*REPOSITORY_KEYS, None)):
        raise UsageError(
            f"{REPOSITORY_FILE} may not set `{key}`: a repository is not trusted to choose "
            "where your code is sent or what your machine loads",
            remedy=f"Remove it there; if you want it, set it in {config_path()}.",
        )
    _refuse_unknown(table, origin=REPOSITORY_FILE, known=REPOSITORY_KEYS)
    return _typed(table, origin=REPOSITORY_FILE)


def _meant(key: str) -> str | None:
    """The setting that a key names, or misspells; all that is said of a server names one."""
    section = key.partition(".")[0]
    return section if section in SECTIONS else next(iter(nearest(key, KEYS)), None)


def _environment(environment: Mapping[str, str]) -> Values:
    given = {
        name: value
        for name, value in environment.items()
        if name.startswith(ENVIRONMENT_PREFIX) and name != SKIP_VARIABLE and value
    }
    _refuse_unknown(given, origin=ENVIRONMENT_ORIGIN, known=KEY_OF_VARIABLE)
    table: dict[str, object] = {}
    for name, value in given.items():
        key = KEY_OF_VARIABLE[name]
        table[key] = value.split(os.pathsep) if key in LIST_KEYS else value
    return _typed(table, origin=ENVIRONMENT_ORIGIN)


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
            f"{origin}: {str(error).replace('$.', '')}",
            remedy='Write it as in: budget = "13k", model = "NAME", ignore = ["PATTERN"].',
        ) from error
    values = {FIELD_OF[key]: getattr(source, FIELD_OF[key]) for key in table}
    for name in values.keys() & set(TOKEN_KEYS):
        values[name] = parse_tokens(values[name], origin=f"{origin}: {name}")
    for name in values.keys() & set(SIZE_KEYS):
        values[name] = parse_size(values[name], origin=f"{origin}: {name}")
    for name in values.keys() & set(NUMBER_KEYS):
        values[name] = parse_number(values[name], origin=f"{origin}: {name}")
    return values
