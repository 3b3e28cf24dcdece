"""The engine that asks a model server: an OpenAI-compatible one, or Ollama by its own protocol.

A server may read a long prompt for minutes before its first token, and a retry would start that
again: so there is no time limit on reading, and nothing is ever sent twice. Whoever waits can stop
at any time by closing the stream, which closes the connection and with it the server's work.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from repoqa.errors import UsageError
from repoqa.models.addresses import base_address, is_this_machine, without_login
from repoqa.models.dialect import Dialect, Door
from repoqa.models.fit import answer_tokens, refuse_wrong_theta, tell_truncation
from repoqa.models.ollama_chat import OllamaChat
from repoqa.models.openai_chat import OpenAiChat
from repoqa.models.profile import Endpoint, Profile
from repoqa.models.refusals import refuse_failure, translated
from repoqa.protocols import Progress
from repoqa.records import Prompt

if TYPE_CHECKING:
    import httpx2

_CONNECT_SECONDS = 10.0
_LIST_SECONDS = 30.0


def _unheard(text: str) -> None:
    """What the user could be told is not said."""


class ServerModel:
    """A Model behind an address; nothing is sent before `stream`.

    `note` is told where the server's window shortens the answer, and where it cut the prompt.
    `seconds` is how long it may take to say what it serves.
    """

    def __init__(
        self,
        profile: Profile,
        endpoint: Endpoint,
        *,
        note: Callable[[str], None] = _unheard,
        seconds: float = _LIST_SECONDS,
    ) -> None:
        self._profile = profile
        self._endpoint = endpoint
        self._note = note
        self._seconds = seconds
        self._base = base_address(endpoint.url)
        self._server = without_login(self._base)
        self._dialect: Dialect = OllamaChat() if profile.protocol == "ollama" else OpenAiChat()

    @property
    def name(self) -> str:
        """The profile's name."""
        return self._profile.name

    def stream(self, prompt: Prompt, *, progress: Progress) -> Iterator[str]:
        """Yield the answer's text as it arrives; closing the iterator closes the connection.

        Raises ServerError where the server cannot be reached, cannot read so much, refuses, breaks
        off, or does not speak the protocol.
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

        with translated(self._server), self._client() as client:
            request = self._request(prompt, client)
            unlimited = httpx2.Timeout(None, connect=_CONNECT_SECONDS)
            address = self._dialect.address(self._base)
            with client.stream("POST", address, json=request, timeout=unlimited) as response:
                refuse_failure(response, self._server)
                read = yield from self._dialect.texts(response.iter_bytes(), self._server)
        tell_truncation(read, prompt, server=self._server, note=self._note)

    def _request(self, prompt: Prompt, client: "httpx2.Client") -> dict[str, object]:
        door = Door(client, self._base, self._server, self._endpoint, self._seconds)
        served = self._dialect.served(door)
        refuse_wrong_theta(self._profile, served, self._server)
        answer = answer_tokens(prompt, served, self._profile, server=self._server, note=self._note)
        return self._dialect.request(prompt, served, profile=self._profile, answer=answer)

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
            trust_env=not is_this_machine(self._base),
        )
