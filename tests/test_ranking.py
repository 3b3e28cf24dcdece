"""Which code is found for a question, and the reasons given for it."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import RepositoryMaker
from hypothesis import given
from hypothesis import strategies as st

from repoqa.errors import UsageError
from repoqa.evidence.question import read
from repoqa.index.build import build
from repoqa.index.index import Index
from repoqa.index.parts import CODE_SUFFIXES, NAMES, part_of
from repoqa.index.store import Store
from repoqa.protocols import Silent
from repoqa.ranking.bm25 import best
from repoqa.ranking.places import Place, Places, is_library
from repoqa.ranking.query import understand
from repoqa.ranking.rank import rank
from repoqa.ranking.weights import BEST_UNITS, UNITS_SHARE
from repoqa.records import Lines, RankedFile, RankedSymbol, Ranking
from repoqa.repository.snapshot import open_snapshot

SESSION = '''\
"""Sessions of logged-in users."""


class Session:
    """A user's session and when it ends."""

    def renew(self, now):
        """Push the expiry back."""
        self.expires = now + LIFETIME

    def is_expired(self, now):
        return self.expires < now


def open_session(user):
    return Session(user)
'''
CART = '''\
class Cart:
    def renew(self):
        """Empty the cart."""
        self.items = []

    def total(self):
        raise ValueError("no price for this item")
'''
TEST = """\
from shop.session import Session


def test_renew_pushes_the_session_expiry_back():
    session = Session()
    session.renew(5)
    assert session.expires
"""
FILES = {
    "shop/session.py": SESSION,
    "shop/cart.py": CART,
    "shop/__init__.py": "",
    "tests/test_session.py": TEST,
    "docs/session.md": "# Session expiry\n\nHow a session is renewed: the expiry moves back.\n",
}


@pytest.fixture
def index(make_repository: RepositoryMaker) -> Index:
    return build(open_snapshot(make_repository(FILES)), Store(None), progress=Silent())


def symbols(ranking: Ranking) -> list[tuple[str, str]]:
    return [(ranked.path, ranked.symbol.name) for ranked in ranking.symbols]


def test_words_of_the_question_find_the_function(index: Index) -> None:
    ranking = rank(read("the session expiry is not pushed back on renew"), index)
    assert symbols(ranking)[0] == ("shop/session.py", "Session.renew")
    assert ranking.files[0].path == "shop/session.py"


def test_a_dotted_name_means_one_class(index: Index) -> None:
    assert symbols(rank(read("Cart.renew is wrong"), index))[0] == ("shop/cart.py", "Cart.renew")
    assert symbols(rank(read("Session.renew is wrong"), index))[0] == (
        "shop/session.py",
        "Session.renew",
    )


def test_code_that_uses_a_named_symbol_is_found(index: Index) -> None:
    ranking = rank(read("what happens to a `Session` here"), index)
    reasons = {(s.path, s.symbol.name): s.reasons for s in ranking.symbols}
    assert reasons["shop/session.py", "open_session"]["used"] > 0
    assert "used" not in reasons["shop/session.py", "Session"]


def test_a_module_path_means_its_file(index: Index) -> None:
    ranking = rank(read("wrong in `shop.cart` somehow"), index)
    assert ranking.files[0].path == "shop/cart.py"
    assert ranking.files[0].reasons["module"] > 0


def test_a_trace_points_at_the_innermost_frame(index: Index) -> None:
    log = (
        "Traceback (most recent call last):\n"
        '  File "/srv/build/shop/session.py", line 16, in open_session\n'
        '  File "/srv/build/shop/cart.py", line 7, in total\n'
        "ValueError: no price for this item\n"
    )
    ranking = rank(read("why?", log=log), index)
    assert symbols(ranking)[0] == ("shop/cart.py", "Cart.total")
    reasons = {s.symbol.name: s.reasons.get("trace", 0.0) for s in ranking.symbols}
    assert reasons["Cart.total"] > reasons["open_session"] > 0
    assert reasons["Cart"] == 0


def test_a_named_line_points_at_its_function(index: Index) -> None:
    ranking = rank(read("see shop/session.py:12"), index)
    assert symbols(ranking)[0] == ("shop/session.py", "Session.is_expired")


def test_tests_and_docs_stand_behind_the_code_they_speak_of(index: Index) -> None:
    ranking = rank(read("test renew pushes the session expiry back"), index)
    paths = [file.path for file in ranking.files]
    assert paths[0] == "shop/session.py"
    assert {"tests/test_session.py", "docs/session.md"} <= set(paths)
    assert next(f for f in ranking.files if f.path == "docs/session.md").reasons["part"] < 0


def test_a_test_that_the_question_names_is_not_put_back(index: Index) -> None:
    ranking = rank(read("tests/test_session.py fails"), index)
    assert ranking.files[0].path == "tests/test_session.py"


def test_a_test_that_the_question_names_counts_half_of_the_code_that_it_names(index: Index) -> None:
    query = understand(read("tests/test_session.py fails since shop/session.py changed"), index)
    assert dict(query.mentions) == {
        Place("tests/test_session.py"): 0.5,
        Place("shop/session.py"): 1.0,
    }
    question = read("tests/test_session.py fails since shop/session.py changed")
    counted = {file.path: file.reasons["mention"] for file in rank(question, index).files[:2]}
    assert counted["tests/test_session.py"] == counted["shop/session.py"] / 2
    # The test's path alone has more of the question's words.
    ranking = rank(question, index, without=("path", "title_path"))
    assert ranking.files[0].path == "shop/session.py"


@pytest.mark.parametrize("question", ["", "zzz qqq", "renew", "Session.renew in shop/session.py:7"])
def test_reasons_add_up_and_the_best_come_first(index: Index, question: str) -> None:
    ranking = rank(read(question), index)
    everything: tuple[RankedFile | RankedSymbol, ...] = (*ranking.files, *ranking.symbols)
    for ranked in everything:
        assert math.isclose(sum(ranked.reasons.values()), ranked.score, abs_tol=1e-6)
        assert ranked.score > 0
    keys = [(-s.score, s.path, s.symbol.start, -s.symbol.end) for s in ranking.symbols]
    assert keys == sorted(keys)
    assert [(-f.score, f.path) for f in ranking.files] == sorted(
        (-f.score, f.path) for f in ranking.files
    )


def test_a_file_is_lifted_by_its_ten_best_units(make_repository: RepositoryMaker) -> None:
    def functions(counts: Sequence[int]) -> str:
        lines = (
            f"def f{place}():\n    {'widget ' * count}\n" for place, count in enumerate(counts)
        )
        return "\n".join(lines)

    many = (1, 9, 2, 9, 3, 1, 4, 4, 4, 8, 7, 1, 6, 9)
    files = {"many.py": functions(many), "one.py": functions((5,)), "none.py": "x = 1\n"}
    index = build(open_snapshot(make_repository(files)), Store(None), progress=Silent())
    ranking = rank(read("widget"), index)
    own: dict[str, list[float]] = {}
    for each in ranking.symbols:
        given = sum(score for name, score in each.reasons.items() if name not in ("file", "part"))
        own.setdefault(each.path, []).append(given)
    lifted = {file.path: file.reasons["units"] for file in ranking.files}
    assert {path: len(scores) for path, scores in own.items()} == {"many.py": 14, "one.py": 1}
    for path, scores in own.items():
        best_first = sorted(scores, reverse=True)[:BEST_UNITS]
        expected = UNITS_SHARE * sum(score / n for n, score in enumerate(best_first, 1))
        assert math.isclose(lifted[path], expected)


@given(st.lists(st.sampled_from((0.0, 0.5, 1.0, 2.0, 3.0)), max_size=12), st.integers(1, 5))
def test_the_best_are_the_greatest_over_zero_of_equals_the_first(
    scores: list[float], number: int
) -> None:
    expected = sorted((-score, place) for place, score in enumerate(scores) if score > 0)
    found = best(np.array(scores, dtype=np.float64), number).tolist()
    assert found == [place for _, place in expected[:number]]


PATHS = ("src/auth/login.py", "lib/auth/login.py", "src/main.py", "README.md")


@pytest.mark.parametrize(
    ("printed", "meant"),
    [
        ("auth/login.py", ["lib/auth/login.py", "src/auth/login.py"]),
        ("/app/src/auth/login.py", ["src/auth/login.py"]),
        ("./main.py", ["src/main.py"]),
        ("/usr/lib/python3.11/main.py", []),
        ("/elsewhere/README.md", ["README.md"]),
        ("C:/work/src/main.py", ["src/main.py"]),
        ("login.rs", []),
        ("", []),
    ],
)
def test_printed_paths_mean_files_by_their_longest_suffix(printed: str, meant: list[str]) -> None:
    assert [place.path for place in Places(PATHS).of(printed)] == meant


def test_a_place_keeps_its_line_and_function() -> None:
    assert list(Places(PATHS).of("src/main.py", line=3, function="run")) == [
        Place("src/main.py", 3, "run")
    ]


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("src/app.py", "code"),
        ("src/contest.py", "code"),
        ("src/latest/attestation.go", "code"),
        ("tests/login.py", "test"),
        ("pkg/login_test.go", "test"),
        ("src/test/java/LoginTest.java", "test"),
        ("web/login.spec.ts", "test"),
        ("docs/index.html", "docs"),
        ("CHANGES", "docs"),
        ("README.de.md", "docs"),
        ("src/history.py", "code"),
        ("examples/demo.py", "example"),
        ("third_party/zlib/inflate.c", "vendored"),
        ("static/jquery-3.5.1.js", "vendored"),
        ("static/jquery.js", "code"),
        ("shop/locale/de/LC_MESSAGES/shop.po", "data"),
        ("shop/locale/formats.py", "code"),
        ("CMakeLists.txt", "code"),
        ("notes.txt", "docs"),
    ],
)
def test_the_part_of_a_project(path: str, part: str) -> None:
    assert part_of(path) == part


def test_names_are_told_as_their_patterns_tell_them() -> None:
    stems = (
        "test_a",
        "a_test",
        "a.test",
        "ATests",
        "a_spec",
        "conftest",
        "a-1.2",
        "readme",
        "news",
    )
    suffixes = (*sorted(CODE_SUFFIXES), "js", "css", "md", "txt", "json", "po", "PY", "")
    for name in (f"{stem}.{suffix}" for stem in (*stems, "main", "inspect") for suffix in suffixes):
        by_pattern = next((part for part, pattern in NAMES.items() if pattern.search(name)), "code")
        assert part_of(name) == by_pattern, name


def test_library_paths() -> None:
    assert is_library("/venv/lib/python3.12/site-packages/django/urls.py")
    assert is_library("app/node_modules/express/lib/router.js")
    assert not is_library("/home/ada/project/lib/router.js")


def test_the_order_of_evidence_does_not_depend_on_the_folder(
    make_repository: RepositoryMaker, tmp_path: Path
) -> None:
    first = build(open_snapshot(make_repository(FILES)), Store(None), progress=Silent())
    second = build(open_snapshot(make_repository(FILES)), Store(tmp_path / "c"), progress=Silent())
    question = read("renew the session")
    assert rank(question, first) == rank(question, second)


def pinned(index: Index, *pins: str) -> Ranking:
    return rank(read("where do carts end", pins=pins), index)


@pytest.mark.parametrize(
    ("pin", "lines"),
    [
        ("shop/session.py", [Lines("shop/session.py", 1, 16)]),
        ("./session.py", [Lines("shop/session.py", 1, 16)]),
        ("is_expired", [Lines("shop/session.py", 11, 12)]),
        ("Session.renew", [Lines("shop/session.py", 7, 9)]),
        ("Session::renew", [Lines("shop/session.py", 7, 9)]),
        ("shop/session.py:9", [Lines("shop/session.py", 7, 9)]),
        ("session.py:1", [Lines("shop/session.py", 1, 16)]),
    ],
)
def test_a_pin_means_a_file_a_symbol_or_the_code_at_a_line(
    index: Index, pin: str, lines: list[Lines]
) -> None:
    ranking = pinned(index, pin)
    assert list(ranking.pins) == lines
    assert ranking.files[0].path == "shop/session.py"
    assert ranking.symbols[0].path == "shop/session.py"


def test_what_is_pinned_stands_first_with_reasons_that_add_up(index: Index) -> None:
    ranking = pinned(index, "open_session", "docs/session.md")
    first = [(s.path, s.symbol.name) for s in ranking.symbols if "pinned" in s.reasons]
    assert first == symbols(ranking)[:2]
    assert set(first) == {("shop/session.py", "open_session"), ("docs/session.md", "L1-3")}
    everything: tuple[RankedFile | RankedSymbol, ...] = (*ranking.files, *ranking.symbols)
    for ranked in everything:
        assert math.isclose(sum(ranked.reasons.values()), ranked.score, abs_tol=1e-6)
    assert [f.path for f in ranking.files if "pinned" in f.reasons] == [
        f.path for f in ranking.files[:2]
    ]


@pytest.mark.parametrize(
    ("pin", "message", "remedy"),
    [
        ("renew", "may mean 2 things", "shop/cart.py:2 (Cart.renew), shop/session.py:7"),
        ("sesion.py", "no file, line or symbol", "shop/session.py"),
        ("open_sessions", "no file, line or symbol", "shop/session.py:15 (open_session)"),
        ("Session.renw", "no file, line or symbol", "(Session.renew)"),
        ("shop/session.py:99", "shop/session.py has 16 lines", "--path shop/session.py"),
        ("shop", "is a folder", "shop/__init__.py, shop/cart.py, shop/session.py"),
        ("zzyzx", "no file, line or symbol", "Class.method"),
        ("", "no file, line or symbol", "Class.method"),
        ("/", "no file, line or symbol", "Class.method"),
    ],
)
def test_a_pin_of_nothing_or_too_much_is_an_error_with_candidates(
    index: Index, *, pin: str, message: str, remedy: str
) -> None:
    with pytest.raises(UsageError) as caught:
        pinned(index, pin)
    assert message in caught.value.message
    assert remedy in caught.value.remedy


DIFF = """\
--- a/shop/session.py
+++ b/shop/session.py
@@ -10,3 +10,3 @@

     def is_expired(self, now):
-        return self.expires <= now
+        return self.expires < now
"""


def test_what_a_diff_changes_is_a_reason(index: Index) -> None:
    question = "why is it too early"
    ranking = rank(read(question, diff=DIFF), index)
    assert symbols(ranking)[0] == ("shop/session.py", "Session.is_expired")
    assert {(s.path, s.symbol.name) for s in ranking.symbols if "diff" in s.reasons} == {
        ("shop/session.py", "Session.is_expired")
    }
    assert [file.path for file in ranking.files if "diff" in file.reasons] == ["shop/session.py"]
    assert rank(read(question, diff="no diff at all"), index) == rank(read(question), index)
