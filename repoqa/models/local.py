"""The engine that runs a checkpoint on this machine, by transformers.

The weights are loaded with the first prompt, since only then it is known whether both fit in
memory and whether its positions have to be scaled.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from repoqa.errors import ModelError
from repoqa.models.checkpoint import read_config
from repoqa.models.memory import parameters
from repoqa.models.plan import Work, choose
from repoqa.models.profile import Profile
from repoqa.models.rope import RopePlan
from repoqa.models.rope import plan as plan_rope
from repoqa.models.text_stream import until
from repoqa.models.tokens import Codec, codec_of
from repoqa.models.weights import weight_files
from repoqa.protocols import Progress
from repoqa.records import Prompt

Note = Callable[[str], None]


def unheard(text: str) -> None:
    """What the user could be told is not said."""


class LocalModel:
    """A Model over the checkpoint in a directory. Nothing heavy happens before `stream`."""

    def __init__(self, profile: Profile, checkpoint: Path, *, note: Note = unheard) -> None:
        self._profile = profile
        self._checkpoint = checkpoint
        self._note = note
        self._config = read_config(profile, checkpoint)
        self._codec: Codec = codec_of(checkpoint, name=profile.name)
        self._model: Any = None
        self._rope = RopePlan("none")

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
        model = self.loaded(len(ids), progress=progress)
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

    def loaded(self, prompt_tokens: int, *, progress: Progress) -> Any:
        """The model, in memory and ready for a prompt of so many tokens."""
        profile = self._profile
        tokens = prompt_tokens + profile.answer
        trained = self._config.trained(profile.trained_window)
        rope = plan_rope(trained, tokens, kind=profile.rope, factor=profile.rope_factor)
        if self._model is not None and rope.parameters == self._rope.parameters:
            return self._model
        self._model = None  # before the next: both together may be too large
        if rope.reason:
            self._note(rope.reason)
        self._rope = rope
        self._model = self._load(tokens, rope, progress=progress)
        return self._model

    def _load(self, tokens: int, rope: RopePlan, *, progress: Progress) -> Any:
        progress.start(f"Preparing {self.name}")
        try:
            from repoqa.models.device import choose_device, place_of

            device = choose_device(stored=self._config.stored, wanted=self._profile.dtype)
            numbers = parameters(weight_files(self._checkpoint))
            work = Work(self._config, numbers, tokens, can_shrink=False)
            choice = choose(work, place_of(device))
        finally:
            progress.finish()
        self._note(choice.reason)
        progress.start(f"Loading {self.name}")
        try:
            from repoqa.models.load import load

            return load(self._checkpoint, self._config, device, rope=rope.parameters)
        finally:
            progress.finish()
