"""The parts of a Hugging Face tokenizer.json that tell its shape and its vocabulary.

Vocabulary and merges are megabytes, so they stay undecoded until a known shape asks for them.
"""

from typing import Any

import msgspec


class Control(msgspec.Struct, frozen=True):
    """A token that stands for itself and is never made by merging."""

    id: int
    content: str


class BpeModel(msgspec.Struct, frozen=True):
    """The `model` table, with the keys that change how BPE merges."""

    type: str = ""
    vocab: msgspec.Raw = msgspec.Raw(b"{}")
    merges: msgspec.Raw = msgspec.Raw(b"[]")
    byte_fallback: bool | None = None
    dropout: float | None = None
    continuing_subword_prefix: str | None = None
    end_of_word_suffix: str | None = None
    ignore_merges: bool | None = None

    @property
    def is_altered(self) -> bool:
        """Whether anything but the merges' order decides how characters come together."""
        altering = (self.dropout, self.continuing_subword_prefix, self.end_of_word_suffix)
        return self.type != "BPE" or any(altering) or self.ignore_merges is True


class TokenizerJson(msgspec.Struct, frozen=True):
    """A tokenizer.json. `normalizer` and `pre_tokenizer` are tables as they stand there."""

    model: BpeModel
    added_tokens: list[Control] = []
    normalizer: Any = None
    pre_tokenizer: Any = None

    @property
    def controls(self) -> dict[str, int]:
        """The ids of the tokens that text must never become, by name."""
        return {token.content: token.id for token in self.added_tokens}

    def pieces(self) -> dict[str, int]:
        """The ids of the ordinary pieces, written as the file writes them."""
        ids = msgspec.json.decode(self.model.vocab, type=dict[str, int])
        for control in self.controls:
            ids.pop(control, None)
        return ids

    def merges(self) -> list[str]:
        """What each merge makes, in order."""
        pairs = msgspec.json.decode(self.model.merges, type=list[str | tuple[str, str]])
        return ["".join(pair.split(" ") if isinstance(pair, str) else pair) for pair in pairs]


def parse(content: bytes) -> TokenizerJson:
    """The tokenizer.json in `content`. Raises msgspec.DecodeError where it is not one."""
    return msgspec.json.decode(content, type=TokenizerJson)
