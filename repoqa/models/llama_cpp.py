"""The engine that runs a GGUF file in this process, by llama.cpp.

The package xllamacpp (`repoqa-cli[llamacpp]`) carries llama.cpp as a wheel, with its server, which
is all that it can be asked through: it listens on this machine alone, on a port and with a key of
this process's own. The prompt is sent as token ids, of which only those of the chat format may be
control tokens. What it has read stays in its cache for the next prompt.
"""

import secrets
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from repoqa.errors import ModelError, UsageError
from repoqa.models.events import event_data
from repoqa.models.profile import Profile
from repoqa.models.refusals import clipped, message_of
from repoqa.models.rope import Trained, plan
from repoqa.models.text_stream import until
from repoqa.protocols import Progress
from repoqa.records import Prompt

if TYPE_CHECKING:
    import httpx2

# llama.cpp rounds a window up to as many tokens.
_WINDOW_STEP = 256
_SILENT = -1
_SCALINGS = {"linear": 1, "yarn": 2}
"""llama.cpp's numbers of the kinds that it has."""
# Of the kinds that a head's size matters to, llama.cpp has none.
_ANY_HEAD_SIZE = 64


class _Tokens(msgspec.Struct):
    tokens: list[int]


class _Read(msgspec.Struct):
    processed: int = 0


class _Event(msgspec.Struct):
    """`stop` is the last event's; `prompt_progress` tells how much of the prompt has been read."""

    content: str = ""
    stop: bool = False
    prompt_progress: _Read | None = None
    error: Any = None


def weights_file(profile: Profile) -> Path:
    """The profile's GGUF file. Raises ModelError where it is not there."""
    file = Path(profile.weights)
    if not file.is_file():
        raise ModelError(
            f"there is no file {file}", remedy=f"Correct `weights` of the profile {profile.name}."
        )
    return file


class LlamaCppModel:
    """A Model over a GGUF file. Nothing heavy happens before `stream`."""

    def __init__(self, profile: Profile, weights: Path, *, note: Callable[[str], None]) -> None:
        self._profile = profile
        self._weights = weights
        self._note = note
        self._server: Any = None
        self._key = secrets.token_urlsafe()
        self._window = 0

    @property
    def name(self) -> str:
        """The profile's name."""
        return self._profile.name

    def stream(self, prompt: Prompt, *, progress: Progress) -> Iterator[str]:
        """Yield the answer's text as it is generated; closing the iterator stops generation.

        Raises ModelError for a file that does not load and a prompt over the window.
        """
        import httpx2

        try:
            self._open(prompt.tokens + self._profile.answer, progress=progress)
            with self._client() as client:
                ids = self._encode(prompt, client)
            if len(ids) > self._profile.maximum:
                raise ModelError(
                    f"the prompt has {len(ids):,} tokens, {self.name} reads "
                    f"{self._profile.maximum:,}",
                    remedy="Ask with a smaller --budget.",
                )
            # The count may have been another tokenizer's.
            self._open(len(ids) + self._profile.answer, progress=progress)
            with self._client() as client:
                pieces = self._answer(ids, client, progress=progress)
                with closing(pieces):
                    yield from until(pieces, self._profile.stop)
        except httpx2.TransportError as error:
            raise ModelError(
                f"llama.cpp stopped answering: {error}",
                remedy="Ask with a smaller --budget, or close other programs: memory may be short.",
            ) from error

    def _open(self, tokens: int, *, progress: Progress) -> None:
        """Start a server whose window holds `tokens`, where there is none yet."""
        if self._server is not None and tokens <= self._window:
            return
        self._server = None  # before the next: both together may be too large
        self._window = -(-tokens // _WINDOW_STEP) * _WINDOW_STEP
        progress.start(f"Loading {self.name}")
        try:
            self._server = _started(self._weights, self._settings())
        finally:
            progress.finish()

    def _client(self) -> "httpx2.Client":
        import httpx2

        return httpx2.Client(
            base_url=self._server.listening_address,
            headers={"Authorization": f"Bearer {self._key}"},
            timeout=None,  # a long prompt is read for minutes
            trust_env=False,
        )

    def _settings(self) -> dict[str, object]:
        profile = self._profile
        scaling = plan(
            Trained(profile.trained_window, profile.rope_theta, _ANY_HEAD_SIZE),
            self._window,
            kind=profile.rope,
            factor=profile.rope_factor,
        )
        if scaling.reason:
            self._note(scaling.reason)
        stretched: dict[str, object] = {}
        if scaling.parameters is not None:
            if scaling.kind not in _SCALINGS:
                raise UsageError(
                    f"llama.cpp does not scale positions by {scaling.kind}",
                    remedy="Choose yarn, linear or none: --rope yarn.",
                )
            stretched = {
                "rope_scaling_type": _SCALINGS[scaling.kind],
                "rope_freq_scale": 1 / scaling.factor,
                "yarn_orig_ctx": profile.trained_window,
            }
        return {"n_ctx": self._window, "api_keys": [self._key], **stretched}

    def _encode(self, prompt: Prompt, client: "httpx2.Client") -> list[int]:
        ids: list[int] = []
        for segment in prompt.segments:
            fields = {"content": segment.text, "parse_special": segment.control}
            reply = client.post("/tokenize", json={**fields, "add_special": False})
            if reply.is_error:
                raise _refused(reply.text)
            ids += msgspec.json.decode(reply.content, type=_Tokens).tokens
        return ids

    def _answer(
        self, ids: list[int], client: "httpx2.Client", *, progress: Progress
    ) -> Generator[str, None, None]:
        profile = self._profile
        request = {
            "prompt": ids,
            "n_predict": profile.answer,
            "temperature": profile.temperature,
            "top_p": profile.top_p,
            "top_k": 0,
            "min_p": 0.0,
            "repeat_penalty": profile.repetition_penalty,
            "seed": 0,
            "stream": True,
            "cache_prompt": True,
            "return_progress": True,
        }
        with (
            _reading(len(ids), progress) as finish,
            client.stream("POST", "/completion", json=request) as response,
        ):
            if response.is_error:
                raise _refused(response.read().decode(errors="replace"))
            for event in _events(response.iter_bytes(), progress=progress):
                if event.content:
                    finish()
                    yield event.content


@contextmanager
def _reading(tokens: int, progress: Progress) -> Iterator[Callable[[], None]]:
    """The stage of reading a prompt, ended by what is yielded, or with the work."""
    is_open = True

    def finish() -> None:
        nonlocal is_open
        if is_open:
            is_open = False
            progress.finish()

    progress.start("Reading the prompt", total=tokens, unit="tokens")
    try:
        yield finish
    finally:
        finish()


def _events(chunks: Iterable[bytes], *, progress: Progress) -> Iterator[_Event]:
    """The events up to the last one; how much of the prompt was read is told to `progress`."""
    read = 0
    for data in event_data(chunks):
        event = msgspec.json.decode(data.encode(), type=_Event)
        if event.error is not None:
            raise _refused(event.error)
        if event.prompt_progress is not None:
            progress.advance(event.prompt_progress.processed - read)
            read = event.prompt_progress.processed
        else:
            yield event
        if event.stop:
            return


def _refused(said: object) -> ModelError:
    return ModelError(
        f"llama.cpp refused the prompt: {clipped(message_of(said))}",
        remedy="Ask with a smaller --budget.",
    )


def _started(weights: Path, settings: dict[str, object]) -> Any:
    """llama.cpp's server over the file. Raises ModelError where it does not load."""
    try:
        import xllamacpp
    except ImportError as error:
        raise UsageError(
            "GGUF files are run by a package that is not installed",
            remedy="pip install 'repoqa-cli[llamacpp]'",
        ) from error
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_parallel, params.warmup, params.ui, params.verbosity = 1, False, False, _SILENT
    for name, value in settings.items():
        setattr(params, name, value)
    try:
        return xllamacpp.Server(params)
    except (RuntimeError, OSError) as error:
        raise ModelError(
            f"{weights} does not load: {error}",
            remedy="Name a GGUF file that is whole, of a model that llama.cpp knows.",
        ) from error
