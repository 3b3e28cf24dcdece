"""A model's vocabulary in the form tiktoken encodes with, and the tokenizer made of it.

Text never becomes control tokens: `encode` knows ordinary pieces only. Exact for a vocabulary
whose merges are ordered by rank; building one from a model's files is another module's work.
"""

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

# tiktoken's pattern engine keeps a backtracking entry for each character of a run of whitespace
# and panics at a million of them.
_LONGEST_BLANK = 500_000
_LONG_BLANK = re.compile(rf"\s{{{_LONGEST_BLANK}}}(?=\s)")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Pieces as bytes with their merge ranks, and how text is cut before merging.

    `ids` tells the token ids of ranks that are not themselves a token id: none for bytes that
    the model has no token for, several for a part of a character that only exists while merging.
    `aliases` are replaced in text before it is encoded; `prefix` is put before it, and one is
    taken off what is decoded.
    """

    ranks: dict[bytes, int]
    pattern: str
    ids: Mapping[int, tuple[int, ...]]
    controls: Mapping[str, int]
    prefix: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)


def ordinary_ranks(encoding: "tiktoken.Encoding", text: str) -> list[int]:
    """The ranks of `text`, none of them a special token's; blanks of any length are fine."""
    if len(text) <= _LONGEST_BLANK:
        return encoding.encode_ordinary(text)
    ranks = []
    start = 0
    for blank in _LONG_BLANK.finditer(text):
        ranks += encoding.encode_ordinary(text[start : blank.end()])
        start = blank.end()
    return ranks + encoding.encode_ordinary(text[start:])


class TextDecoder:
    """Turns token ids into text one by one, never giving out half a character."""

    def __init__(self, pieces: Mapping[int, bytes], prefix: str) -> None:
        self._pieces = pieces
        self._prefix = prefix
        self._bytes = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def push(self, token: int) -> str:
        """The text that is whole now; "" for a control token or an unfinished character."""
        return self._without_prefix(self._bytes.decode(self._pieces.get(token, b"")))

    def finish(self) -> str:
        """What is left: "" or a replacement character for a character never finished."""
        return self._without_prefix(self._bytes.decode(b"", final=True))

    def _without_prefix(self, text: str) -> str:
        if not text:
            return ""
        prefix, self._prefix = self._prefix, ""
        return text.removeprefix(prefix)


class RankedTokenizer:
    """A Tokenizer over a Vocabulary: exact, and quick for megabytes of text."""

    exact = True

    def __init__(self, name: str, vocabulary: Vocabulary) -> None:
        import tiktoken

        self.name = name
        self._vocabulary = vocabulary
        self._plural = {rank for rank, ids in vocabulary.ids.items() if len(ids) != 1}
        self._encoding = tiktoken.Encoding(
            name,
            pat_str=vocabulary.pattern,
            mergeable_ranks=vocabulary.ranks,
            special_tokens={},
        )
        longest_first = sorted(vocabulary.controls, key=lambda text: (-len(text), text))
        self._controls = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def count(self, text: str) -> int:
        """The number of tokens of `text`."""
        ranks = self._ranks(text)
        if self._plural.isdisjoint(ranks):
            return len(ranks)
        ids = self._vocabulary.ids
        return sum(len(ids[rank]) if rank in self._plural else 1 for rank in ranks)

    def encode(self, text: str) -> list[int]:
        """The token ids of `text`; a control token's name in it is text like any other."""
        return self._ids(self._ranks(text))

    def encode_joined(self, text: str) -> list[int]:
        """The token ids of text that stands right behind other text: SentencePiece puts a space
        before a text of its own, and none here."""
        return self._ids(self._ranks(text, prefix=""))

    def _ids(self, ranks: list[int]) -> list[int]:
        ids = self._vocabulary.ids
        if ids.keys().isdisjoint(ranks):
            return ranks
        return [token for rank in ranks for token in ids.get(rank, (rank,))]

    def control(self, text: str) -> list[int]:
        """The token ids of a chat format's own text, control tokens among them."""
        return list(self._with_controls(text))

    def decoder(self, *, joined: bool = False) -> TextDecoder:
        """A decoder for one stream of ids; `joined`: its text stands right behind other text."""
        return TextDecoder(self._pieces, "" if joined else self._vocabulary.prefix)

    def control_id(self, text: str) -> int | None:
        """The id of the control token of that name, if there is one."""
        return self._vocabulary.controls.get(text)

    @cached_property
    def _pieces(self) -> dict[int, bytes]:
        ids = self._vocabulary.ids
        return {
            ids[rank][0] if rank in ids else rank: piece
            for piece, rank in self._vocabulary.ranks.items()
            if rank not in self._plural
        }

    def _with_controls(self, text: str) -> Iterator[int]:
        start = 0
        for match in self._controls.finditer(text):
            yield from self.encode(text[start : match.start()])
            yield self._vocabulary.controls[match.group()]
            start = match.end()
        yield from self.encode(text[start:])

    def _ranks(self, text: str, *, prefix: str | None = None) -> list[int]:
        if not text:
            return []
        for alias, meaning in self._vocabulary.aliases.items():
            text = text.replace(alias, meaning)
        prefix = self._vocabulary.prefix if prefix is None else prefix
        return ordinary_ranks(self._encoding, prefix + text)
