"""Citations: every form a model uses is resolved, and what does not exist is marked."""

import re

import pytest
from memory_code import MemoryCode

from repoqa.answers.citations import Checker, check
from repoqa.answers.places import Places

CODE = MemoryCode(
    {
        "src/auth/login.py": "class Session:\n    def save(self):\n        pass\n" + "x = 1\n" * 17,
        "src/auth/__init__.py": "",
        "src/web/__init__.py": "",
        "src/app.ts": "export function start() {\n  return 1\n}\n",
        "Makefile": "all:\n\ttrue\n",
        "one.py": "def only():\n    return 1",
    }
)


def found(text: str) -> list[tuple[str, int, int, bool]]:
    return [(c.path, c.start, c.end, c.valid) for c in check(text, CODE).citations]


@pytest.mark.parametrize(
    "text",
    [
        "The bug is in src/auth/login.py:12.",
        "(`src/auth/login.py:12`)",
        "**src/auth/login.py:12**:",
        "login.py:12 is wrong",
        "auth/login.py:12",
        "./src/auth/login.py:12",
        "/app/build/src/auth/login.py:12",
        "src\\auth\\login.py:12",
        "src/auth/login.py:12:5",
        "src/auth/login.py:L12",
        "src/auth/login.py#L12",
        "src/auth/login.py, line 12",
        "`src/auth/login.py`, line 12",
        "src/auth/login.py (line 12)",
        "src/auth/login.py at line 12",
        "line 12 of src/auth/login.py",
        "On line 12 in `src/auth/login.py`",
        "Line 12 of the file `login.py`",
    ],
)
def test_one_place_in_every_form(text: str) -> None:
    assert found(text) == [("src/auth/login.py", 12, 12, True)]
    assert Checker(CODE).line(text)[0] == text


@pytest.mark.parametrize(
    "text",
    [
        "src/auth/login.py:2-5",
        "src/auth/login.py:2–5",
        "src/auth/login.py#L2-L5",
        "src/auth/login.py, lines 2-5",
        "lines 2 to 5 of login.py",
    ],
)
def test_a_range_in_every_form(text: str) -> None:
    assert found(text) == [("src/auth/login.py", 2, 5, True)]


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("see src/auth/login.py:21", "see src/auth/login.py:21 [?: the file has 20 lines]"),
        ("see `one.py:9-3`.", "see `one.py:9-3` [?: the file has 2 lines]."),
        ("see one.py:0", "see one.py:0 [?: the file has 2 lines]"),
        ("see src/auth/token.py:3,", "see src/auth/token.py:3 [?: no such file],"),
        ("see `helpers.py`", "see `helpers.py` [?: no such file]"),
        ("see src/db/session.py.", "see src/db/session.py [?: no such file]."),
        ("in __init__.py:1", "in __init__.py:1 [?: several files of that name]"),
        (
            "line 40 of one.py and one.py:1",
            "line 40 of one.py [?: the file has 2 lines] and one.py:1",
        ),
        (
            "call `Session.load()` first",
            "call `Session.load()` [?: not defined in this repository] first",
        ),
    ],
)
def test_what_does_not_exist_is_marked(text: str, marked: str) -> None:
    checked, citations = Checker(CODE).line(text)
    assert checked == marked
    assert any(not citation.valid for citation in citations)


@pytest.mark.parametrize(
    "text",
    [
        "It listens on localhost:8080 and example.com:443.",
        "At 10:30 the ratio was 3:1, v1.2.3:4.",
        "See https://example.com/src/auth/login.py:99 for more.",
        "Use and/or, e.g. Node.js or self.name.",
        "KeyError: 12",
        "Run make, then read the license.",
        "a dict {'x':1}",
    ],
)
def test_what_is_no_citation(text: str) -> None:
    assert found(text) == []


def test_files_and_symbols() -> None:
    assert found("`Makefile` and src/app.ts") == [
        ("Makefile", 0, 0, True),
        ("src/app.ts", 0, 0, True),
    ]
    assert found("`Session.save()` or `save(self)`") == [("src/auth/login.py", 2, 3, True)] * 2
    assert found("`Session::save()`") == [("src/auth/login.py", 2, 3, True)]
    assert found("`start()` in src/app.ts:1") == [
        ("src/app.ts", 1, 3, True),
        ("src/app.ts", 1, 1, True),
    ]


def test_names_that_the_shown_code_uses_are_no_claims() -> None:
    assert Checker(CODE, familiar={"dumps"}).line("`json.dumps()`") == ("`json.dumps()`", ())


def test_fenced_code_is_not_marked_but_its_places_count() -> None:
    text = "```\nsrc/none.py:3\n`gone()`\n```\nsrc/none.py:3"
    answer = check(text, CODE)
    assert answer.text == text
    assert [(c.text, c.valid) for c in answer.citations] == [("src/none.py:3", False)] * 2
    checker = Checker(CODE)
    marked = [checker.line(line)[0] for line in text.split("\n")]
    assert marked[1] == "src/none.py:3"
    assert marked[4] == "src/none.py:3 [?: no such file]"


def test_the_issue_s_example() -> None:
    answer = check("one.py:3, two.py:1 and one.py:2", CODE)
    assert [(c.text, c.path, c.start, c.end, c.valid) for c in answer.citations] == [
        ("one.py:3", "one.py", 3, 3, False),
        ("two.py:1", "two.py", 1, 1, False),
        ("one.py:2", "one.py", 2, 2, True),
    ]


def test_places() -> None:
    places = Places(["a/b/c.py", "b/c.py", "x/c.py", "top.py"])
    assert places.meant("b/c.py") == ("b/c.py",)
    assert places.meant("c.py") == ("a/b/c.py", "b/c.py", "x/c.py")
    assert places.meant("a/b/c.py") == ("a/b/c.py",)
    assert places.meant("repo/x/c.py") == ("x/c.py",)
    assert places.meant("invented/top.py") == ()
    assert places.meant("") == ()


def test_a_hostile_line_comes_back_whole_but_for_its_marks() -> None:
    for text in ("a/" * 20_000, "`" * 20_000, "a.py:1-" * 5000, "line 1 of " * 5000, "x" * 50_000):
        marked, _ = Checker(CODE).line(text)
        assert re.sub(r" \[\?: [^\]]*\]", "", marked) == text
