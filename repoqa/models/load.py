"""Brings a checkpoint's weights into memory, by transformers.

Only safetensors of an architecture transformers knows are read: no pickle, no code of the
checkpoint's, and no network.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from repoqa.errors import ModelError
from repoqa.models.adapter import merged
from repoqa.models.checkpoint import Config
from repoqa.models.device import Device
from repoqa.models.plan import FEW
from repoqa.models.weights import weight_files


def can_shrink(config: Config, adapter: Path | None) -> bool:
    """Whether `load` can bring the weights in 8 or 4 bits: an adapter is merged into whole ones."""
    return config.is_llama and adapter is None


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
    is merged into its weights. `told` hears how many weights have come, where they have few bits.

    Raises ModelError for weights that are damaged or missing.
    """
    from safetensors import SafetensorError

    from repoqa.models.half_linear import keep_half

    try:
        with _quiet():
            settings = _settings(checkpoint, config, rope=rope)
            if device.bits in FEW:
                from repoqa.models.load_few_bits import load_few_bits

                return load_few_bits(weight_files(checkpoint), settings, device, told=told)
            model = _architecture(config).from_pretrained(
                checkpoint,
                config=settings,
                dtype=device.stored,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
            )
        model = model.eval().to(device.name)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelError(
            f"the weights in {checkpoint} do not load: {_first_line(error)}",
            remedy="Delete that folder if repoqa made it, else download the model again.",
        ) from error
    if adapter is not None:
        model = merged(model, adapter)
    # Last: what changes weights finds them as they were stored.
    return keep_half(model) if device.keeps_half else model


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
