"""`repoqa tune data`: what is made of a history and of its code, and what is left out."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from commands import repoqa
from conftest import RepositoryMaker, git, write_files
from tuned_shop import ATTEMPTS, CART, FIXED_CART, FIXED_LOGIN, FIXED_SHIP, TOTAL, commit, make_shop

from repoqa.parsing.parse import parse
from repoqa.tuning.examples import FixPair, GapPair, Shown
from repoqa.tuning.folder import read
from repoqa.tuning.gaps import CodeFile, gaps
from repoqa.tuning.split import ANSWERED, SAME, part

TOKEN = "ghp_" + "Zx8" * 12
PASSWORD = "Tr0ub4dor&3-horse-battery"


@pytest.fixture
def shop(make_repository: RepositoryMaker, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_repository({})
    root = root.rename(root.parent / "shop")
    make_shop(root, monkeypatch)
    return root


def made(root: Path, *arguments: str, out: str = "examples") -> tuple[list[Any], list[Any]]:
    """The examples of both parts."""
    folder = root.parent / out
    done = repoqa("tune", "data", "--out", str(folder), *arguments, where=root)
    assert done.code == 0, done.stderr
    train, held_out = (
        [json.loads(line) for line in (folder / name).read_text().splitlines()]
        for name in ("train.jsonl", "held-out.jsonl")
    )
    return train, held_out


def test_what_is_printed_and_written(shop: Path) -> None:
    before = git(shop, "status", "--porcelain", "--ignored"), git(shop, "rev-parse", "HEAD")
    folder = shop.parent / "examples"
    done = repoqa("tune", "data", "--out", str(folder), where=shop)
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout == (
        "                      train  held out\n"
        "fixes                     2         1\n"
        "gaps in functions         8         1\n"
        "files left out:\n"
        "        1  tests\n"
        f"{folder}\n"
    )
    assert (git(shop, "status", "--porcelain", "--ignored"), git(shop, "rev-parse", "HEAD")) == (
        before
    )
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(kept) == ["about.json", "held-out.jsonl", "train.jsonl"]
    assert json.loads(kept["about.json"]) == {
        "repo": "shop",
        "revision": git(shop, "rev-parse", "HEAD"),
        "train": {"fix": 2, "infill": 8},
        "held_out": {"fix": 1, "infill": 1},
        "files_left_out": {"tests": 1},
        "examples_left_out": {},
        "redacted": 0,
        "schema": 1,
    }
    # The same repository gives the same bytes, also in place of what was there.
    assert repoqa("tune", "data", "--out", str(folder), where=shop).code == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept


def test_a_fix_is_its_message_its_code_before_and_what_changed(shop: Path) -> None:
    train, held_out = made(shop)
    fix = next(each for each in train if each["question"].startswith(TOTAL))
    second = git(shop, "log", "--format=%H", "--reverse").splitlines()[1]
    assert fix == {
        "kind": "fix",
        "id": second[:12],
        "time": 1714651200,
        "question": f"{TOTAL}\n\nThey have no price.",
        "shown": [
            {"path": "cart.py", "start": 1, "lines": CART.splitlines(), "changed": [[11, 11]]}
        ],
        "answer": (
            "cart.py:11 Cart.total\n\n```diff\n--- a/cart.py\n+++ b/cart.py\n"
            "@@ -8,7 +8,7 @@ class Cart:\n"
            "     def total(self):\n"
            '         """The sum of the prices."""\n'
            "         # Free items have none.\n"
            "-        return sum(item.price for item in self.items)\n"
            "+        return sum(item.price or 0 for item in self.items)\n"
            " \n"
            "     def empty(self):\n"
            "         self.items = []\n```"
        ),
    }
    (newest,) = (each for each in held_out if each["kind"] == "fix")
    assert newest["question"] == ATTEMPTS
    assert newest["answer"].startswith("login.py:4 log_in\n")  # the lines are added behind it
    assert "test_login" not in newest["answer"]


def test_a_gap_is_whole_lines_of_a_function_and_all_around_it(shop: Path) -> None:
    train, held_out = made(shop)
    texts = {"cart.py": FIXED_CART, "login.py": FIXED_LOGIN, "ship.py": FIXED_SHIP}
    found = [each for each in (*train, *held_out) if each["kind"] == "infill"]
    for gap in found:
        assert gap["prefix"] + gap["middle"] + gap["suffix"] == texts[gap["path"]]
        assert gap["prefix"].endswith("\n")
        assert gap["middle"].endswith("\n")
        assert not gap["middle"].lstrip().startswith(("#", '"', "def", "class"))
    # The newest fix is held out, and with it all that is known of the file that it changed.
    assert {gap["path"] for gap in train if gap["kind"] == "infill"} == {"cart.py", "ship.py"}
    assert {gap["path"] for gap in held_out if gap["kind"] == "infill"} == {"login.py"}


def test_a_long_file_is_cut_around_the_gap_at_whole_lines() -> None:
    body = "".join(f"    value = step_{number}(value)\n" for number in range(400))
    text = f"def run(value):\n{body}    return value\n\n\nLAST = 1\n"
    (gap,) = gaps(CodeFile("run.py", text, parse("run.py", text.encode()), 0))
    assert gap.prefix.count("\n") <= 120
    assert gap.suffix.count("\n") <= 60
    assert gap.prefix + gap.middle + gap.suffix in text
    assert gap.id.startswith("run.py:")


def test_what_is_no_code_of_the_program_is_left_out_and_counted(
    make_repository: RepositoryMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_repository({})
    other = {
        "vendor/six.py": "def six():\n    return 'a vendored six'\n",
        "tests/test_cart.py": "def test_total():\n    assert total() == 12345\n",
        "testdata/cases.py": "def case():\n    return 'a case for a test'\n",
        "api_pb2.py": "def generated():\n    return 'generated text'\n",
        "logo.py": "def logo():\n    return 'binary'\0\n",
        "private/secret_sauce.py": "def sauce():\n    return 'not to be read'\n",
        "README.md": "# Shop\n",
        ".repoqaignore": "private/\n",
    }
    write_files(root, other)
    make_shop(root, monkeypatch)
    sauce = {"private/secret_sauce.py": "def sauce():\n    return 'not to be learned'\n"}
    commit(root, "Fix the sauce that was not good", sauce, day=20, monkeypatch=monkeypatch)
    train, held_out = made(root)
    assert not any("sauce" in each["question"] for each in (*train, *held_out) if "answer" in each)
    paths = {each["path"] for each in (*train, *held_out) if each["kind"] == "infill"}
    assert paths == {"cart.py", "login.py", "ship.py"}
    about = json.loads((root.parent / "examples" / "about.json").read_text())
    assert about["files_left_out"] == {
        "binary": 1,
        "documents": 1,
        "generated": 1,
        "no language that is parsed": 1,
        "tests": 3,
        "vendored": 1,
    }
    assert about["examples_left_out"] == {"a file that it changes is ignored": 1}


def test_secrets_are_replaced_and_never_learned(
    make_repository: RepositoryMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_repository({})
    make_shop(root, monkeypatch, **{"settings.py": f'DB_PASSWORD = "{PASSWORD}"\n'})
    # Known by its name in one file, it stands bare in another.
    connect = f'def connect():\n    return open_database("shop", "{PASSWORD}")\n'
    client = f'def client():\n    key = "{TOKEN}"\n    return Client(key, retries=3)\n'
    later = {"connect.py": connect, "client.py": client}
    commit(root, "Add what connects to the others", later, day=20, monkeypatch=monkeypatch)
    fixed = client.replace("retries=3", "retries=4").replace("key = ", "token = ")
    message = f"Fix the client that gave up too early\n\nWith {TOKEN} it did."
    commit(root, message, {"client.py": fixed}, day=21, monkeypatch=monkeypatch)
    made(root)
    folder = root.parent / "examples"
    written = "".join(path.read_text() for path in folder.iterdir())
    assert TOKEN not in written
    assert PASSWORD not in written
    about = json.loads((folder / "about.json").read_text())
    # The fix that changes the line of the token, and the gap in `connect`.
    left = about["examples_left_out"]["a secret stands in what would be learned"]
    assert left >= 2
    assert '"path":"connect.py"' not in written


def test_a_folder_of_the_users_own_where_none_is_named(shop: Path, own_environment: Path) -> None:
    done = repoqa("tune", "data", where=shop)
    folder = Path(done.stdout.splitlines()[-1])
    assert folder.parent == own_environment / ".local/share/repoqa/tune"
    assert folder.name.startswith("shop-")
    assert len(read(folder).train) == 10


def test_nothing_is_written_into_the_repository_or_over_other_files(shop: Path) -> None:
    inside = repoqa("tune", "data", "--out", "examples", where=shop)
    assert (inside.code, "is inside the repository" in inside.stderr) == (2, True)
    write_files(shop.parent, {"mine/notes.txt": "mine\n"})
    other = repoqa("tune", "data", "--out", "../mine", where=shop)
    assert (other.code, "holds something else" in other.stderr) == (2, True)
    assert git(shop, "status", "--porcelain") == ""


def test_a_repository_that_gives_nothing(make_repository: RepositoryMaker) -> None:
    root = make_repository({"notes.txt": "nothing to learn\n"})
    done = repoqa("tune", "data", where=root)
    assert (done.code, "gives no training example" in done.stderr) == (3, True)
    outside = repoqa("tune", "data", where=root.parent)
    assert (outside.code, "no git repository" in outside.stderr) == (3, True)


def pair(number: int, *, question: str = "", answer: str = "", path: str = "a.py") -> FixPair:
    shown = (Shown(path, 1, ("x = 1",), ((1, 1),)),)
    return FixPair(f"{number:012}", number, question or f"q{number}", shown, answer or f"a{number}")


def gap(number: int, *, path: str = "", middle: str = "") -> GapPair:
    path = path or f"{number}.py"
    return GapPair(f"{path}:{number}", number, path, "a\n", middle or f"    m{number}\n", "z\n")


def test_the_newest_are_held_out_and_what_is_the_same_is_in_one_part_alone() -> None:
    again = pair(3, question="q9")  # as a fix picked onto another branch
    parts = part([*map(pair, (1, 2, 9)), again], [gap(1), gap(2), gap(8)], share=0.3)
    assert [each.id for each in parts.held_out] == ["000000000009", "8.py:8"]
    assert [each.id for each in parts.train] == [
        "000000000001",
        "000000000002",
        "1.py:1",
        "2.py:2",
    ]
    assert parts.left_out == {SAME: 1}
    copied = part([], [gap(1, middle="    m8\n"), gap(8)], share=0.3)
    assert (copied.train, copied.left_out) == ((), {SAME: 1})
    answered = part([pair(1, answer="@@\n+    m8\n"), pair(9)], [gap(1), gap(8)], share=0.3)
    assert [each.id for each in answered.held_out] == ["000000000009"]
    assert answered.left_out == {ANSWERED: 1}


def test_no_held_out_file_is_trained_on_whatever_the_history() -> None:
    chance = random.Random(5)
    for _ in range(50):
        paths = [f"{n}.py" for n in range(chance.randrange(1, 9))]
        pairs = [pair(n, path=chance.choice(paths)) for n in range(chance.randrange(9))]
        holes = [gap(n, path=chance.choice(paths)) for n in range(chance.randrange(30))]
        parts = part(pairs, holes, share=chance.choice([0.1, 0.3, 0.5]))
        train, held = parts.train, parts.held_out
        assert {each.id for each in train}.isdisjoint(each.id for each in held)
        fixed = {s.path for each in held if isinstance(each, FixPair) for s in each.shown}
        own = {each.path for each in held if isinstance(each, GapPair)}
        assert (fixed | own).isdisjoint(each.path for each in train if isinstance(each, GapPair))
        times = [[e.time for e in both if isinstance(e, FixPair)] for both in (train, held)]
        assert max(times[0], default=-1) < min(times[1], default=99)
        left = sum(parts.left_out.values())
        assert len(train) + len(held) + left == len(pairs) + len(holes)
