"""How well the right code is found: the measures by hand, and the command on a real repository."""

import json
from pathlib import Path

import pytest
from commands import repoqa
from conftest import RepositoryMaker, git
from memory_code import MemoryCode

from repoqa.errors import UsageError
from repoqa.evaluation.localize import (
    coverage,
    gold_functions,
    hits,
    plain_hits,
)
from repoqa.evaluation.reports import Gold, Report, find_clone, read
from repoqa.evidence import question as evidence
from repoqa.index.build import build
from repoqa.index.store import Store
from repoqa.parsing.functions import outer_functions
from repoqa.protocols import Silent
from repoqa.ranking.rank import rank
from repoqa.records import Excerpt, RankedFile, RankedSymbol, Ranking, Symbol
from repoqa.repository.snapshot import open_snapshot

SOURCE = """\
class Cart:
    size = 0

    def total(self):
        def add(item):
            return item
        return add(self.size)

    def empty(self):
        self.size = 0


def main():
    return Cart().total()
"""
CODE = {"cart.py": SOURCE, "other.py": "def other():\n    return 1\n"}


def report(*gold: Gold) -> Report:
    return Report("shop-1", "python", "ada/shop", "ada/shop", "HEAD", "total is wrong", gold)


def symbol(name: str, start: int, end: int) -> Symbol:
    return Symbol(name, "method" if "." in name else "function", start, end, header_end=start)


def ranking(files: list[str], symbols: list[tuple[str, Symbol]]) -> Ranking:
    return Ranking(
        tuple(RankedFile(path, 1.0, {}) for path in files),
        tuple(RankedSymbol(path, found, 1.0, {}) for path, found in symbols),
    )


def test_gold_functions_are_the_outer_ones_that_the_fix_touched() -> None:
    code = MemoryCode(CODE)
    found = gold_functions(report(Gold("cart.py", ((5, 6), (2, 2)))), code)
    assert {(place.path, place.start) for place in found} == {("cart.py", 4)}
    assert gold_functions(report(Gold("cart.py", ((2, 2),))), code) == set()
    assert gold_functions(report(Gold("gone.py", ((1, 9),))), code) == set()


def test_nested_functions_belong_to_the_one_around_them() -> None:
    names = [found.name for found in outer_functions(MemoryCode(CODE).parsed("cart.py").symbols)]
    assert names == ["Cart.total", "Cart.empty", "main"]


def test_all_gold_places_have_to_be_found() -> None:
    fix = report(Gold("cart.py", ((4, 4), (9, 9))), Gold("other.py", ((1, 1),)))
    found = ranking(
        ["docs.md", "cart.py", "other.py"],
        [
            ("cart.py", symbol("Cart.total", 4, 7)),
            ("cart.py", symbol("main", 13, 14)),
            ("other.py", symbol("other", 1, 2)),
            ("cart.py", symbol("Cart.empty", 9, 10)),
        ],
    )
    figures = hits(fix, found, MemoryCode(CODE))
    assert figures == {
        "file@1": False,
        "file@3": True,
        "file@5": True,
        "file@10": True,
        "mrr": 0.5,
        "function@1": False,
        "function@5": True,
        "function@10": True,
    }


def test_a_fix_outside_functions_has_no_function_figures() -> None:
    figures = hits(report(Gold("cart.py", ((2, 2),))), ranking([], []), MemoryCode(CODE))
    assert figures == {f"file@{k}": False for k in (1, 3, 5, 10)} | {"mrr": 0.0}


def test_coverage_counts_lines_that_are_shown_in_full() -> None:
    gold = (Gold("a.py", ((1, 2), (9, 10))), Gold("b.py", ((5, 5),)))
    shown = (
        Excerpt("a.py", 1, 9, "full", 9, ""),
        Excerpt("b.py", 1, 20, "outline", 4, ""),
    )
    assert coverage(gold, shown) == {
        "files": 1.0,
        "lines": 0.6,
        "all_files": 1.0,
        "all_lines": 0.0,
    }


def test_reports_are_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    path.write_text('{"id": "x"}\n')
    with pytest.raises(UsageError, match=r"reports.jsonl:1 is no bug report"):
        list(read(path))
    with pytest.raises(UsageError, match="Cannot read"):
        list(read(tmp_path / "absent.jsonl"))


def test_clones_are_found_by_owner_and_name(tmp_path: Path) -> None:
    assert find_clone(tmp_path, "ada/shop") is None
    (tmp_path / "ada__shop.git").mkdir()
    assert find_clone(tmp_path, "ada/shop") == tmp_path / "ada__shop.git"
    (tmp_path / "ada" / "shop").mkdir(parents=True)
    assert find_clone(tmp_path, "ada/shop") == tmp_path / "ada" / "shop"


@pytest.fixture
def measured(make_repository: RepositoryMaker, tmp_path: Path) -> Path:
    root = make_repository(CODE)
    (tmp_path / "clones" / "ada").mkdir(parents=True)
    root.rename(tmp_path / "clones" / "ada" / "shop")
    commit = git(tmp_path / "clones" / "ada" / "shop", "rev-parse", "HEAD")
    rows = [
        {
            "id": f"shop-{number}",
            "lang": "python",
            "repo": "ada/shop",
            "history": "ada/shop",
            "base_commit": commit,
            "problem_statement": text,
            "gold": [{"path": "cart.py", "ranges": [[line, line]]}],
        }
        for number, (text, line) in enumerate([("Cart.total is wrong", 6), ("see cart.py", 14)])
    ]
    (tmp_path / "reports.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return tmp_path


LOCALIZE = ("eval", "localize", "reports.jsonl", "--repos", "clones")
ROWS = """\
| all gold places in the first k, % | reports | file@1 | file@3 | file@5 | file@10 | function@1 |\
 function@5 | function@10 |   mrr |
"""


def test_the_command_measures_and_goes_on_where_it_stopped(measured: Path) -> None:
    done = repoqa(*LOCALIZE, "--limit", "1", "--out", "figures.jsonl", where=measured)
    assert done.code == 0, done.stderr
    assert done.stdout.startswith(ROWS)
    kept = (measured / "figures.jsonl").read_text()
    assert kept.count("\n") == 1
    done = repoqa(*LOCALIZE, "--out", "figures.jsonl", where=measured)
    assert done.code == 0, done.stderr
    assert (measured / "figures.jsonl").read_text().startswith(kept)
    first, second = map(json.loads, (measured / "figures.jsonl").read_text().splitlines())
    assert first["hits"]["function@1"] == 1.0
    assert first["coverage"]["4000"]["all_lines"] == 1.0
    assert (first["names_gold"], second["names_gold"]) == (False, True)
    assert first["plain"] == {"file@1": 1.0, "file@3": 1.0, "file@5": 1.0, "file@10": 1.0, "mrr": 1}
    assert second["plain"]["mrr"] == 1.0  # "cart" stands in its own text alone
    assert "| by BM25 over files alone, % | reports |" in done.stdout


def test_bm25_alone_knows_neither_names_nor_paths(make_repository: RepositoryMaker) -> None:
    files = {"cart.py": "x = 1\n", "notes.py": "# cart cart cart\n"}
    index = build(open_snapshot(make_repository(files)), Store(None), progress=Silent())
    question = evidence.read("cart is wrong")
    fix = report(Gold("cart.py", ((1, 1),)))
    assert plain_hits(fix, question, index)["file@10"] is False
    assert hits(fix, rank(question, index), index)["file@10"] is True


@pytest.mark.parametrize("signal", ["phrases", "path"])
def test_every_signal_can_be_left_out(measured: Path, signal: str) -> None:
    done = repoqa(*LOCALIZE, "--without", signal, "--limit", "1", where=measured)
    assert done.code == 0, done.stderr


def test_an_unknown_signal_is_named(measured: Path) -> None:
    done = repoqa(*LOCALIZE, "--without", "tilte", where=measured)
    assert done.code == 2
    assert done.stderr == "repoqa: There is no signal tilte.\nTry: title, dotted, title_word.\n"


def test_a_clone_that_is_not_there(measured: Path) -> None:
    done = repoqa("eval", "localize", "reports.jsonl", "--repos", "elsewhere", where=measured)
    assert done.code == 3
    assert "There is no clone of ada/shop below elsewhere." in done.stderr


def test_the_plot_is_drawn_and_named(measured: Path) -> None:
    done = repoqa(*LOCALIZE, "--limit", "1", "--plot", "coverage.svg", where=measured)
    assert (done.code, done.stderr) == (0, "repoqa: drawn: coverage.svg\n")
    picture = (measured / "coverage.svg").read_text()
    assert "What the budget holds of the fixes of 1 bug report" in picture
    assert "━━" not in done.stdout, "charts are for terminals"
    refused = repoqa(*LOCALIZE, "--plot", "absent/coverage.svg", where=measured)
    assert (refused.code, refused.stdout) == (2, "")
