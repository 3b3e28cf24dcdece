"""The engine that runs a checkpoint on this machine, by transformers.

The weights are loaded with the first prompt, since only then it is known whether both fit in
memory. Only safetensors of an architecture transformers knows are read: no pickle, no code of the
checkpoint's, and no network.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from repoqa.errors import ModelError
from repoqa.models.memory import available_to_cpu, need, refuse_if_over
from repoqa.models.profile import Profile
from repoqa.models.shape import Shape
from repoqa.models.text_stream import until
from repoqa.models.tokens import Codec, codec_of
from repoqa.models.weights import weight_files
from repoqa.protocols import Progress
from repoqa.records import Prompt

_LLAMA_THETA = 10_000.0  # what a config that says nothing means


class _Config(Shape, frozen=True):
    """What is read of a checkpoint's config.json, in its old form and in its new one."""

    architectures: list[str] = []
    eos_token_id: int | list[int] | None = None
    dtype: str = ""
    torch_dtype: str = ""
    rope_theta: float | None = None
    rope_parameters: dict[str, Any] | None = None

    @property
    def theta(self) -> float:
        """The base of the rotary positions."""
        return float(
            (self.rope_parameters or {}).get("rope_theta", self.rope_theta or _LLAMA_THETA)
        )

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer."""
        match self.eos_token_id:
            case None:
                return frozenset()
            case int(token):
                return frozenset((token,))
            case tokens:
                return frozenset(tokens)


class LocalModel:
    """A Model over the checkpoint in a directory. Nothing heavy happens before `stream`."""

    def __init__(self, profile: Profile, checkpoint: Path) -> None:
        self._profile = profile
        self._checkpoint = checkpoint
        self._config = _read_config(profile, checkpoint)
        self._codec: Codec = codec_of(checkpoint, name=profile.name)
        self._model: Any = None

    @property
    def name(self) -> str:
        """The profile's name."""
        return self._profile.name

    def stream(self, prompt: Prompt, *, progress: Progress) -> Iterator[str]:
        """Yield the answer's text as it is generated; closing the iterator stops generation.

        Raises ModelError for a prompt over the window, too little memory or damaged weights.
        """
        ids = self._encode(prompt)
        if len(ids) > self._profile.maximum:
            raise ModelError(
                f"the prompt has {len(ids):,} tokens, {self.name} reads {self._profile.maximum:,}",
                remedy="Ask with a smaller --budget.",
            )
        model = self._loaded(len(ids), progress=progress)
        texts = tuple(stop for stop in self._profile.stop if self._codec.control_id(stop) is None)
        return until(self._answer(model, ids, progress=progress), texts)

    def _encode(self, prompt: Prompt) -> list[int]:
        codec = self._codec
        return [
            token
            for segment in prompt.segments
            for token in (codec.control if segment.control else codec.encode)(segment.text)
        ]

    def _answer(self, model: Any, ids: list[int], *, progress: Progress) -> Iterator[str]:
        from repoqa.models.generation import Sampling, generate

        profile = self._profile
        stops = (self._codec.control_id(stop) for stop in profile.stop)
        sampling = Sampling(
            limit=profile.answer,
            ends=self._config.ends | {stop for stop in stops if stop is not None},
            temperature=profile.temperature,
            top_p=profile.top_p,
            repetition_penalty=profile.repetition_penalty,
        )
        decoder = self._codec.decoder()
        for token in generate(model, ids, sampling, progress=progress):
            if text := decoder.push(token):
                yield text
        if text := decoder.finish():
            yield text

    def _loaded(self, prompt_tokens: int, *, progress: Progress) -> Any:
        if self._model is None:
            progress.start(f"Loading {self.name}")
            try:
                self._model = self._load(prompt_tokens + self._profile.answer)
            finally:
                progress.finish()
        return self._model

    def _load(self, tokens: int) -> Any:
        from safetensors import SafetensorError

        from repoqa.models.device import choose_device

        device = choose_device(stored=self._config.dtype or self._config.torch_dtype)
        try:
            needed = need(
                self._config,
                weight_files(self._checkpoint),
                tokens=tokens,
                width=device.dtype.itemsize,
            )
            free = device.free_memory()
            refuse_if_over(needed, available_to_cpu() if free is None else free, where=device.words)
            with _quiet():
                model = _architecture(self._config).from_pretrained(
                    self._checkpoint,
                    dtype=device.dtype,
                    local_files_only=True,
                    use_safetensors=True,
                    trust_remote_code=False,
                )
            return model.eval().to(device.name)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise ModelError(
                f"the weights in {self._checkpoint} do not load: {_first_line(error)}",
                remedy="Delete that folder if repoqa made it, else download the model again.",
            ) from error


def _read_config(profile: Profile, checkpoint: Path) -> _Config:
    try:
        config = msgspec.json.decode((checkpoint / "config.json").read_bytes(), type=_Config)
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(
            f"{checkpoint / 'config.json'} does not describe a model: {error}",
            remedy="Download the model's files again.",
        ) from error
    if profile.rope_theta not in (0, config.theta):
        raise ModelError(
            f"the weights in {checkpoint} say a RoPE base of {config.theta:g}, "
            f"{profile.name} has {profile.rope_theta:g}: their conversion lost it",
            remedy="Download the model's own files; answers from these would be gibberish.",
        )
    return config


def _architecture(config: _Config) -> Any:
    if config.architectures == ["LlamaForCausalLM"]:
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
