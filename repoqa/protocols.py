"""The seams: small Protocols that stages are handed, so that none names a concrete class."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from repoqa.records import ParsedFile, Prompt


class CodeSource(Protocol):
    """The indexed files of one snapshot, as packing and citation checking read them."""

    @property
    def paths(self) -> Sequence[str]:
        """Every indexed path, sorted."""
        ...

    def parsed(self, path: str) -> ParsedFile:
        """The parsed file. Raises KeyError for a path that is not indexed."""
        ...

    def lines(self, path: str) -> Sequence[str]:
        """The file's decoded lines without their ends. Raises KeyError likewise."""
        ...

    def source_lines(self, path: str) -> Sequence[str]:
        """The same lines as the file has them, whatever `lines` keeps back: to tell how long they
        are, never to be shown."""
        ...

    def defined(self, name: str) -> Sequence[str]:
        """The sorted paths that define a symbol of this name (qualified, or its last part)."""
        ...


class Tokenizer(Protocol):
    """Counts and encodes text for one model. Encoding never yields control tokens."""

    @property
    def name(self) -> str:
        """What the tokens are called in output: `smollm2`, `llama`, `cl100k x 1.42`."""
        ...

    @property
    def exact(self) -> bool:
        """Whether these are the model's own tokens."""
        ...

    def count(self, text: str) -> int:
        """The number of tokens of `text`; an upper bound where not `exact`."""
        ...

    def encode(self, text: str) -> list[int]:
        """The token ids of `text`, without control tokens."""
        ...

    def control(self, text: str) -> list[int]:
        """The token ids of a chat format's own text, control tokens among them."""
        ...


class Progress(Protocol):
    """What long work reports to; the default does nothing. One stage is open at a time."""

    def start(self, stage: str, *, total: int | None = None, unit: str = "") -> None:
        """Begin a stage, `total` units long where that is known."""
        ...

    def advance(self, amount: int = 1) -> None:
        """`amount` more units of the stage are done."""
        ...

    def finish(self) -> None:
        """The stage is done."""
        ...


class Silent:
    """The Progress that shows nothing."""

    def start(self, stage: str, *, total: int | None = None, unit: str = "") -> None:
        """Show nothing."""

    def advance(self, amount: int = 1) -> None:
        """Show nothing."""

    def finish(self) -> None:
        """Show nothing."""


class Model(Protocol):
    """Something that continues a prompt."""

    @property
    def name(self) -> str:
        """The profile's name."""
        ...

    def stream(self, prompt: Prompt, *, progress: Progress) -> Iterator[str]:
        """Yield the answer's text as it is generated; closing the iterator stops generation.

        Raises ModelError or ServerError. Prefill is reported to `progress` in tokens.
        """
        ...
