"""LoRA adapters (Hu et al. 2021, arXiv 2106.09685): small matrices that are added to weights.

An adapter fits the weights that it was trained on and no others. repoqa notes beside an adapter
which those were; of one made elsewhere it is only known whether its matrices fit. Read are JSON and
safetensors from a folder of the user's: no pickle, and no network.
"""

import hashlib
import warnings
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from repoqa.errors import ModelError
from repoqa.models.profile import Profile
from repoqa.models.weights import weight_files

EXTRA = "repoqa-cli[tune]"
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
CARD = "repoqa.json"
_LIBRARY = "peft"
_Kind = TypeVar("_Kind")
_SAMPLES, _SAMPLE_BYTES = 64, 4096


class Card(msgspec.Struct, frozen=True):
    """What is noted beside an adapter: the profile that it was trained on, and its weights'
    fingerprint."""

    base: str
    fingerprint: str


class _Config(msgspec.Struct, frozen=True):
    """What is read of an adapter's own config before the library reads it."""

    peft_type: str = ""


def require_library() -> None:
    """Raise ModelError where what loads and trains adapters is not installed."""
    if find_spec(_LIBRARY) is None:
        raise ModelError(
            "adapters need the Python package peft, which is not installed",
            remedy=f"Install {EXTRA}.",
        )


def adapter_of(profile: Profile, checkpoint: Path) -> Path | None:
    """The folder of the profile's adapter; None where it has none.

    Raises ModelError where it is missing, is no LoRA adapter, or belongs to other weights.
    """
    if not profile.adapter:
        return None
    folder = Path(profile.adapter)
    require_library()
    config, card = read_json(folder / ADAPTER_CONFIG, _Config), read_card(folder)
    if config is None or not (folder / ADAPTER_WEIGHTS).is_file():
        raise ModelError(
            f"{folder} is not an adapter's folder: it needs {ADAPTER_CONFIG} and {ADAPTER_WEIGHTS}",
            remedy=f"Correct `adapter` of the model profile {profile.name}.",
        )
    if config.peft_type != "LORA":
        raise ModelError(
            f"the adapter in {folder} is of the kind {config.peft_type or 'unknown'}, not LORA",
            remedy="Train one with `repoqa tune run`.",
        )
    if card is not None and card.fingerprint != fingerprint(checkpoint):
        raise ModelError(
            f"the adapter in {folder} was trained on {card.base}, not on the weights of the "
            f"profile {profile.name}",
            remedy=f'Let the profile say extends = "{card.base}", or train another adapter.',
        )
    return folder


def read_card(folder: Path) -> Card | None:
    """What repoqa noted beside an adapter; None where it did not train it."""
    return read_json(folder / CARD, Card)


def read_json(path: Path, kind: type[_Kind]) -> _Kind | None:
    """A JSON file; None where there is none. Raises ModelError where it does not read."""
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(f"{path} does not read: {error}", remedy="Train it again.") from error


def fingerprint(checkpoint: Path) -> str:
    """What tells weights from others: a SHA-256, in hexadecimal, of the sizes of their files and of
    samples from all over them. Reading all of them would take longer than loading them."""
    return _sampled(weight_files(checkpoint))


def adapter_fingerprint(profile: Profile) -> str:
    """The same of the profile's adapter, which may be trained anew in its place; "" where it has
    none, or none is there."""
    weights = Path(profile.adapter) / ADAPTER_WEIGHTS
    return _sampled((weights,)) if profile.adapter and weights.is_file() else ""


def _sampled(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        size = path.stat().st_size
        digest.update(str(size).encode())
        with path.open("rb") as file:
            for number in range(_SAMPLES):
                file.seek(size * number // _SAMPLES)
                digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()


def merged(model: Any, folder: Path) -> Any:
    """The model with the adapter's matrices added to its weights. Raises ModelError."""
    model = attached(model, folder)
    try:
        return model.merge_and_unload(safe_merge=True).eval()
    except ValueError as error:
        raise _damaged(folder, error) from error


def attached(model: Any, folder: Path) -> Any:
    """The model with the adapter beside its weights, as peft keeps it. Raises ModelError where it
    is damaged, or its matrices are not all of this model."""
    from peft import LoraConfig, set_peft_model_state_dict
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        config = LoraConfig.from_pretrained(str(folder))
        config.inference_mode = True
        found = load_file(folder / ADAPTER_WEIGHTS)
        model = beside(model, config)
        result = set_peft_model_state_dict(model, found)
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise _damaged(folder, error) from error
    missing = [name for name in result.missing_keys if "lora_" in name]
    if missing or result.unexpected_keys:
        raise _damaged(folder, "its matrices are those of another model")
    return model


def beside(model: Any, config: Any) -> Any:
    """The model with an adapter of peft's config beside its weights, new and of no effect."""
    from peft import get_peft_model

    with warnings.catch_warnings():
        # It asks transformers for what will have another name there.
        warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)
        warnings.filterwarnings("ignore", ".*base_model_name_or_path", UserWarning)
        return get_peft_model(model, config)


def _damaged(folder: Path, why: object) -> ModelError:
    first = str(why).strip().split("\n", 1)[0].rstrip(".")
    return ModelError(
        f"the adapter in {folder} does not fit: {first}",
        remedy="It may belong to another model; train it again if it is damaged.",
    )
