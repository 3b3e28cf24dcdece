"""Any other tokenizer.json, run by the `tokenizers` library: exact, at a sixth of the speed."""

from pathlib import Path

from tokenizers import Tokenizer as Backend
from tokenizers.decoders import DecodeStream


class StreamDecoder:
    """Turns token ids into text one by one, never giving out half a character."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._stream = DecodeStream(skip_special_tokens=True)

    def push(self, token: int) -> str:
        """The text that is whole now; "" for a control token or an unfinished character."""
        return self._stream.step(self._backend, token) or ""

    def finish(self) -> str:
        """What is left: an unfinished character is dropped."""
        return ""


class LibraryTokenizer:
    """A Tokenizer over a tokenizer.json of a shape that has no quicker form here."""

    exact = True

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._backend = Backend.from_file(str(path))
        self._backend.no_truncation()
        self._backend.no_padding()
        self._controls = {
            token.content: number
            for number, token in self._backend.get_added_tokens_decoder().items()
        }

    def count(self, text: str) -> int:
        """The number of tokens of `text`."""
        return len(self.encode(text))

    def encode(self, text: str) -> list[int]:
        """The token ids of `text`; a control token's name in it is text like any other."""
        self._backend.encode_special_tokens = True
        return self._ids(text)

    def encode_joined(self, text: str) -> list[int]:
        """The same as `encode`: what such a tokenizer puts before a text is not known here."""
        return self.encode(text)

    def control(self, text: str) -> list[int]:
        """The token ids of a chat format's own text, control tokens among them."""
        self._backend.encode_special_tokens = False
        return self._ids(text)

    def control_id(self, text: str) -> int | None:
        """The id of the control token of that name, if there is one."""
        return self._controls.get(text)

    def decoder(self, *, joined: bool = False) -> StreamDecoder:
        """A decoder for one stream of ids; `joined` or not, as the library has it."""
        return StreamDecoder(self._backend)

    def _ids(self, text: str) -> list[int]:
        whole = text.encode("utf-8", "replace").decode("utf-8")
        return list(self._backend.encode(whole, add_special_tokens=False).ids)
