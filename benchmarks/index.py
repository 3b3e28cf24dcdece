"""What indexing takes: how it grows with a repository, and against the peers on a real tree.

    python benchmarks/index.py growth SOURCE [SOURCE ...] [--files 1000 10000 100000]
    python benchmarks/index.py peers TREE [--aider PYTHON] [--rounds 3]

`growth` makes repositories of real text from the SOURCE folders and runs `repoqa pack` in them
cold, warm, and after one file changed. `peers` clones TREE and runs, in turn, repoqa, aider's
repository map (PYTHON is of an environment that holds aider), ctags and ripgrep, and the floor:
tree-sitter alone, on two processes. Other programs that run meanwhile lengthen wall times; the
ratios of CPU times hold.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from running import Cost, middle, run
from synthetic import blocks_of, make

QUESTION = "parse error in the config of the connection, expected a number"
WARM_RUNS = 5
NO_LIMIT = "1TB"
FLOOR_PROCESSES = 2
# Its own model's tokenizer counts, and its table of models is the one it brings along: nothing is
# fetched.
AIDER = """
import os, sys
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
from pathlib import Path
from aider.io import InputOutput
from aider.models import Model
from aider.repomap import RepoMap
root = sys.argv[1]
files = [str(Path(root) / line) for line in sys.stdin.read().split(chr(10)) if line]
given = InputOutput(yes=True, pretty=False)
shown = RepoMap(1024, root, Model("gpt-4o"), given).get_repo_map([], files)
print(len(shown or ""))
"""
# Each file parsed and nothing else; the files are dealt out to the processes.
TREES = """
import sys
from repoqa.parsing import grammar, languages
number, processes, paths = int(sys.argv[1]), int(sys.argv[2]), sys.stdin.read().split(chr(10))
for path in paths[number::processes]:
    content = open(path, "rb").read() if path else b""
    language = languages.detect(path, content)
    if language:
        grammar.load(language).parser().parse(content)
"""


def main() -> None:
    """Read the arguments and run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, help="where to work; else a temporary folder")
    parser.add_argument("--question", default=QUESTION)
    commands = parser.add_subparsers(dest="command", required=True)
    growing = commands.add_parser("growth")
    growing.add_argument("sources", nargs="+", type=Path)
    growing.add_argument("--files", nargs="+", type=int, default=[1000, 10_000, 100_000])
    against = commands.add_parser("peers")
    against.add_argument("tree", type=Path)
    against.add_argument("--aider", type=Path)
    against.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.work) as folder:
        if chosen.command == "growth":
            growth(chosen, Path(folder))
        else:
            peers(chosen, Path(folder))


class Repoqa:
    """`repoqa pack` in one repository, with a cache of its own."""

    def __init__(self, root: Path, cache: Path, question: str) -> None:
        self.root, self.cache, self.question = root, cache, question

    def cold(self) -> Cost:
        """Without a cache."""
        shutil.rmtree(self.cache, ignore_errors=True)
        return self.ask()[0]

    def ask(self) -> tuple[Cost, dict[str, float]]:
        """With the cache as it is; also what repoqa itself says of its stages."""
        command = [sys.executable, "-m", "repoqa", "pack", "--json", "--no-stdin", self.question]
        settings = {"REPOQA_CACHE_DIR": str(self.cache), "REPOQA_CACHE_LIMIT": NO_LIMIT}
        cost, output = run(command, folder=self.root, environment=settings)
        return cost, json.loads(output)["run"]["seconds"]

    def cache_size(self) -> float:
        """Of the cache, in MB."""
        return megabytes(self.cache)


def growth(chosen: argparse.Namespace, folder: Path) -> None:
    """Print what each size of repository takes, and how that grows."""
    blocks = blocks_of(chosen.sources)
    earlier: tuple[int, float] | None = None
    for files in chosen.files:
        root = folder / str(files)
        make(root, files, blocks)
        source = megabytes(root) - megabytes(root / ".git")
        tool = Repoqa(root, folder / f"cache-{files}", chosen.question)
        cold = tool.cold()
        print(f"{files:,} files, {source:.0f} MB of source")
        print(f"  cold             {cold}  {files / cold.cpu:.0f} files per CPU second")
        if earlier:
            linear = earlier[1] * files / earlier[0]
            print(f"  cold CPU time is {cold.cpu / linear:.2f} x linear growth from {earlier[0]:,}")
        earlier = (files, cold.cpu)
        asked = [tool.ask() for _ in range(WARM_RUNS)]
        print(f"  warm             {middle([cost for cost, _ in asked])}")
        print(f"  warm stages      {stages([seconds for _, seconds in asked])}")
        print(f"  one file changed {middle(list(changed(tool)))}")
        size = tool.cache_size()
        print(f"  cache            {size:.0f} MB, {size / source:.2f} x the source", flush=True)
        shutil.rmtree(root)
        shutil.rmtree(tool.cache)


def changed(tool: Repoqa) -> Iterator[Cost]:
    """The cost of a question after each of some changes to one file."""
    listed = subprocess.run(["git", "ls-files"], cwd=tool.root, check=True, capture_output=True)
    path = tool.root / listed.stdout.decode().split("\n")[0]
    for number in range(WARM_RUNS):
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n# changed {number}\n")
        yield tool.ask()[0]


def stages(asked: Sequence[dict[str, float]]) -> str:
    """The median seconds of repoqa's own stages."""
    middles = {name: sorted(some[name] for some in asked)[len(asked) // 2] for name in asked[0]}
    return ", ".join(f"{name} {seconds:.3f}" for name, seconds in middles.items())


def peers(chosen: argparse.Namespace, folder: Path) -> None:
    """Print what repoqa and its peers take on a clone of a tree, in turn, and the ratios."""
    root = folder / "tree"
    subprocess.run(["git", "clone", "--quiet", chosen.tree.resolve(), root], check=True)
    tool = Repoqa(root, folder / "cache", chosen.question)
    contenders = contenders_of(chosen, tool)
    costs: dict[str, list[Cost]] = {name: [] for name in contenders}
    for _ in range(chosen.rounds):
        for name, measure in contenders.items():
            costs[name].append(measure())
    middles = {name: middle(some) for name, some in costs.items()}
    for name, cost in middles.items():
        print(f"{name:34} {cost}")
    for state in ("cold", "warm"):
        ours, theirs = middles[f"repoqa, {state}"], middles.get(f"aider's map, {state}")
        if theirs:
            print(
                f"repoqa, {state}: {theirs.wall / ours.wall:.1f} x faster than aider's map, "
                f"in {ours.cpu / theirs.cpu:.2f} x its CPU time"
            )
    floor = middles["tree-sitter alone, two processes"]
    print(f"repoqa, cold: {middles['repoqa, cold'].cpu / floor.cpu:.2f} x tree-sitter's CPU time")
    print_cold_stages(root)


def contenders_of(chosen: argparse.Namespace, tool: Repoqa) -> dict[str, Callable[[], Cost]]:
    """What is measured, by name, in the order of a round: cold comes before warm."""
    root = tool.root
    contenders = {"repoqa, cold": tool.cold, "repoqa, warm": lambda: tool.ask()[0]}
    if chosen.aider:
        contenders["aider's map, cold"] = lambda: aider(chosen.aider, root, warm=False)
        contenders["aider's map, warm"] = lambda: aider(chosen.aider, root, warm=True)
    contenders["tree-sitter alone, two processes"] = lambda: trees(root)
    if shutil.which("ctags"):
        command = ["ctags", "-R", "--exclude=.git", "--exclude=.aider*", "-f", "/dev/null", "."]
        contenders["ctags"] = lambda: run(command, folder=root)[0]
    if shutil.which("rg"):
        words = ["rg", "--count", "parse|error|config|connection|number", "."]
        contenders["ripgrep, the question's words"] = lambda: run(words, folder=root)[0]
    return contenders


def listed(root: Path) -> str:
    """The files of a repository, a line each."""
    command = ["git", "ls-files"]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


def aider(python: Path, root: Path, *, warm: bool) -> Cost:
    """Aider's repository map of all files; cold without the tags that it caches in the tree."""
    if not warm:
        for cache in root.glob(".aider.tags.cache*"):
            shutil.rmtree(cache)
    script = 'files=$(git ls-files) && printf \'%s\' "$files" | "$0" -c "$1" "$2"'
    return run(["sh", "-c", script, python.absolute(), AIDER, root], folder=root)[0]


def trees(root: Path) -> Cost:
    """Bare parsing of every file that has a grammar, dealt out to some processes."""
    starting = " & ".join(
        f'git ls-files | "$0" -c "$1" {number} {FLOOR_PROCESSES}'
        for number in range(FLOOR_PROCESSES)
    )
    return run(["sh", "-c", f"{starting} & wait", sys.executable, TREES], folder=root)[0]


def print_cold_stages(root: Path) -> None:
    """Print how the CPU time of one process divides, file by file, without reading and storing."""
    from repoqa.index.record import analyze, pack
    from repoqa.parsing import grammar, languages
    from repoqa.parsing.parse import parse

    seconds = dict.fromkeys(("tree", "symbols and references", "terms", "packing"), 0.0)
    for path in listed(root).splitlines():
        content = (root / path).read_bytes() if (root / path).is_file() else b""
        language = languages.detect(path, content)
        clock = [time.process_time()]
        if language:
            grammar.load(language).parser().parse(content)
        clock.append(time.process_time())
        parse(path, content)
        clock.append(time.process_time())
        record = analyze(path, content)
        clock.append(time.process_time())
        pack(record)
        clock.append(time.process_time())
        tree, parsed, analyzed, packed = (b - a for a, b in zip(clock, clock[1:], strict=False))
        for name, spent in zip(
            seconds, (tree, parsed - tree, analyzed - parsed, packed), strict=True
        ):
            seconds[name] += spent
    total = sum(seconds.values())
    shares = ", ".join(
        f"{name} {part:.1f} s ({part / total:.0%})" for name, part in seconds.items()
    )
    print(f"one process, CPU time: {shares}")


def megabytes(folder: Path) -> float:
    """The size of the files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    main()
