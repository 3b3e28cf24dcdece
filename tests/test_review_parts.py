"""The pieces of a review: patches taken apart, a model's lines read, signatures and calls."""

import difflib
from pathlib import Path

import pytest
from conftest import RepositoryMaker, git, write_files
from hypothesis import given
from hypothesis import strategies as st

from repoqa.parsing.calls import calls
from repoqa.parsing.signatures import Signature, signatures
from repoqa.parsing.source import Source, read_source
from repoqa.records import Span
from repoqa.review.claims import Claim, claims, says_nothing
from repoqa.review.fit import fits, takes
from repoqa.review.patch import PatchError, applied, changed_lines, read_patch
from repoqa.review.pushes import Push, read_pushes

LINES = st.lists(st.sampled_from(["a", "b", "", "+x", "-x", "@@ -1 +1 @@", "--- a", "\\ n"]))


def diff_of(old: list[str], new: list[str]) -> str:
    return "\n".join(
        difflib.unified_diff(old, new, "a/file name.py", "b/file name.py", lineterm="", n=1)
    )


@given(LINES, LINES)
def test_a_patch_makes_the_new_of_the_old_and_back(old: list[str], new: list[str]) -> None:
    patches = read_patch(diff_of(old, new))
    if old == new:
        assert patches == ()
        return
    (patch,) = patches
    assert (patch.old_path, patch.new_path) == ("file name.py", "file name.py")
    assert applied(patch.hunks, old) == new
    assert applied(patch.hunks, new, reverse=True) == old


@given(LINES, LINES)
def test_the_changed_lines_are_those_that_the_old_side_lacks(
    old: list[str], new: list[str]
) -> None:
    for patch in read_patch(diff_of(old, new)):
        kept = [line for number, line in enumerate(new, 1) if number not in changed_lines(patch)]
        matched = iter(old)
        assert all(any(line == other for other in matched) for line in kept)


@given(st.text())
def test_what_is_no_diff_has_no_files_or_harmless_ones(text: str) -> None:
    for patch in read_patch(text):
        for hunk in patch.hunks:
            assert hunk.new.start >= 0
        try:
            applied(patch.hunks, text.split("\n"))
        except PatchError:
            continue


def test_what_git_writes_of_odd_files(make_repository: RepositoryMaker) -> None:
    root = make_repository(
        {
            "old name.py": "".join(f"x = {n}\n" for n in range(9)),
            "gone.py": "x\n",
            "mode.sh": "x\n",
            "logo.bin": b"\0",
        }
    )
    git(root, "mv", "old name.py", "näw\tname.py")
    git(root, "rm", "--quiet", "gone.py")
    (root / "mode.sh").chmod(0o755)
    write_files(root, {"logo.bin": b"\0\1", "no end.py": "x", "empty.py": ""})
    git(root, "add", "--all")
    text = git(root, "diff", "--cached", "--find-renames")
    told = {(p.old_path, p.new_path, p.is_binary, len(p.hunks)) for p in read_patch(text)}
    assert told == {
        ("old name.py", "näw\tname.py", False, 0),
        ("gone.py", "", False, 1),
        ("mode.sh", "mode.sh", False, 0),
        ("logo.bin", "logo.bin", True, 0),
        ("", "no end.py", False, 1),
        ("", "empty.py", False, 0),
    }


def test_a_patch_of_diff_u() -> None:
    text = "--- a.py\t2024-01-01\n+++ a.py\t2024-01-02\n@@ -1 +1,2 @@\n-x\n+y\n+z\n"
    (patch,) = read_patch(text)
    assert patch.path == "a.py"
    assert (patch.hunks[0].old, patch.hunks[0].new) == (Span(1, 1), Span(1, 2))


@pytest.mark.parametrize(
    ("line", "claim"),
    [
        ("a.py:3: error: x is not set here", Claim("a.py", 3, "error", 0.5, "x is not set here")),
        ("- `a.py:3`: **Warning**: x is None", Claim("a.py", 3, "warning", 0.5, "x is None")),
        ("2) a.py:3-9 - [INFO] a wrong name", Claim("a.py", 3, "info", 0.5, "a wrong name")),
        ("a.py, line 3: bug: x is None", Claim("a.py", 3, "error", 0.5, "x is None")),
        (
            "a.py#L3: High severity: it leaks memory",
            Claim("a.py", 3, "error", 0.5, "it leaks memory"),
        ),
        ("a.py:3:7: warning: x is None", Claim("a.py", 3, "warning", 0.5, "x is None")),
        ("a.py:3: x is None", Claim("a.py", 3, "warning", 0.5, "x is None")),
        (
            "a.py:3: error: x is None (confidence: 90%)",
            Claim("a.py", 3, "error", 0.9, "x is None"),
        ),
        ("a.py:3: error: x is None, confidence 0.7", Claim("a.py", 3, "error", 0.7, "x is None")),
        ("In src/a.py:3: error: x is None", Claim("src/a.py", 3, "error", 0.5, "x is None")),
    ],
)
def test_lines_that_are_findings(line: str, claim: Claim) -> None:
    assert list(claims(f"Here they are:\n\n{line}\n")) == [claim]


@pytest.mark.parametrize(
    "text",
    ["", "NONE", "The change looks good.", "I found 3 problems:", "12: error", "see above: 3 of 4"],
)
def test_prose_is_no_finding(text: str) -> None:
    assert [c for c in claims(text) if not says_nothing(c.message)] == []


@given(st.text())
def test_any_answer_can_be_read(text: str) -> None:
    for claim in claims(text):
        assert claim.line >= 0
        assert 0 <= claim.confidence <= 1
        assert "\n" not in claim.message


@pytest.mark.parametrize("message", ["no issues here at all", "looks good to me", "fine", ""])
def test_messages_that_say_nothing(message: str) -> None:
    assert says_nothing(message)


def read(path: str, text: str) -> Source:
    source = read_source(path, text.encode())
    assert source
    return source


def signature(path: str, text: str) -> Signature:
    (found,) = signatures(read(path, text))
    return found


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("a.py", "def f(a, /, b, *, c, d=1): pass", "3 to 4 arguments (a, b, c, d)"),
        ("a.py", "def f(*a, **b): pass", "0 or more arguments (a, b)"),
        ("a.ts", "function f(this: X, a: A, b?: B, ...c: C[]) {}", "1 or more arguments (a, b, c)"),
        ("a.js", "const f = (a, b = 1) => a", "1 to 2 arguments (a, b)"),
        ("A.java", "class A { void f(int a, String... b) {} }", "1 or more"),
        ("a.go", "package a\nfunc f(a, b int, c ...string) {}", "2 or more"),
        ("a.c", "int f(void);", "0 arguments"),
        ("a.cpp", "int f(int a, int b = 2);", "1 to 2 arguments (a, b)"),
        ("a.rs", "impl A { fn f(&self, a: u8) {} }", "1 argument (a)"),
    ],
)
def test_what_a_signature_takes(path: str, text: str, words: str) -> None:
    assert takes(signature(path, text)).startswith(words)


@pytest.mark.parametrize(
    ("path", "text", "given", "spreads"),
    [
        ("a.py", "f(1, *a, x=2)", 1, True),
        ("a.py", "f(a for a in b)", 1, False),
        ("a.ts", "f<number>(1, ...a)", 1, True),
        ("a.js", "new f", 0, False),
        ("A.java", "class A { int a = o.f(1, g(2)); }", 2, False),
        ("a.go", "package a\nfunc g() { f(h()) }", 0, True),
        ("a.cpp", "int a = n::f<int>(1, 2);", 2, False),
        ("a.cpp", "void g() { f a(1, 2); }", 2, False),
        ("a.rs", "fn g() { assert_eq!(f(1, (2, 3),), 4); }", 2, False),
        ("a.rs", "fn g() { f::<u8>(/* none */); }", 0, False),
    ],
)
def test_what_a_call_gives(path: str, text: str, given: int, *, spreads: bool) -> None:
    (found,) = [call for call in calls(read(path, text)) if call.name == "f"]
    assert (found.given, found.spreads) == (given, spreads)


@given(
    st.lists(st.sampled_from(["a", "b=1", "*c", "*", "d", "e=2", "**f"]), unique=True),
    st.lists(st.sampled_from(["1", "2", "a=1", "b=2", "d=3", "e=4", "x=5"]), unique=True),
)
def test_a_call_fits_where_python_itself_takes_it(
    parameters: list[str], arguments: list[str]
) -> None:
    definition = f"def f({', '.join(parameters)}): pass"
    call = f"f({', '.join(arguments)})"
    scope: dict[str, object] = {}
    try:
        exec(definition, scope)
        compile(call, "call", "eval")
    except SyntaxError:
        return
    try:
        eval(call, scope)
        does_fit = True
    except TypeError:
        does_fit = False
    (found,) = calls(read("a.py", call))
    assert fits(found, signature("a.py", definition)) is does_fit


def test_the_lines_that_git_gives_a_hook() -> None:
    zeros = "0" * 40
    lines = f"HEAD@{{1 day ago}} {'1' * 40} refs/heads/a {zeros}\n\nno\n(delete) {zeros} b {zeros}"
    assert list(read_pushes(lines)) == [
        Push("HEAD@{1 day ago}", "1" * 40, "refs/heads/a", zeros),
        Push("(delete)", zeros, "b", zeros),
    ]


def test_the_hook_for_the_pre_commit_framework_is_a_command() -> None:
    text = (Path(__file__).parent.parent / ".pre-commit-hooks.yaml").read_text()
    assert "entry: repoqa hook run\n" in text
    assert "stages: [pre-push]\n" in text
