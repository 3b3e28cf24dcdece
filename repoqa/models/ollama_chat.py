"""Ollama's own protocol, which sets how much is read; under `/v1` that is not heard, and a prompt
over 4,096 tokens is cut without a word."""

from collections.abc import Generator, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from repoqa.errors import ServerError
from repoqa.models.dialect import Door, Served
from repoqa.models.events import lines
from repoqa.models.openai_chat import NAME_IT, NAMED_MODELS
from repoqa.models.profile import Profile
from repoqa.models.refusals import LOOK, broke_off, clipped, message_of, refuse_failure
from repoqa.records import Prompt

# Ollama loads a model anew for another window: sizes are rounded up to few different ones.
WINDOW_STEP = 1024
ENDS = ("/v1", "/chat", "/api")
_Told = TypeVar("_Told")


class _Message(msgspec.Struct):
    content: str = ""


class _Line(msgspec.Struct):
    message: _Message = msgspec.field(default_factory=_Message)
    done: bool = False
    prompt_eval_count: int | None = None
    error: Any = None


class _Tag(msgspec.Struct):
    name: str


class _Tags(msgspec.Struct):
    models: list[_Tag] = []


class _Shown(msgspec.Struct):
    model_info: dict[str, Any] = {}


class OllamaChat:
    """The Dialect of `/api/show` and `/api/chat`."""

    def served(self, door: Door) -> Served:
        """The model named by the user, or the only one pulled, with its trained window and base."""
        model = door.endpoint.model or self._only(door)
        response = door.client.post(
            f"{root(door.base)}/api/show", json={"model": model}, timeout=door.seconds
        )
        refuse_failure(response, door.server)
        info = _decoded(response.content, _Shown, door.server).model_info
        window, theta = _ending(info, ".context_length"), _ending(info, ".rope.freq_base")
        return Served(model, int(window) if window else None, theta)

    def _only(self, door: Door) -> str:
        response = door.client.get(f"{root(door.base)}/api/tags", timeout=door.seconds)
        refuse_failure(response, door.server)
        tags = _decoded(response.content, _Tags, door.server).models
        if len(tags) != 1:
            names = ", ".join(tag.name for tag in tags[:NAMED_MODELS]) or "none"
            raise ServerError(
                f"{door.server} has {len(tags)} models: {clipped(names)}", remedy=NAME_IT
            )
        return tags[0].name

    def address(self, base: str) -> str:
        """Where a chat is sent."""
        return f"{root(base)}/api/chat"

    def request(
        self, prompt: Prompt, served: Served, *, profile: Profile, answer: int
    ) -> dict[str, object]:
        """The prompt's messages, with a window that holds it and its answer; what does not fit is
        to be refused (`truncate`, `shift`), by the releases of Ollama that know how."""
        tokens = max(prompt.tokens, profile.reliable_window) + profile.answer
        window = -(-tokens // WINDOW_STEP) * WINDOW_STEP
        options: dict[str, object] = {
            "num_ctx": min(window, served.window or window),
            "num_predict": answer,
            "temperature": profile.temperature,
            "top_p": profile.top_p,
        }
        if profile.stop:
            options["stop"] = list(profile.stop)
        return {
            "model": served.model,
            "messages": [{"role": m.role, "content": m.content} for m in prompt.messages],
            "stream": True,
            "truncate": False,
            "shift": False,
            "options": options,
        }

    def texts(self, chunks: Iterable[bytes], server: str) -> Generator[str, None, int | None]:
        """The contents of the lines, up to the one that says it is done."""
        for text in lines(chunks):
            if not text.strip():
                continue
            line = _decoded(text.encode(), _Line, server)
            if line.error is not None:
                said = clipped(message_of(line.error))
                raise ServerError(f"{server} failed while answering: {said}", remedy=LOOK)
            if line.message.content:
                yield line.message.content
            if line.done:
                return line.prompt_eval_count
        raise broke_off(server)


def root(base: str) -> str:
    """The server's address without the paths of its protocols."""
    for end in ENDS:
        base = base.removesuffix(end)
    return base


def _decoded(content: bytes, kind: type[_Told], server: str) -> _Told:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise ServerError(
            f"{server} does not talk as Ollama does ({error}): "
            f"{clipped(content.decode('utf-8', 'replace'))}",
            remedy="Name Ollama's address, or ask another server with --model server.",
        ) from error


def _ending(info: Mapping[str, Any], end: str) -> float | None:
    """The number of a key such as `llama.context_length`, whose beginning is the architecture."""
    found = (value for key, value in sorted(info.items()) if key.endswith(end))
    return next((float(value) for value in found if isinstance(value, int | float)), None)
