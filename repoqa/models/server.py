"""The engine that asks an OpenAI-compatible chat server: vLLM, llama.cpp, Ollama, a hosted one.

A server may read a long prompt for minutes before its first token, and a retry would start that
again: so there is no time limit on reading, and nothing is ever sent twice. Whoever waits can stop
at any time by closing the stream, which closes the connection and with it the server's work.
"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from repoqa.errors import ServerError, UsageError
from repoqa.models.events import event_data
from repoqa.models.profile import Endpoint, Profile
from repoqa.protocols import Progress
from repoqa.records import Prompt

if TYPE_CHECKING:
    import httpx2

_CONNECT_SECONDS = 10.0
_LIST_SECONDS = 30.0
_KEPT_OF_A_MESSAGE = 300  # characters
_DONE = "[DONE]"
_NAMED_MODELS = 8
_SERVER_FAULT = 500


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: str | None = None


class _Event(msgspec.Struct):
    choices: list[_Choice] = []
    error: Any = None


class _Named(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Named]


class ServerModel:
    """A Model behind an address; nothing is sent before `stream`."""

    def __init__(self, profile: Profile, endpoint: Endpoint) -> None:
        self._profile = profile
        self._endpoint = endpoint
        self._base = _base_address(endpoint.url)
        self._server = without_login(self._base)

    @property
    def name(self) -> str:
        """The profile's name."""
        return self._profile.name

    def stream(self, prompt: Prompt, *, progress: Progress) -> Iterator[str]:
        """Yield the answer's text as it arrives; closing the iterator closes the connection.

        Raises ServerError where the server cannot be reached, refuses, breaks off, or does not
        speak the protocol.
        """
        with closing(self._reply(prompt)) as texts:
            progress.start(f"Waiting for {self._server}")
            try:
                first = next(texts, "")
            finally:
                progress.finish()
            yield first
            yield from texts

    def _reply(self, prompt: Prompt) -> Generator[str, None, None]:
        import httpx2

        with _translated(self._server), self._client() as client:
            request = self._request(self._model(client), prompt)
            unlimited = httpx2.Timeout(None, connect=_CONNECT_SECONDS)
            address = f"{self._base}/chat/completions"
            with client.stream("POST", address, json=request, timeout=unlimited) as response:
                _refuse_failure(response, self._server)
                yield from self._texts(response)

    def _texts(self, response: "httpx2.Response") -> Iterator[str]:
        finished = False
        for data in event_data(response.iter_bytes()):
            if data.strip() == _DONE:
                return
            event = self._event(data)
            for choice in event.choices[:1]:
                finished = finished or choice.finish_reason is not None
                if choice.delta.content:
                    yield choice.delta.content
        if not finished:
            raise ServerError(
                f"{self._server} broke off in the middle of its answer",
                remedy="Look at the server's own log, then ask again.",
            )

    def _event(self, data: str) -> _Event:
        try:
            event = msgspec.json.decode(data.encode(), type=_Event)
        except msgspec.DecodeError as error:
            raise ServerError(
                f"{self._server} sent what is not a chat event ({error}): {_clipped(data)}",
                remedy="Name the server's OpenAI-compatible address, which usually ends in /v1.",
            ) from error
        if event.error is not None:
            raise ServerError(
                f"{self._server} failed while answering: {_clipped(_message(event.error))}",
                remedy="Look at the server's own log, then ask again.",
            )
        return event

    def _request(self, model: str, prompt: Prompt) -> dict[str, object]:
        profile = self._profile
        request: dict[str, object] = {
            "model": model,
            "messages": [
                {"role": message.role, "content": message.content} for message in prompt.messages
            ],
            "max_tokens": profile.answer,
            "temperature": profile.temperature,
            "stream": True,
        }
        if profile.top_p != 1:
            request["top_p"] = profile.top_p
        if profile.stop:
            request["stop"] = list(profile.stop)
        return request

    def _model(self, client: "httpx2.Client") -> str:
        """The name to ask for: the user's, or that of the only model served."""
        if self._endpoint.model:
            return self._endpoint.model
        response = client.get(f"{self._base}/models", timeout=_LIST_SECONDS)
        _refuse_failure(response, self._server)
        try:
            models = msgspec.json.decode(response.content, type=_Models).data
        except msgspec.DecodeError as error:
            raise ServerError(
                f"{self._server} does not list its models",
                remedy="Name the one to ask: `model` under [server], or REPOQA_SERVER_MODEL.",
            ) from error
        if len(models) != 1:
            names = ", ".join(model.id for model in models[:_NAMED_MODELS]) or "none"
            raise ServerError(
                f"{self._server} serves {len(models)} models: {_clipped(names)}",
                remedy="Name the one to ask: `model` under [server], or REPOQA_SERVER_MODEL.",
            )
        return models[0].id

    def _client(self) -> "httpx2.Client":
        import httpx2

        key = self._endpoint.key
        if not (key.isascii() and key.isprintable()):
            raise UsageError(
                "the server's key has characters that no key has",
                remedy="Set REPOQA_API_KEY to the key alone, without quotes or line ends.",
            )
        return httpx2.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            # A proxy for the outside world would look for this machine's server on its own.
            trust_env=not _is_this_machine(self._base),
        )


def shown_address(url: str) -> str:
    """Where a server named `url` is asked, without a name and password that it may carry.

    Raises UsageError for what is no address.
    """
    return without_login(_base_address(url))


def _base_address(url: str) -> str:
    """The address that `/chat/completions` is added to; a bare host gets the usual `/v1`."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"{url!r} is not a server's address",
            remedy="Write it as http://localhost:8000/v1.",
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def without_login(address: str) -> str:
    """The address without a name and password that it may carry."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _is_this_machine(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@contextmanager
def _translated(server: str) -> Iterator[None]:
    """Raise the HTTP client's errors as ServerErrors that say what to do."""
    import httpx2

    try:
        yield
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        raise ServerError(
            f"no server answers at {server} ({error})",
            remedy="Start it, or correct the address; `curl` the address to see.",
        ) from error
    except httpx2.ReadTimeout as error:
        raise ServerError(
            f"{server} does not answer the question which models it serves",
            remedy="Name the one to ask: `model` under [server], or REPOQA_SERVER_MODEL.",
        ) from error
    except (httpx2.TransportError, httpx2.DecodingError) as error:
        raise ServerError(
            f"the connection to {server} broke: {error}",
            remedy="Look at the server's own log, then ask again.",
        ) from error


def _refuse_failure(response: "httpx2.Response", server: str) -> None:
    """Raise ServerError for any answer but a good one, with the server's own words."""
    if response.is_success:
        return
    response.read()
    said = _clipped(_message(_decoded(response.content)))
    status = response.status_code
    remedies = {
        401: "Set the server's key in REPOQA_API_KEY.",
        403: "Set a key in REPOQA_API_KEY that may use this model.",
        404: "Correct the address (it usually ends in /v1) or the model's name.",
        413: "Ask with a smaller --budget.",
        429: "Wait a while, then ask again.",
    }
    other = (
        "Look at the server's own log."
        if status >= _SERVER_FAULT
        else "The server's words say what it wants; a prompt too long wants a smaller --budget."
    )
    raise ServerError(
        f"{server} refused with status {status}: {said or response.reason_phrase}",
        remedy=remedies.get(status, other),
    )


def _decoded(content: bytes) -> object:
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        return content.decode("utf-8", "replace")


def _message(said: object) -> str:
    """The words in the several shapes that servers give an error."""
    while isinstance(said, Mapping):
        said = said.get("error") or said.get("message") or said.get("detail") or str(dict(said))
    return str(said)


def _clipped(text: str) -> str:
    """One printable line of a foreign text, not too long for a message."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _KEPT_OF_A_MESSAGE else f"{line[:_KEPT_OF_A_MESSAGE]}..."
