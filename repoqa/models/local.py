"""The engine that runs a checkpoint on this machine, by PyTorch.

The weights are loaded with the first prompt, since only then it is known whether both fit in
memory and whether its positions have to be scaled.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repoqa.errors import ModelError
from repoqa.models.adapter import adapter_of
from repoqa.models.checkpoint import read_config
from repoqa.models.memory import parameters
from repoqa.models.plan import Choice, Setting, Work, choose
from repoqa.models.profile import Profile
from repoqa.models.rope import RopePlan
from repoqa.models.rope import plan as plan_rope
from repoqa.models.text_stream import until
from repoqa.models.tokens import Codec, codec_of, prompt_ids
from repoqa.models.weights import weight_files
from repoqa.protocols import Progress
from repoqa.records import Prompt

if TYPE_CHECKING:
    from repoqa.models.device import Device
    from repoqa.models.held import Held
    from repoqa.models.prefix_store import PrefixStore

Note = Callable[[str], None]


def unheard(text: str) -> None:
    """What the user could be told is not said."""


@dataclass(frozen=True, slots=True)
class _Manner:
    """How an answer is read off: `ends` end it besides the model's own ends; `joined`: its text
    stands right behind the prompt's, with the space that it may begin with."""

    ends: frozenset[int] = frozenset()
    joined: bool = False


@dataclass(frozen=True, slots=True)
class _Run:
    """How the model in memory runs: where, with which choice of numbers, for so many tokens."""

    device: "Device"
    choice: Choice
    tokens: int

    @property
    def setting(self) -> Setting:
        """The numbers chosen."""
        return self.choice.setting


class LocalModel:
    """A Model over the checkpoint in a directory. Nothing heavy happens before `stream`.

    It holds what it has read last, for a prompt that begins the same. `note` is told how it is run,
    `prefixes` are the folder where what it reads is kept, and the bytes that all of it may take.
    `seed` is what answers at a temperature begin with: another one gives another answer.
    """

    def __init__(self, profile: Profile, checkpoint: Path, *, note: Note = unheard) -> None:
        self._profile = profile
        self._checkpoint = checkpoint
        self.note = note
        self._config = read_config(profile, checkpoint)
        self._adapter = adapter_of(profile, checkpoint)
        self.seed = 0
        self.codec: Codec = codec_of(checkpoint, name=profile.name)
        self._model: Any = None
        self._rope = RopePlan("none")
        self._held: Held | None = None
        self._run: _Run | None = None
        self.prefixes: tuple[Path, int] | None = None

    @property
    def name(self) -> str:
        """The profile's name."""
        return self._profile.name

    def stream(self, prompt: Prompt, *, progress: Progress) -> Iterator[str]:
        """Yield the answer's text as it is generated; closing the iterator stops generation.

        Raises ModelError for a prompt over the window, too little memory or damaged weights.
        """
        profile = self._profile
        answer = self._answer(
            prompt_ids(prompt, self.codec),
            _Manner(joined=profile.format == "continued"),
            progress=progress,
        )
        return until(
            answer, tuple(stop for stop in profile.stop if self.codec.control_id(stop) is None)
        )

    def continued(
        self, ids: Sequence[int], *, ends: frozenset[int] = frozenset(), progress: Progress
    ) -> Iterator[str]:
        """Yield what follows these tokens, as text that stands right behind theirs, up to one of
        `ends` or of the model's own. Raises ModelError as `stream` does."""
        return self._answer(list(ids), _Manner(ends, joined=True), progress=progress)

    def _answer(self, ids: list[int], manner: _Manner, *, progress: Progress) -> Iterator[str]:
        profile = self._profile
        if len(ids) > profile.maximum:
            raise ModelError(
                f"the prompt has {len(ids):,} tokens, {self.name} reads {profile.maximum:,}",
                remedy="Ask with a smaller --budget.",
            )
        model = self.loaded(len(ids), progress=progress)
        assert self._run is not None
        return self._texts(model, ids, manner, run=self._run, progress=progress)

    def _texts(
        self, model: Any, ids: list[int], manner: _Manner, *, run: _Run, progress: Progress
    ) -> Iterator[str]:
        from repoqa.models.generation import Sampling, generate
        from repoqa.models.held import Held

        profile = self._profile
        stops = (self.codec.control_id(stop) for stop in profile.stop)
        sampling = Sampling(
            limit=profile.answer,
            ends=self._config.ends | manner.ends | {stop for stop in stops if stop is not None},
            temperature=profile.temperature,
            top_p=profile.top_p,
            repetition_penalty=profile.repetition_penalty,
            seed=self.seed,
        )
        decoder = self.codec.decoder(joined=manner.joined)
        # Taken while it changes: of two answers at once the second begins anew.
        held, self._held = self._held, None
        if held is None or held.setting != run.setting:
            held = Held(run.setting)
        store = self._store(run)
        used = store.fill(held, model, ids, room=len(ids) + profile.answer) if store else None
        try:
            for token in generate(model, ids, sampling, progress=progress, held=held):
                if text := decoder.push(token):
                    yield text
        finally:
            self._held = held if model is self._model else None
            if store:
                store.keep(held, len(ids), used=used)
        if text := decoder.finish():
            yield text

    def _store(self, run: _Run) -> "PrefixStore | None":
        if self.prefixes is None:
            return None
        from repoqa.models.prefix_store import PrefixStore, model_key

        files = [*weight_files(self._checkpoint), self._checkpoint / "config.json"]
        if self._adapter is not None:
            files += sorted(path for path in self._adapter.iterdir() if path.is_file())
        folder, limit = self.prefixes
        key = model_key(files, run.device, run.setting, rope=self._rope.parameters)
        return PrefixStore(folder, limit, key)

    def loaded(self, prompt_tokens: int, *, progress: Progress) -> Any:
        """The model, in memory and ready for a prompt of so many tokens.

        Raises ModelError where it does not fit or its weights do not load.
        """
        profile = self._profile
        tokens = prompt_tokens + profile.answer
        trained = self._config.trained(profile.trained_window)
        rope = plan_rope(trained, tokens, kind=profile.rope, factor=profile.rope_factor)
        if self._model is None or rope.parameters != self._rope.parameters:
            self._model = self._held = None  # before the next: both together may be too large
            if rope.reason:
                self.note(rope.reason)
            self._rope = rope
        run = self._run
        if self._model is None or run is None:
            return self._load(self._planned(tokens, progress=progress), progress=progress)
        if tokens <= run.tokens:
            return self._model
        return self._made_longer(run, tokens, progress=progress)

    def _made_longer(self, run: _Run, tokens: int, *, progress: Progress) -> Any:
        """The model in memory, for more tokens than it was planned for."""
        planned = self._planned(tokens, progress=progress, running=run)
        if planned.setting == run.setting:
            self._run = planned
            return self._model
        self._held = None
        if planned.setting.weights != run.setting.weights:
            self._model = None
            return self._load(self._planned(tokens, progress=progress), progress=progress)
        self.note(planned.choice.reason)
        self._run = planned
        return self._model

    def _planned(self, tokens: int, *, progress: Progress, running: _Run | None = None) -> _Run:
        """How so many tokens would run here, as the model in memory does where they can."""
        progress.start(f"Preparing {self.name}")
        try:
            from repoqa.models.device import choose_device, place_of
            from repoqa.models.load import can_shrink

            # What an adapter changes can be less than fp16 tells apart.
            packs = self._adapter is None
            device = choose_device(
                stored=self._config.stored, wanted=self._profile.dtype, packs=packs
            )
            numbers = parameters(weight_files(self._checkpoint))
            shrinks = can_shrink(self._config, self._adapter)
            work = Work(self._config, numbers, tokens, can_shrink=shrinks)
            place = place_of(device)
            if running is not None and place.free is not None:
                held = self._held.size if self._held else 0
                place = replace(place, free=place.free + running.choice.need.weights + held)
            choice = choose(work, place, running=running.setting if running else None)
            return _Run(replace(device, bits=choice.setting.weights), choice, tokens)
        finally:
            progress.finish()

    def _load(self, run: _Run, *, progress: Progress) -> Any:
        self.note(run.choice.reason)
        from repoqa.models.load import has_own_pass, load

        counts = has_own_pass(self._config, run.device, self._adapter)
        numbers = parameters(weight_files(self._checkpoint)) if counts else None
        progress.start(f"Loading {self.name}", total=numbers, unit="weights")
        try:
            self._model = load(
                self._checkpoint,
                self._config,
                run.device,
                rope=self._rope.parameters,
                adapter=self._adapter,
                told=progress.advance,
            )
        finally:
            progress.finish()
        self._run = run
        return self._model
