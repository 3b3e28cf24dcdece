"""Measures how fast repoqa counts tokens, against the tokenizers library on the same files.

    python benchmarks/token_speed.py TOKENIZER_FOLDER FILE...

Prints megabytes per CPU-second of each (the best of several rounds, on one thread), and on how many
of the files the token ids are the same.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from repoqa.models.tokens import codec_of
from repoqa.parsing.text import decode

ROUNDS = 3
MEGABYTE = 1_000_000


def best_seconds(encode: Callable[[str], object], texts: Sequence[str]) -> float:
    """The least CPU time in which `encode` went through the texts."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for text in texts:
            encode(text)
        rounds.append(time.process_time() - began)
    return min(rounds)


def main() -> None:
    """Print both speeds, their ratio and how many files agree."""
    folder, files = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    texts = [text for path in files if (text := decode(path.read_bytes()))]
    size = sum(len(text.encode()) for text in texts) / MEGABYTE
    codec = codec_of(folder, name=folder.name)
    library = Tokenizer.from_file(str(folder / "tokenizer.json"))
    library.encode_special_tokens = True

    def reference(text: str) -> list[int]:
        return list(library.encode(text, add_special_tokens=False).ids)

    same = sum(codec.encode(text) == reference(text) for text in texts)
    ours, theirs = best_seconds(codec.count, texts), best_seconds(reference, texts)
    print(f"{len(texts):,} files, {size:.1f} MB; the same ids in {same:,}")
    print(f"repoqa     {size / ours:.1f} MB per CPU-second")
    print(f"tokenizers {size / theirs:.1f} MB per CPU-second ({theirs / ours:.1f} times slower)")


if __name__ == "__main__":
    main()
