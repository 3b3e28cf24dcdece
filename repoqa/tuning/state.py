"""A run that can go on: the adapter, the optimizer, the random numbers and the position, in a file.

The file is safetensors, written whole or not at all, so that a run killed at any moment goes on
from the last one that was written. Beside it lie, in the end, the adapter's own files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from repoqa.errors import JobError, ModelError, UsageError
from repoqa.models.adapter import ADAPTER_CONFIG, ADAPTER_WEIGHTS, CARD, Card, fingerprint
from repoqa.tuning.folder import write_whole
from repoqa.tuning.recipe import Recipe
from repoqa.tuning.train import trained

UNFINISHED = "unfinished.safetensors"
_NOTE = "repoqa"
_WEIGHTS, _MEAN, _SQUARE = "weights.", "mean.", "square."
_CPU_NUMBERS, _GPU_NUMBERS = "random.cpu", "random.gpu"


class Position(msgspec.Struct, frozen=True):
    """Where a run is: its recipe, and the loss of each step taken."""

    recipe: Recipe
    losses: tuple[float, ...]


class TunedCard(Card, frozen=True):
    """The card of an adapter that was trained here."""

    recipe: Recipe
    losses: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A model being trained, and where its files are."""

    folder: Path
    model: Any
    optimizer: torch.optim.Optimizer


def save_unfinished(run: Run, position: Position) -> None:
    """Write the state of a run after its last step. Raises JobError where that fails."""
    tensors = {
        **dict(_weights(run)),
        **dict(_moments(run)),
        _CPU_NUMBERS: torch.get_rng_state(),
    }
    if run.model.device.type == "cuda":
        tensors[_GPU_NUMBERS] = torch.cuda.get_rng_state()
    content = save(tensors, metadata={_NOTE: msgspec.json.encode(position).decode()})
    _write(run.folder, {UNFINISHED: content})


def read_position(folder: Path) -> Position | None:
    """Where the unfinished run in a folder is; None where there is none. Raises ModelError."""
    path = folder / UNFINISHED
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            note = (file.metadata() or {}).get(_NOTE, "")
        return msgspec.json.decode(note, type=Position)
    except (OSError, SafetensorError, msgspec.DecodeError) as error:
        raise _unreadable(path, error) from error


def restore(run: Run, position: Position) -> None:
    """Bring a new run to where an unfinished one was. Raises ModelError."""
    path = run.folder / UNFINISHED
    try:
        found = load_file(path)
        for name, weights in trained(run.model):
            weights.data.copy_(found[_WEIGHTS + name])
            run.optimizer.state[weights] = {
                "step": torch.tensor(float(len(position.losses))),
                "exp_avg": found[_MEAN + name].to(weights.device),
                "exp_avg_sq": found[_SQUARE + name].to(weights.device),
            }
        torch.set_rng_state(found[_CPU_NUMBERS])
        if _GPU_NUMBERS in found and run.model.device.type == "cuda":
            torch.cuda.set_rng_state(found[_GPU_NUMBERS])
    except (OSError, KeyError, RuntimeError, SafetensorError) as error:
        raise _unreadable(path, error) from error


def finish(run: Run, position: Position, *, checkpoint: Path) -> None:
    """Write the adapter as peft reads it, and what is known of it; its run is over then."""
    from peft import get_peft_model_state_dict

    tensors = get_peft_model_state_dict(run.model, save_embedding_layers=False)
    config = run.model.peft_config["default"].to_dict()
    config["inference_mode"] = True
    card = TunedCard(
        base=position.recipe.model,
        fingerprint=fingerprint(checkpoint),
        recipe=position.recipe,
        losses=position.losses,
    )
    weights = {name: part.detach().cpu().contiguous() for name, part in tensors.items()}
    contents = {
        ADAPTER_WEIGHTS: save(weights),
        CARD: _as_json(card),
        ADAPTER_CONFIG: _as_json(config),
    }
    _write(run.folder, contents)
    (run.folder / UNFINISHED).unlink(missing_ok=True)


def refuse_occupied(folder: Path) -> None:
    """Raise UsageError where a folder holds an adapter, or anything else that would be lost."""
    if (folder / UNFINISHED).is_file():
        raise UsageError(
            f"{folder} holds a run that is not finished",
            remedy="Go on with it: --resume. Or name another folder: --out ADAPTER.",
        )
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise UsageError(
            f"{folder} holds an adapter or something else already",
            remedy="Name a new folder: --out ADAPTER.",
        )


def _weights(run: Run) -> Iterator[tuple[str, torch.Tensor]]:
    for name, weights in trained(run.model):
        yield _WEIGHTS + name, weights.detach().cpu().contiguous()


def _moments(run: Run) -> Iterator[tuple[str, torch.Tensor]]:
    for name, weights in trained(run.model):
        state = run.optimizer.state[weights]
        yield _MEAN + name, state["exp_avg"].cpu()
        yield _SQUARE + name, state["exp_avg_sq"].cpu()


def _as_json(value: Any) -> bytes:
    # peft's config has sets, whose order changes from run to run.
    content = msgspec.json.encode(value, order="deterministic")
    return msgspec.json.format(content, indent=2) + b"\n"


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_whole(folder / name, content)
    except OSError as error:
        raise JobError(
            f"{folder} cannot be written: {error.strerror}",
            remedy="Make room, or name another folder with --out.",
        ) from error


def _unreadable(path: Path, error: Exception) -> ModelError:
    first = str(error).strip().split("\n", 1)[0]
    return ModelError(
        f"{path} does not read: {first}", remedy="Remove it, and train from the beginning."
    )
