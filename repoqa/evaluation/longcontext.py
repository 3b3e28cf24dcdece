"""How far a model reads: perplexity and retrieval against the length of what it has read.

A text of code is read once for each RoPE scaling. Small functions are planted in it; at each length
the model is asked what those planted before return. Perplexity is that of the last tokens before
each length. The scaling is the one that the longest length needs, so that the shorter lengths show
what it costs where it is not needed.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp
from pathlib import Path
from typing import Any

import msgspec

from repoqa.errors import UsageError
from repoqa.models.profile import Profile, Rope
from repoqa.models.tokens import Codec, codec_of
from repoqa.protocols import Progress

SCORED = 512
"""Tokens before each length whose perplexity is taken."""
POSITIONS = (0.0, 0.25, 0.5, 0.75, 0.95)
"""Where functions are planted, as parts of each length."""
_DIGITS = 4
_ANSWER_TOKENS = 6
_FIRST = ("amber", "copper", "quiet", "northern", "silver", "hollow", "crimson", "distant")
_SECOND = ("harbor", "meadow", "lantern", "orchard", "compass", "glacier", "thicket", "causeway")
_STARTS_A_BLOCK = re.compile(r"^(?=[^\s#)\]}\"'])", re.MULTILINE)


class Asked(msgspec.Struct, frozen=True):
    """A planted function: where it was, as a part of the length, and whether it was found."""

    length: int
    position: float
    found: bool


class Reading(msgspec.Struct, frozen=True):
    """One text read with one scaling. `surprise` is in nats a token, by length in tokens."""

    text: str
    rope: str
    factor: float
    surprise: dict[int, float]
    asked: tuple[Asked, ...]

    def perplexity(self, length: int) -> float:
        """That of the last tokens before this length."""
        return exp(self.surprise[length])


@dataclass(frozen=True, slots=True)
class Planted:
    """A function that returns `number`, to be asked for when `length` tokens have been read."""

    name: str
    number: str
    length: int
    position: float

    @property
    def code(self) -> str:
        """The function as it stands in the text."""
        return f"def {self.name}():\n    return {self.number}\n\n\n"

    @property
    def question(self) -> str:
        """What only who has read the function can go on from."""
        return f"\n\n\nassert {self.name}() == "


@dataclass(frozen=True, slots=True)
class Task:
    """What is measured: a model's profile, where its weights are, and at which lengths."""

    profile: Profile
    checkpoint: Path
    lengths: tuple[int, ...]


def planted(lengths: Sequence[int], *, seed: int) -> list[Planted]:
    """A function for each length and position, no two of one name."""
    chance = random.Random(seed)
    names = [f"{first}_{second}" for first in _FIRST for second in _SECOND]
    chance.shuffle(names)
    if len(names) < len(lengths) * len(POSITIONS):
        most = len(names) // len(POSITIONS)
        raise UsageError(f"{len(lengths)} lengths are too many", remedy=f"Give {most} at most.")
    return [
        Planted(names.pop(), str(chance.randrange(10 ** (_DIGITS - 1), 10**_DIGITS)), *place)
        for place in ((length, position) for length in lengths for position in POSITIONS)
    ]


def with_planted(text: str, functions: Sequence[Planted], codec: Codec) -> list[int]:
    """The tokens of the text, each function before the block of code nearest to its place."""
    blocks = [match.start() for match in _STARTS_A_BLOCK.finditer(text)] or [0]
    pieces = [text[a:b] for a, b in zip(blocks, [*blocks[1:], len(text)], strict=True)]
    ids: list[int] = []
    waiting = sorted(functions, key=lambda function: function.length * function.position)
    for piece in pieces:
        # Each in a piece of its own: the function and the code are then what they are alone.
        while waiting and len(ids) >= waiting[0].length * waiting[0].position:
            ids += codec.encode_joined(waiting.pop(0).code)
        ids += codec.encode_joined(piece)
    return ids


def measure(text: tuple[str, str], task: Task, *, kind: Rope, progress: Progress) -> Reading:
    """Read a text, given as its name and its content, with one scaling.

    Raises UsageError for a text that is too short, ModelError where the model cannot be run.
    """
    from repoqa.models.reading import open_reader

    name, content = text
    codec = codec_of(task.checkpoint, name=task.profile.name)
    functions = planted(task.lengths, seed=len(task.lengths))
    longest = task.lengths[-1]
    ids = with_planted(content, functions, codec)[:longest]
    if len(ids) < longest:
        raise UsageError(
            f"{name} has {len(ids):,} tokens, the longest length is {longest:,}",
            remedy="Give a longer text, or shorter --lengths.",
        )
    profile = replace(task.profile, rope=kind)
    progress.start(f"{name}, {kind}", total=longest, unit="tokens")
    try:
        questions = [codec.encode_joined(function.question) for function in functions]
        tokens = longest + max(map(len, questions)) + _ANSWER_TOKENS
        reader, rope = open_reader(profile, task.checkpoint, tokens=tokens, told=progress.advance)
        surprise: dict[int, float] = {}
        asked: list[Asked] = []
        read = 0
        for length in task.lengths:
            reader.read(ids[read : length - SCORED])
            surprise[length] = reader.surprise(ids[length - SCORED : length])
            read = length
            asked += _ask(reader, codec, [each for each in functions if each.length == length])
    finally:
        progress.finish()
    return Reading(name, kind, rope.factor, surprise, tuple(asked))


def _ask(reader: Any, codec: Codec, functions: Sequence[Planted]) -> Iterator[Asked]:
    for function in functions:
        question = codec.encode_joined(function.question)
        answer = reader.continuation(question, limit=_ANSWER_TOKENS)
        decoder = codec.decoder()
        said = "".join(map(decoder.push, answer)).strip()
        yield Asked(function.length, function.position, said.startswith(function.number))


def best(readings: Sequence[Reading], *, window: int) -> str | None:
    """The scaling with the lowest perplexity past the window, over all texts; None without any
    length past it."""
    past = [length for length in (readings[0].surprise if readings else ()) if length > window]
    if not past:
        return None
    means: dict[str, list[float]] = {}
    for reading in readings:
        means.setdefault(reading.rope, []).extend(reading.surprise[length] for length in past)
    return min(sorted(means), key=lambda kind: sum(means[kind]) / len(means[kind]))
