"""Brings a checkpoint's weights into memory: a Llama's for this package's own pass where that is
faster, the others by transformers.

Only safetensors of an architecture transformers knows are read: no pickle, no code of the
checkpoint's, and no network.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from repoqa.errors import ModelError
from repoqa.models.adapter import merged
from repoqa.models.checkpoint import Config
from repoqa.models.device import Device
from repoqa.models.plan import FEW
from repoqa.models.weights import weight_files


def can_shrink(config: Config, adapter: Path | None) -> bool:
    """Whether `load` can bring the weights in 8 or 4 bits, which is for this package's own pass: an
    adapter is merged into transformers' model, and weights that are stored in a form of few bits
    already are for that to read."""
    is_known = config.is_llama and config.hidden_act == "silu"
    return is_known and config.quantization_config is None and adapter is None


def has_own_pass(config: Config, device: Device, adapter: Path | None) -> bool:
    """Whether this package reads with it by itself (`models/llama.py`): Llamas on CPUs, and in few
    bits anywhere. `load` tells how many of their weights have come."""
    return can_shrink(config, adapter) and (device.name == "cpu" or device.bits in FEW)


def _untold(numbers: int) -> None:
    """How far it has come is not said."""


def load(
    checkpoint: Path,
    config: Config,
    device: Device,
    *,
    rope: Mapping[str, Any] | None = None,
    adapter: Path | None = None,
    told: Callable[[int], None] = _untold,
) -> Any:
    """The model on its device; `rope` are the rope parameters to use in place of its own, `adapter`
    is merged into its weights. `told` hears how many weights have come, where it `has_own_pass`.

    Raises ModelError for weights that are damaged or missing.
    """
    with _loading(checkpoint):
        if has_own_pass(config, device, adapter):
            from repoqa.models.load_llama import load_llama
            from repoqa.models.rotary import rotary

            theirs = partial(_settings, checkpoint, config, rope=rope)
            turning = rotary(config, device.name, parameters=rope, theirs=theirs)
            return load_llama(weight_files(checkpoint), config, device, rotary=turning, told=told)
        model = _by_transformers(checkpoint, config, device, rope=rope)
    if adapter is not None:
        model = merged(model, adapter)
    if not device.keeps_half:
        return model
    from repoqa.models.half_linear import keep_half

    # Last: what changes weights finds them as they were stored.
    return keep_half(model)


def load_trainable(checkpoint: Path, config: Config, device: Device) -> Any:
    """transformers' model, whose weights can be changed. Raises ModelError as `load` does."""
    with _loading(checkpoint):
        return _by_transformers(checkpoint, config, device, rope=None)


@contextmanager
def _loading(checkpoint: Path) -> Iterator[None]:
    """Raises ModelError for what is wrong with the weights."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelError(
            f"the weights in {checkpoint} do not load: {_first_line(error)}",
            remedy="Delete that folder if repoqa made it, else download the model again.",
        ) from error


def _by_transformers(
    checkpoint: Path, config: Config, device: Device, *, rope: Mapping[str, Any] | None
) -> Any:
    with _quiet():
        model = _architecture(config).from_pretrained(
            checkpoint,
            config=_settings(checkpoint, config, rope=rope),
            dtype=device.stored,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
        )
    return model.eval().to(device.name)


def _settings(checkpoint: Path, config: Config, *, rope: Mapping[str, Any] | None) -> Any:
    """transformers' own form of the config, with other rope parameters where they are given."""
    if config.is_llama:
        from transformers.models.llama.configuration_llama import LlamaConfig

        settings = LlamaConfig.from_pretrained(checkpoint, local_files_only=True)
    else:
        from transformers import AutoConfig

        settings = AutoConfig.from_pretrained(
            checkpoint, local_files_only=True, trust_remote_code=False
        )
    if rope is not None:
        settings.rope_parameters = dict(rope)
    return settings


def _architecture(config: Config) -> Any:
    if config.is_llama:
        # Directly from its module: the automatic classes import a second more.
        from transformers.models.llama.modeling_llama import LlamaForCausalLM

        return LlamaForCausalLM
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from writing to the terminal: progress is shown by repoqa itself."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0].rstrip(".") or type(error).__name__
