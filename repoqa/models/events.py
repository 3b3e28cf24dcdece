"""Server-sent events: the data of each, from the bytes of a response as they arrive.

After the WHATWG specification (HTML, section 9.2), for the parts that model servers use: `data`
fields and comments. Lines are cut as bytes and decoded whole, so a character may lie across two
chunks, and U+2028 inside a line does not end it.
"""

from collections.abc import Iterable, Iterator


def event_data(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield each event's data. What follows the last blank line is an event as well."""
    fields: list[bytes] = []
    for line in _lines(chunks):
        if line.startswith(b"data:"):
            fields.append(line.removeprefix(b"data:").removeprefix(b" "))
        elif not line and fields:
            yield b"\n".join(fields).decode("utf-8", "replace")
            fields = []
    if fields:
        yield b"\n".join(fields).decode("utf-8", "replace")


def lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield each line without its end, as servers send JSON a line."""
    for line in _lines(chunks):
        yield line.decode("utf-8", "replace")


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.removesuffix(b"\r") for line in whole)
    if rest:
        yield rest.removesuffix(b"\r")
