"""What a change reaches: answers known by hand, on real repositories."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import RepositoryMaker, git, write_files
from review_code import LANGUAGES, PYTHON, Changed

from repoqa.index.build import build
from repoqa.index.store import Store
from repoqa.protocols import Silent
from repoqa.repository.plumbing import open_git
from repoqa.repository.snapshot import open_snapshot
from repoqa.review.compared import compare, file_changes
from repoqa.review.impact import impact
from repoqa.review.report import Caller, Impact


def impact_of(root: Path, files: Mapping[str, str | None]) -> dict[str, Impact]:
    """The impact of writing `files` (None removes one) onto the first commit, by symbol."""
    for path, content in files.items():
        if content is None:
            (root / path).unlink()
        else:
            write_files(root, {path: content})
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=Second", "--allow-empty")
    repository = open_git(root)
    assert repository
    store = Store(None)
    compared = compare(repository, ("HEAD~1", "HEAD"), open_snapshot(root, revision="HEAD"))
    index = build(compared.snapshot, store, progress=Silent())
    found, _ = impact(file_changes(compared, index, store), index)
    return {f"{one.path} {one.symbol}": one for one in found}


def misfits(found: Mapping[str, Impact], fits: bool | None = False) -> list[tuple[str, int]]:
    """The places of the callers that do not fit (None: may not), each once."""
    return sorted(
        {(c.path, c.line) for one in found.values() for c in one.callers if c.fits is fits}
    )


def only(found: Mapping[str, Impact]) -> Impact:
    """The one change there is."""
    assert len(found) == 1, list(found)
    return next(iter(found.values()))


@pytest.mark.parametrize("changed", LANGUAGES.values(), ids=LANGUAGES)
class TestASignatureWithTwoCallers:
    def test_both_left_behind_are_listed(
        self, make_repository: RepositoryMaker, changed: Changed
    ) -> None:
        found = impact_of(make_repository(changed.files), changed.now)
        assert {one.change for one in found.values()} == {"signature"}
        assert tuple(misfits(found)) == changed.left
        assert misfits(found, None) == []
        why = next(c.why for one in found.values() for c in one.callers if c.fits is False)
        assert "takes 3 arguments (password, salt, rounds)" in why

    def test_none_is_listed_where_the_same_change_updates_them(
        self, make_repository: RepositoryMaker, changed: Changed
    ) -> None:
        found = impact_of(make_repository(changed.files), {**changed.now, **changed.updated})
        assert misfits(found) == misfits(found, None) == []
        assert any(one.change == "signature" for one in found.values())

    def test_a_body_leaves_callers_fitting(
        self, make_repository: RepositoryMaker, changed: Changed
    ) -> None:
        body = {p: t.replace("password + salt", "salt") for p, t in changed.files.items()}
        body = {p: t.replace("{password}{salt}", "{salt}") for p, t in body.items()}
        found = impact_of(make_repository(changed.files), body)
        assert [one.change for one in found.values()] == ["body"]
        assert misfits(found, True) == list(changed.left)
        assert misfits(found) == misfits(found, None) == []

    def test_a_removed_function_leaves_its_callers_behind(
        self, make_repository: RepositoryMaker, changed: Changed
    ) -> None:
        gone = {
            path: text.replace("erive(", "erive_anew(")
            for path, text in changed.files.items()
            if path in changed.now
        }
        gone = {
            path: text.replace("password + salt", "f(1) ** 8 - 9") for path, text in gone.items()
        }
        found = impact_of(make_repository(changed.files), gone)
        left = [place for place in misfits(found) if place in changed.left]
        assert tuple(left) == changed.left


def test_the_tests_that_reach_a_symbol_through_its_callers(
    make_repository: RepositoryMaker,
) -> None:
    found = only(impact_of(make_repository(PYTHON.files), PYTHON.now))
    assert [(t.path, t.symbol, t.hops) for t in found.tests] == [
        ("tests/test_login.py", "test_log_in", 2)
    ]
    assert not found.in_test


def python_impact(
    make_repository: RepositoryMaker, before: str, after: str, *, caller: str
) -> list[Caller]:
    """The callers, in `caller.py`, of what changes in `a.py`."""
    root = make_repository({"a.py": before, "caller.py": caller})
    found = impact_of(root, {"a.py": after})
    return [caller for one in found.values() for caller in one.callers]


IMPORT = "from a import f\n"


@pytest.mark.parametrize(
    ("before", "after", "call", "fits"),
    [
        ("a, b", "a, b=1", "f(1, 2)", True),
        ("a, b", "a", "f(1, 2)", False),
        ("a, b", "a", "f(1, b=2)", False),
        ("a, b", "a, c", "f(1, 2)", True),
        ("a, b", "a, c", "f(1, b=2)", False),
        ("a, b", "a, *, b", "f(1, 2)", False),
        ("a, b", "a, *, b", "f(1, b=2)", True),
        ("a, b", "a, b, /", "f(1, b=2)", False),
        ("a, b", "a, **more", "f(1, b=2)", True),
        ("a, b", "*all", "f(1, 2)", True),
        ("a, b", "a, b, c", "f(*x)", None),
        ("a, b", "a", "f(1, 2, *x)", False),
        ("a, b", "a, *, c", "f(1, **x)", None),
        ("a, b", "a, *, c", "f(1, 2)", False),
        ("a, b: int", "a, b: str", "f(1, 2)", True),
        ("a, b", "a, b, c", "f(x for x in y)", None),
        ("a", "a, c", "f(x for x in y)", False),
    ],
)
def test_python_calls(
    make_repository: RepositoryMaker, *, before: str, after: str, call: str, fits: bool | None
) -> None:
    found = python_impact(
        make_repository,
        f"def f({before}):\n    pass\n",
        f"def f({after}):\n    pass\n",
        caller=f"{IMPORT}{call}\n",
    )
    answers = [caller.fits for caller in found]
    if call == "f(x for x in y)" and before == "a, b":
        assert answers == []  # it never fitted, so it is no call of this function
    else:
        assert answers == [fits]


METHODS = "class Basket:\n    def add(self, item{}):\n        pass\n"


@pytest.mark.parametrize(
    ("caller", "fits"),
    [
        ("from a import Basket\nbasket = Basket()\nbasket.add(1)\n", False),
        ("def fill(basket):\n    basket.add(1)\n", None),
        ("from a import Basket\n\ndef fill(basket: Basket):\n    basket.add(1)\n", False),
        (
            "from a import Basket\nclass Big(Basket):\n    def f(self):\n        self.add(1)\n",
            False,
        ),
        ("class Set:\n    def f(self):\n        self.add(1)\n", "none"),
        ("def fill(basket):\n    basket.add(1, 2)\n", True),
        ("numbers.add(1, 2, 3)\n", "none"),
        ("from a import Basket\nBasket.add(basket, 1)\n", False),
    ],
)
def test_python_methods(
    make_repository: RepositoryMaker, *, caller: str, fits: bool | str | None
) -> None:
    found = python_impact(
        make_repository, METHODS.format(""), METHODS.format(", count"), caller=caller
    )
    adds = [c.fits for c in found if c.path == "caller.py"]
    assert adds == ([] if fits == "none" else [fits])


def test_a_constructor_is_called_by_the_name_of_its_class(
    make_repository: RepositoryMaker,
) -> None:
    found = python_impact(
        make_repository,
        "class Basket:\n    def __init__(self, owner):\n        pass\n",
        "class Basket:\n    def __init__(self, owner, shop):\n        pass\n",
        caller="from a import Basket\nBasket('me')\nBasket('me', 'here')\n",
    )
    assert [(c.line, c.fits) for c in found] == [(2, False), (3, True)]
    assert found[0].why == "it takes 2 arguments (owner, shop), this gives 1 argument"


def test_a_call_that_never_fitted_is_of_something_else(make_repository: RepositoryMaker) -> None:
    decorated = "import click\n\n\n@click.command()\ndef f(a, b{}):\n    pass\n"
    found = python_impact(
        make_repository, decorated.format(""), decorated.format(", c"), caller=f"{IMPORT}f()\n"
    )
    assert found == []


def test_a_call_that_the_change_wrote_wrongly_is_told(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a.py": "def f(a):\n    pass\n", "b.py": "from a import f\nf(1)\n"})
    found = impact_of(
        root, {"a.py": "def f(a, b, c):\n    pass\n", "b.py": "from a import f\nf(1, 2)\n"}
    )
    assert misfits(found) == [("b.py", 2)]


def test_another_function_of_the_name_is_not_a_caller(make_repository: RepositoryMaker) -> None:
    root = make_repository(
        {
            "a.py": "def run(job):\n    pass\n",
            "b.py": "def run(job):\n    pass\n\n\nrun(1)\n",
            "c.py": "from b import run\nrun(1)\n",
            "d.py": "from subprocess import run\nrun(1)\n",
        }
    )
    found = only(impact_of(root, {"a.py": "def run(job, now):\n    pass\n"}))
    assert found.callers == ()


def test_a_function_that_moved_is_still_found_by_its_old_imports(
    make_repository: RepositoryMaker,
) -> None:
    body = "def derive(password, salt):\n    return hash(password + salt)\n"
    root = make_repository(
        {
            "shop/old.py": body + "\n\nX = 1\n",
            "shop/new.py": "Y = 1\n",
            "login.py": "from shop.old import derive\n\nderive(1, 2)\n",
        }
    )
    found = impact_of(root, {"shop/old.py": "X = 1\n", "shop/new.py": f"{body}\n\nY = 1\n"})
    moved = found["shop/new.py derive"]
    assert moved.change == "renamed"
    assert moved.was
    assert (moved.was.path, moved.was.symbol) == ("shop/old.py", "derive")
    assert ("login.py", 1) in misfits(found)
    assert "(now in shop/new.py)" in moved.callers[0].why


def test_what_is_imported_instead_is_not_gone(make_repository: RepositoryMaker) -> None:
    root = make_repository(
        {
            "a.py": "def f(x):\n    return x\n\n\nf(1)\n",
            "b.py": "from a import f\n\nf(1)\n",
        }
    )
    found = impact_of(root, {"a.py": "from library import f\n\n\nf(1)\n"})
    assert misfits(found) == []


def test_a_renamed_function_and_its_callers(make_repository: RepositoryMaker) -> None:
    body = "def {}(password, salt):\n    digest = hash(password)\n    return digest + salt\n"
    root = make_repository(
        {"a.py": body.format("derive"), "b.py": "from a import derive\n\nderive(1, 2)\n"}
    )
    found = only(impact_of(root, {"a.py": body.format("digest_of")}))
    assert found.change == "renamed"
    assert found.was
    assert found.was.symbol == "derive"
    assert [(c.line, c.fits) for c in found.callers] == [(1, False), (3, False)]


def test_overriding_and_overridden_methods(make_repository: RepositoryMaker) -> None:
    root = make_repository(
        {
            "base.py": "class Base:\n    def save(self, item):\n        pass\n",
            "middle.py": (
                "from base import Base\n\n\nclass Middle(Base):\n"
                "    def save(self, item):\n        pass\n"
            ),
            "leaf.py": (
                "from middle import Middle\n\n\nclass Leaf(Middle):\n"
                "    def save(self, item, now=False):\n        pass\n"
            ),
            "other.py": "class Other:\n    def save(self, item):\n        pass\n",
        }
    )
    changed = "from base import Base\n\n\nclass Middle(Base):\n    def save(self, item, when):\n"
    found = only(impact_of(root, {"middle.py": f"{changed}        pass\n"}))
    assert [(r.path, r.symbol, r.relation, r.fits) for r in found.overrides] == [
        ("base.py", "Base.save", "overridden", False),
        ("leaf.py", "Leaf.save", "overrides", None),
    ]


def test_an_overload_may_be_what_is_meant(make_repository: RepositoryMaker) -> None:
    before = "class A {{\n    void put({}) {{}}\n    void put(int a, int b, int c) {{}}\n}}\n"
    root = make_repository(
        {
            "A.java": before.format("int a"),
            "B.java": (
                "class B {\n    void f(A a) {\n        a.put(1);\n"
                "        a.put(1, 2, 3);\n    }\n}\n"
            ),
        }
    )
    found = impact_of(root, {"A.java": before.format("int a, int b")})
    assert [(c.line, c.fits) for c in only(found).callers] == [(3, False), (4, True)]


def test_code_that_only_moved_is_unchanged(make_repository: RepositoryMaker) -> None:
    one, two = "def a():\n    pass\n", "def b():\n    pass\n"
    root = make_repository({"a.py": f"{one}\n\n{two}"})
    assert impact_of(root, {"a.py": f"# new\n{two}\n\n\n{one}"}) == {}


def test_a_class_changes_by_its_own_lines(make_repository: RepositoryMaker) -> None:
    text = "class A(Base):\n    size = 1\n\n    def f(self):\n        pass\n"
    root = make_repository({"a.py": text})
    found = impact_of(root, {"a.py": text.replace("(Base)", "(Other)")})
    assert [(one.symbol, one.change) for one in found.values()] == [("A", "signature")]
    found = impact_of(root, {"a.py": text.replace("(Base)", "(Other)").replace("pass", "return")})
    assert [(one.symbol, one.change) for one in found.values()] == [("A.f", "body")]


def test_a_removed_file(make_repository: RepositoryMaker) -> None:
    root = make_repository(PYTHON.files)
    found = impact_of(root, {"shop/passwords.py": None})
    gone = found["shop/passwords.py derive"]
    assert gone.change == "removed"
    assert (gone.start, gone.end) == (1, 2)
    assert [(c.path, c.line, c.fits) for c in gone.callers] == [
        ("shop/admin.py", 5, False),
        ("shop/login.py", 1, False),
        ("shop/login.py", 5, False),
    ]


def test_a_removed_constant_that_is_still_imported(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a.py": "LIMIT = 3\nX = 1\n", "b.py": "from a import LIMIT\n"})
    assert misfits(impact_of(root, {"a.py": "X = 1\n"})) == [("b.py", 1)]


def test_where_arguments_are_not_read_uses_are_listed_and_not_judged(
    make_repository: RepositoryMaker,
) -> None:
    root = make_repository(
        {
            "shop.rb": "class Shop\n  def derive(password)\n    password\n  end\nend\n",
            "login.rb": "def log_in(shop)\n  shop.derive(1)\nend\n",
        }
    )
    text = "class Shop\n  def derive(password, salt)\n    password\n  end\nend\n"
    found = only(impact_of(root, {"shop.rb": text}))
    assert [(c.path, c.line, c.fits, c.why) for c in found.callers] == [
        ("login.rb", 2, None, "the arguments of ruby are not read")
    ]


def test_a_file_that_became_generated_lost_nothing(make_repository: RepositoryMaker) -> None:
    code = "def f(x):\n    return x\n"
    root = make_repository({"a.py": code, "b.py": "from a import f\n\nf(1)\n"})
    assert impact_of(root, {"a.py": f"# Code generated by make. DO NOT EDIT.\n{code}"}) == {}
