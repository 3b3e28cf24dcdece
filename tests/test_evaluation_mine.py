"""Bug reports mined from histories whose fixes are known."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import repoqa
from conftest import RepositoryMaker, git, write_files

from repoqa.evaluation.reports import find_clone, read
from repoqa.fixes.find import is_fix, is_source, statement
from repoqa.records import Commit

CART = """\
class Cart:
    def __init__(self):
        self.items = []

    def total(self):
        return sum(item.price for item in self.items)

    def empty(self):
        self.items = []
"""
ROUNDED = CART.replace("        return sum", "        rounded = True\n        return sum")
SHIPPED = ROUNDED.replace("self.items = []\n\n", "self.items = []\n        self.sent = 0\n\n")
RENAMED = SHIPPED.replace("empty", "clear")
SUBJECT = "Fix the total of a cart with free items"
MESSAGE = f"""{SUBJECT}

The sum was wrong where a price was missing.

Signed-off-by: Ada Lovelace <ada@example.org>
Fixes: #7
"""


def commit(root: Path, message: str, files: dict[str, str]) -> str:
    write_files(root, files)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def shop(make_repository: RepositoryMaker, tmp_path: Path) -> Path:
    """A clone with two fixes of the program and much that is none."""
    (tmp_path / "clones").mkdir()
    root = make_repository({"cart.py": CART}).rename(tmp_path / "clones" / "shop")
    commit(root, MESSAGE, {"cart.py": ROUNDED, "tests/test_cart.py": "def test_total(): ...\n"})
    commit(root, "Fix the tests of the cart and its total", {"tests/test_cart.py": "x = 1\n"})
    commit(root, "Fix a typo in the message of carts", {"cart.py": ROUNDED + "# typo\n"})
    commit(root, "Fix it", {"cart.py": ROUNDED})
    commit(root, "Fix shipping of every cart: new module", {"ship.py": "def ship():\n    pass\n"})
    commit(root, "regression: a cart forgot that it was sent", {"cart.py": SHIPPED})
    commit(root, "Rename empty to clear, as everybody calls it", {"cart.py": RENAMED})
    many = {f"part{number}.py": f"x = {number}\n" for number in range(4)}
    commit(root, "Add the other parts of the program here", many)
    commit(root, "Fix all the other parts of the program", dict.fromkeys(many, "y = 1\n"))
    return root


def mined(root: Path, *arguments: str) -> list[dict[str, object]]:
    done = repoqa("eval", "mine", *arguments, where=root)
    assert done.code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_fixes_with_their_messages_and_the_lines_they_replaced(shop: Path) -> None:
    forgot, total = mined(shop)
    first, second = git(shop, "log", "--format=%H", "--reverse").splitlines()[:2]
    assert total == {
        "id": f"shop-{second[:12]}",
        "lang": "python",
        "repo": "shop",
        "history": "shop",
        "base_commit": first,
        "problem_statement": f"{SUBJECT}\n\nThe sum was wrong where a price was missing.",
        "gold": [{"path": "cart.py", "ranges": [[5, 5]]}],
        "gold_symbols": {"cart.py": ["Cart.total"]},
    }
    assert forgot["problem_statement"] == "regression: a cart forgot that it was sent"
    assert forgot["gold_symbols"] == {"cart.py": ["Cart.__init__"]}


def test_the_newest_fixes_up_to_a_limit(shop: Path) -> None:
    (only,) = mined(shop, "--limit", "1")
    assert only == mined(shop)[0]


def test_mined_reports_are_measured_as_the_note_says(shop: Path, tmp_path: Path) -> None:
    done = repoqa("eval", "mine", "--repo", "clones/shop", "--out", "r.jsonl", where=tmp_path)
    assert done.stdout == ""
    folder = (tmp_path / "clones").resolve()
    command = f"eval localize r.jsonl --repos {folder}"
    assert done.stderr == f"repoqa: 2 reports; measure them: repoqa {command}\n"
    measured = repoqa(*command.split(), where=tmp_path)
    assert measured.code == 0, measured.stderr
    row, _ = (line for line in measured.stdout.splitlines() if line.startswith("| shop "))
    assert row.split()[3:9:2] == ["2", "100.0", "100.0"]
    assert [report.history for report in read(tmp_path / "r.jsonl")] == ["shop", "shop"]


def test_a_bare_clone_is_found_by_its_name(shop: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "bare/market.git")
    reports = mined(tmp_path / "bare" / "market.git")
    assert [report["history"] for report in reports] == ["market", "market"]
    assert find_clone(tmp_path / "bare", "market") == tmp_path / "bare" / "market.git"


def test_a_shallow_clone_gives_the_fixes_whose_parents_it_holds(shop: Path, tmp_path: Path) -> None:
    # The rename and all that follows it, and the fix before, whose parent is left out.
    git(tmp_path, "clone", "--quiet", "--depth", "4", f"file://{shop}", "shallow")
    assert mined(tmp_path / "shallow") == []
    git(tmp_path, "clone", "--quiet", "--depth", "5", f"file://{shop}", "deeper")
    assert len(mined(tmp_path / "deeper")) == 1


def test_a_history_without_fixes(make_repository: RepositoryMaker) -> None:
    done = repoqa("eval", "mine", where=make_repository({"cart.py": CART}))
    assert (done.code, done.stdout) == (0, "")
    assert done.stderr == (
        "repoqa: no commit of this history says that it fixes a bug in few places\n"
    )


def test_outside_a_repository(tmp_path: Path) -> None:
    done = repoqa("eval", "mine", where=tmp_path)
    assert done.code == 3
    assert "no git repository" in done.stderr


def test_a_file_that_cannot_be_written(shop: Path) -> None:
    done = repoqa("eval", "mine", "--out", "no/such/folder.jsonl", where=shop)
    assert done.code == 2
    assert done.stderr == (
        "repoqa: no/such/folder.jsonl cannot be written: No such file or directory\n"
        "Name another file with --out.\n"
    )


def test_each_report_is_written_when_it_is_found(shop: Path, tmp_path: Path) -> None:
    """The pipe holds 64 KB: the run waits for its reader, and is interrupted there."""
    long = "It was wrong. " * 2_000
    for number in range(8):
        message = f"Fix the total of carts once more\n\n{long}"
        commit(shop, message, {"cart.py": f"x = {number}\n"})
    pipe = tmp_path / "reports"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "repoqa", "eval", "mine", "--out", str(pipe)]
    with (
        subprocess.Popen(command, cwd=shop, stderr=subprocess.DEVNULL) as running,
        pipe.open("rb") as written,
    ):
        first = json.loads(written.readline())
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=20) == 130
    assert first["gold"] == [{"path": "cart.py", "ranges": [[1, 1]]}]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Fixed #123 -- Corrected the order of joins", True),
        ("fix(parser): keep comments of nested blocks", False),
        ("Closes #12: the parser keeps nested blocks", True),
        ("Avoid a crash where the list is empty", True),
        ("Prefix every name with its own module", False),
        ("Revert 'Fix the order of joins again'", False),
        ("Fix order", False),
        ("Add the other order of joins", False),
    ],
)
def test_what_counts_as_a_fix(subject: str, expected: bool) -> None:
    assert is_fix(Commit("0" * 40, 0, subject, ("shop/query.py",))) is expected
    assert not is_fix(Commit("0" * 40, 0, subject, ()))
    assert not is_fix(Commit("0" * 40, 0, subject, tuple(f"{n}.py" for n in range(4))))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/cart.ts", True),
        ("tests/test_cart.py", False),
        ("docs/conf.py", False),
        ("vendor/six.py", False),
        ("README.md", False),
        ("cart.json", False),
    ],
)
def test_what_counts_as_source(path: str, expected: bool) -> None:
    assert is_source(path) is expected


def test_only_trailers_at_the_end_are_left_out() -> None:
    body = "Fix joins\n\nNote: the order\nmatters.\n\nSigned-off-by: Ada <a@b.c>\nFixes: #3"
    assert statement(body) == "Fix joins\n\nNote: the order\nmatters."
    assert statement("Fix: joins\n") == "Fix: joins"
    assert statement("Fix\r\n\r\nWhy.\r\n\r\n---------\r\n\r\nCo-authored-by: B <b@c.d>") == (
        "Fix\n\nWhy."
    )
