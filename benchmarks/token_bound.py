"""Measures how far a bound counted from cl100k tokens lies above a model's own tokens.

    python benchmarks/token_bound.py TOKENIZER_FOLDER FACTOR FILE...

For the files, and for prompts mixed of 30-line pieces of them: the factor each would have needed
(`tokens_per_cl100k`), how many are above FACTOR, and by how much FACTOR counts too many overall.
"""

import random
import sys
from collections.abc import Sequence
from pathlib import Path

from repoqa.models.estimate import EstimatedTokenizer
from repoqa.models.tokens import codec_of
from repoqa.parsing.text import decode
from repoqa.protocols import Tokenizer

SMALLEST = 1_500  # characters: below, a single odd word decides
PIECE_LINES = 30
PIECES = 12
PROMPTS = 2_000


def mixed(texts: Sequence[str], chance: random.Random) -> str:
    """A prompt's worth of pieces of random files."""
    pieces = []
    for _ in range(PIECES):
        lines = chance.choice(texts).split("\n")
        start = chance.randrange(len(lines))
        pieces.append("\n".join(lines[start : start + PIECE_LINES]))
    return "\n".join(pieces)


def report(title: str, texts: Sequence[str], exact: Tokenizer, *, factor: float) -> None:
    """Print what the bound is to the true counts of `texts`."""
    bound = EstimatedTokenizer(factor)
    true = [exact.count(text) for text in texts]
    counted = [bound.count(text) for text in texts]
    below = sum(low < high for low, high in zip(counted, true, strict=True))
    worst = max(high / low for low, high in zip(counted, true, strict=True))
    print(
        f"{title}: {len(texts)} counted, {below} below the true count (worst {worst:.3f} of the "
        f"bound), {sum(counted) / sum(true) - 1:.1%} too many overall"
    )


def main() -> None:
    folder, factor, *paths = sys.argv[1:]
    exact = codec_of(Path(folder), name="exact")
    decoded = (decode(Path(path).read_bytes()) for path in paths)
    texts = [text for text in decoded if text and len(text) >= SMALLEST]
    chance = random.Random(0)
    report("files", texts, exact, factor=float(factor))
    report("prompts", [mixed(texts, chance) for _ in range(PROMPTS)], exact, factor=float(factor))


if __name__ == "__main__":
    main()
