"""What a way of talking to a model server has to tell: who is served, and how it is asked."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from repoqa.models.profile import Endpoint, Profile
from repoqa.records import Prompt

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True, slots=True)
class Served:
    """The model to ask for. `window` is how many tokens the server reads and writes together,
    `theta` the RoPE base it runs with; None where it does not tell."""

    model: str
    window: int | None = None
    theta: float | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """A client and the address it talks to. `server` is the address as it may be shown, `seconds`
    how long the server may take to say what it serves."""

    client: "httpx2.Client"
    base: str
    server: str
    endpoint: Endpoint
    seconds: float


class Dialect(Protocol):
    """A server's protocol."""

    def served(self, door: Door) -> Served:
        """The model to ask, and what is told of it. Raises ServerError where that is unclear."""
        ...

    def address(self, base: str) -> str:
        """Where a chat is sent."""
        ...

    def request(
        self, prompt: Prompt, served: Served, *, profile: Profile, answer: int
    ) -> dict[str, object]:
        """The prompt as the server wants it; at most `answer` tokens are to be written."""
        ...

    def texts(self, chunks: Iterable[bytes], server: str) -> Generator[str, None, int | None]:
        """Yield the answer's text; returns how many tokens of the prompt were read, if told.

        Raises ServerError for what is not its protocol, and for an answer that breaks off.
        """
        ...
