"""What goes wrong between here and a model server, as errors that say what to do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from repoqa.errors import ServerError

if TYPE_CHECKING:
    import httpx2

_KEPT_OF_A_MESSAGE = 300  # characters
_SERVER_FAULT = 500
LOOK = "Look at the server's own log, then ask again."


@contextmanager
def translated(server: str) -> Iterator[None]:
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
            remedy=LOOK,
        ) from error


def broke_off(server: str) -> ServerError:
    """The error of an answer without an end."""
    return ServerError(f"{server} broke off in the middle of its answer", remedy=LOOK)


def refuse_failure(response: "httpx2.Response", server: str) -> None:
    """Raise ServerError for any answer but a good one, with the server's own words."""
    if response.is_success:
        return
    response.read()
    said = clipped(message_of(_decoded(response.content)))
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


def message_of(said: object) -> str:
    """The words in the several shapes that servers give an error."""
    while isinstance(said, Mapping):
        said = said.get("error") or said.get("message") or said.get("detail") or str(dict(said))
    return str(said)


def clipped(text: str) -> str:
    """One printable line of a foreign text, not too long for a message."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _KEPT_OF_A_MESSAGE else f"{line[:_KEPT_OF_A_MESSAGE]}..."
