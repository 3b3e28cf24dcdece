"""Makes repositories of any number of files from real source text.

File n is the same in a repository of any size: blocks (functions, classes, runs of statements) of
real files of one language, in an order of their own, about a hundred lines of them.
"""

import random
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".py", ".js", ".ts", ".java", ".go", ".rs", ".c", ".h", ".cpp", ".rb", ".md")
LINES = (20, 180)  # of a file: 100 on average
LONGEST_BLOCK = 120
FILES_PER_FOLDER = 25
LARGEST_SOURCE = 400_000  # bytes: longer files are tables of numbers
GIT = ("git", "-c", "core.autocrlf=false", "-c", "gc.auto=0")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of a real file that belong together, and the names the file and its folder had."""

    text: str
    stem: str
    folder: str


def blocks_of(sources: Iterable[Path]) -> dict[str, list[Block]]:
    """The blocks of the files below some folders, by suffix."""
    found: dict[str, list[Block]] = defaultdict(list)
    for source in sources:
        for path in sorted(source.rglob("*")):
            if path.suffix in SUFFIXES and path.is_file() and not path.is_symlink():
                found[path.suffix] += _blocks(path)
    return {suffix: blocks for suffix, blocks in sorted(found.items()) if len(blocks) > 1}


def _blocks(path: Path) -> Iterator[Block]:
    if path.stat().st_size > LARGEST_SOURCE:
        return
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    start = 0
    for number in range(1, len(lines) + 1):
        ends = number == len(lines) or (not lines[number - 1] and lines[number][:1].strip())
        if ends and any(lines[start:number]):
            if number - start <= LONGEST_BLOCK:
                text = "\n".join(lines[start:number])
                yield Block(text, path.stem, path.parent.name)
            start = number


def make(root: Path, files: int, blocks: dict[str, list[Block]]) -> None:
    """Write a repository with one commit of `files` files at `root`."""
    root.mkdir(parents=True)
    suffixes = list(blocks)
    weights = [len(blocks[suffix]) for suffix in suffixes]
    for number in range(files):
        chooser = random.Random(number)
        suffix = chooser.choices(suffixes, weights)[0]
        path, text = _file(number, chooser, blocks[suffix])
        place = root / f"{path}{suffix}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "Made"]):
        author = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.org")
        subprocess.run([*GIT, *author, *command], cwd=root, check=True)


def _file(number: int, chooser: random.Random, blocks: list[Block]) -> tuple[str, str]:
    wanted, lines = chooser.randint(*LINES), 0
    chosen: list[Block] = []
    while lines < wanted:
        chosen.append(chooser.choice(blocks))
        lines += chosen[-1].text.count("\n") + 1
    first = chosen[0]
    group = number // FILES_PER_FOLDER
    parent = random.Random(-group).choice(blocks).folder or "root"
    path = f"{parent}_{group // FILES_PER_FOLDER}/{parent}_{group}/{first.stem}_{number}"
    return path, "\n".join(block.text for block in chosen) + "\n"
