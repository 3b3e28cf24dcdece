"""The OpenAI-compatible protocol: vLLM, llama.cpp, LM Studio, hosted models."""

from collections.abc import Generator, Iterable
from typing import Any

import msgspec

from repoqa.errors import ServerError
from repoqa.models.dialect import Door, Served
from repoqa.models.events import event_data
from repoqa.models.profile import Profile
from repoqa.models.refusals import LOOK, broke_off, clipped, message_of, refuse_failure
from repoqa.records import Prompt

DONE = "[DONE]"
NAMED_MODELS = 8
LLAMA_CPP = "llamacpp"
NAME_IT = "Name the one to ask: `model` under [server], or REPOQA_SERVER_MODEL."


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None


class _Event(msgspec.Struct):
    choices: list[_Choice] = []
    error: Any = None
    usage: _Usage | None = None


class _Named(msgspec.Struct):
    """`max_model_len` is vLLM's, `owned_by` tells llama.cpp."""

    id: str
    owned_by: str | None = None
    max_model_len: int | None = None


class _Models(msgspec.Struct):
    data: list[_Named]


class _Generation(msgspec.Struct):
    n_ctx: int | None = None


class _Props(msgspec.Struct):
    """What llama.cpp tells of itself under /props."""

    default_generation_settings: _Generation = msgspec.field(default_factory=_Generation)


class OpenAiChat:
    """The Dialect of `/v1/models` and `/v1/chat/completions`."""

    def served(self, door: Door) -> Served:
        """The model named by the user, or the only one served."""
        wanted = door.endpoint.model
        models = self._known_models(door) if wanted else self._models(door)
        if not wanted and len(models) != 1:
            names = ", ".join(model.id for model in models[:NAMED_MODELS]) or "none"
            raise ServerError(
                f"{door.server} serves {len(models)} models: {clipped(names)}", remedy=NAME_IT
            )
        found = next((model for model in models if model.id == wanted or not wanted), None)
        if found is None:
            return Served(wanted)
        window = found.max_model_len
        if window is None and found.owned_by == LLAMA_CPP:
            window = self._window_of_llama_cpp(door)
        return Served(found.id, window or None)

    def _models(self, door: Door) -> list[_Named]:
        response = door.client.get(f"{door.base}/models", timeout=door.seconds)
        refuse_failure(response, door.server)
        try:
            return msgspec.json.decode(response.content, type=_Models).data
        except msgspec.DecodeError as error:
            raise ServerError(f"{door.server} does not list its models", remedy=NAME_IT) from error

    def _known_models(self, door: Door) -> list[_Named]:
        """The models served, none where the server does not say: the user has named one."""
        import httpx2

        try:
            return self._models(door)
        except (ServerError, httpx2.ReadTimeout):
            return []

    def _window_of_llama_cpp(self, door: Door) -> int | None:
        import httpx2

        try:
            response = door.client.get(
                f"{door.base.removesuffix('/v1')}/props", timeout=door.seconds
            )
            props = msgspec.json.decode(response.content, type=_Props)
        except (httpx2.TransportError, msgspec.DecodeError):
            return None
        return props.default_generation_settings.n_ctx

    def address(self, base: str) -> str:
        """Where a chat is sent."""
        return f"{base}/chat/completions"

    def request(
        self, prompt: Prompt, served: Served, *, profile: Profile, answer: int
    ) -> dict[str, object]:
        """The prompt's messages, and how the answer is sampled."""
        request: dict[str, object] = {
            "model": served.model,
            "messages": [{"role": m.role, "content": m.content} for m in prompt.messages],
            "max_tokens": answer,
            "temperature": profile.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if profile.top_p != 1:
            request["top_p"] = profile.top_p
        if profile.stop:
            request["stop"] = list(profile.stop)
        return request

    def texts(self, chunks: Iterable[bytes], server: str) -> Generator[str, None, int | None]:
        """The contents of the events, up to the mark of the end."""
        finished, read = False, None
        for data in event_data(chunks):
            if data.strip() == DONE:
                return read
            event = _event(data, server)
            if event.usage is not None:
                read = event.usage.prompt_tokens
            for choice in event.choices[:1]:
                finished = finished or choice.finish_reason is not None
                if choice.delta.content:
                    yield choice.delta.content
        if not finished:
            raise broke_off(server)
        return read


def _event(data: str, server: str) -> _Event:
    try:
        event = msgspec.json.decode(data.encode(), type=_Event)
    except msgspec.DecodeError as error:
        raise ServerError(
            f"{server} sent what is not a chat event ({error}): {clipped(data)}",
            remedy="Name the server's OpenAI-compatible address, which usually ends in /v1.",
        ) from error
    if event.error is not None:
        raise ServerError(
            f"{server} failed while answering: {clipped(message_of(event.error))}", remedy=LOOK
        )
    return event
