"""What compilers and test runners print: the places they name, their messages, the failing tests.

Each format is one pattern that reads a single line, or two. Nothing is resolved here; stack traces
are `traces`' matter.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from repoqa.evidence.hinted import Hinted
from repoqa.records import Frame

# A file as compilers print it: with a suffix, so that a time of day (12:05:33) is none.
_PATH = r"(?P<path>(?:[A-Za-z]:)?[^\s:()\[\]\"'<>]*\.\w{1,8})"
_LINE = r"(?P<line>\d{1,7})"
_MESSAGE = r"(?P<message>[^\n]*)"
_SEVERITY = r"(?P<severity>(?:fatal |internal compiler )?[Ee]rror|[Ww]arning|note|remark|help|info)"
_SEVERITIES = (
    *(": error", ": Error", ": fatal ", ": internal ", ": warning", ": Warning"),
    *(": note", ": remark", ": help", ": info"),
)

# `severity` where the tool has one; without it the line is an error.
_DIAGNOSTICS = (
    # gcc, clang, javac, swiftc, kotlinc 2, mypy: src/a.c:12:5: error: 'x' undeclared
    Hinted(
        _SEVERITIES, rf"^{_PATH}:{_LINE}(?::\d+)?(?:-\d+)?: {_SEVERITY}(?:\[[\w-]+\])?: {_MESSAGE}"
    ),
    # tsc, MSVC, csc: src/cart.ts(12,5): error TS2304: Cannot find name 'foo'.
    Hinted(
        ("): ", ") : "),
        rf"^[ \t]*(?:\d+>)?{_PATH}\({_LINE}(?:,\d+)*\) ?: {_SEVERITY} (?:[A-Z]+\d+)?: {_MESSAGE}",
    ),
    # tsc --pretty: src/cart.ts:12:5 - error TS2304: Cannot find name 'foo'.
    Hinted((" TS",), rf"^{_PATH}:{_LINE}:\d+ - {_SEVERITY} TS\d+: {_MESSAGE}"),
    # rustc: the message stands a line above the place; a place alone belongs to the one before.
    Hinted(("--> ",), rf"^{_SEVERITY}(?:\[\w+\])?: {_MESSAGE}\n[ \t]*--> {_PATH}:{_LINE}:\d+"),
    Hinted(("::: ",), rf"^[ \t]*(?P<severity>:::) {_PATH}:{_LINE}:\d+(?P<message>)"),
    # Maven: [ERROR] /app/src/main/java/com/shop/Cart.java:[12,5] cannot find symbol
    Hinted(
        ("[ERROR] ", "[WARNING] "),
        rf"^\[(?P<severity>ERROR|WARNING)\] {_PATH}:\[{_LINE},\d+\] {_MESSAGE}",
    ),
    # kotlinc: e: file:///app/src/Cart.kt:12:5 Unresolved reference; once e: Cart.kt: (12, 5): ...
    Hinted(
        ("e: ", "w: "),
        rf"^(?P<severity>[ew]): (?:file://)?{_PATH}:(?: \()?{_LINE}(?::|, )\d+\)?:? {_MESSAGE}",
    ),
    # sbt: [error] /app/src/Cart.scala:12:5: not found; [error] -- [E006] Not Found Error: ...
    Hinted(
        ("[error] ", "[warn] "),
        r"^\[(?P<severity>error|warn)\] (?:-- [^\n]*?(?:Error|Warning): )?"
        rf"{_PATH}:{_LINE}:\d+:? {_MESSAGE}",
    ),
    # go build, go vet: ./cart.go:12:5: undefined: foo
    Hinted(
        (".go:",), rf"^(?:vet: )?(?P<path>[^\s:]+\.go):{_LINE}:\d+: (?!error:|warning:){_MESSAGE}"
    ),
    # go test: the lines that t.Errorf prints, indented
    Hinted((".go:",), rf"^[ \t]+(?P<path>[^\s:]+\.go):{_LINE}: {_MESSAGE}"),
    # testify: Error Trace:  /app/cart_test.go:12, and the message below
    Hinted(
        ("Error Trace:",),
        rf"^[ \t]+Error Trace:[ \t]+{_PATH}:{_LINE}\n[ \t]+Error:[ \t]+{_MESSAGE}",
    ),
    # ld: src/a.c:12: undefined reference to `foo'
    Hinted(
        ("undefined reference", "multiple definition"),
        rf"^(?:[^\s:]*ld(?:\.\w+)?: )?(?:[^\s:]+\.o: [^\n]*?)?{_PATH}:{_LINE}: "
        r"(?P<message>(?:undefined reference|multiple definition)[^\n]*)",
    ),
    # GoogleTest: /app/cart_test.cc:12: Failure
    Hinted((": Failure",), rf"^{_PATH}:{_LINE}: Failure\n{_MESSAGE}"),
    # minitest: CartTest#test_adds [test/cart_test.rb:12]:
    Hinted(("#test_",), rf"^\w+#test_\w+ \[{_PATH}:{_LINE}\]:\n{_MESSAGE}"),
    # PHPUnit: a line of its own below the message
    Hinted((".php:",), rf"^(?P<path>[^\s:]+\.php):{_LINE}(?P<message>)$"),
)
# `owner` is the class or module that a test belongs to, where it is printed apart.
_FAILING_TESTS = (
    # pytest: the summary, -v, pytest-xdist, and the headings of its sections
    Hinted(
        (".py::",), r"^(?:\[gw\d+\][^\n]*?)?(?:FAILED|ERROR) (?P<test>[^\s:]+\.py(?:::[^\s\[:]+)+)"
    ),
    Hinted((".py::",), r"^(?P<test>[^\s:]+\.py(?:::[^\s\[:]+)+)[^\n]{0,200}? (?:FAILED|ERROR)\b"),
    Hinted(
        ("___ ",), r"^_{3,} (?:ERROR at \w+ of )?(?P<test>\w*[Tt]est[\w.]*)(?:\[[^\n]*\])? _{3,}$"
    ),
    # unittest: FAIL: test_adds (tests.test_cart.CartTest)
    Hinted(
        ("FAIL: ", "ERROR: "), r"^(?:FAIL|ERROR): (?P<test>\w*[Tt]est\w*) \((?P<owner>[\w.]+)\)"
    ),
    # jest and vitest: "● Cart › adds prices", "FAIL  src/cart.test.ts > adds prices", "× adds"
    Hinted(("● ",), r"^[ \t]*● (?!Console$|Test suite failed|process\.exit)(?P<test>\S[^\n]*)$"),
    Hinted(("FAIL",), r"^[ \t]*FAIL[ \t]+(?P<owner>[^\s>]+)(?: \[[^\]\n]*\])? > (?P<test>[^\n]+)$"),
    Hinted(("✕ ", "× ", "✗ "), r"^[ \t]+[✕×✗] (?P<test>[^\n]+?)(?: \(?\d+(?:\.\d+)? ?m?s\)?)?$"),
    # go test: --- FAIL: TestTotal/empty (0.00s)
    Hinted(("--- FAIL: ",), r"^[ \t]*--- FAIL: (?P<test>\S+)"),
    # cargo test, and cargo-nextest
    Hinted(("... FAILED",), r"^test (?P<test>\S+)[^\n]{0,200}? \.\.\. FAILED$"),
    Hinted(("FAIL [",), r"^[ \t]*FAIL \[[^\]\n]*\][ \t]+(?:\([^)\n]*\) )?\S+ (?P<test>\S+)$"),
    # Maven Surefire: [ERROR] com.shop.CartTest.adds -- Time elapsed; once adds(com.shop.CartTest)
    Hinted(
        ("Time elapsed",),
        r"^\[ERROR\][ \t]+(?P<test>[\w.$]*\w)(?:\((?P<owner>[\w.$]+)\))?[ \t]+(?:-- )?"
        r"[ \t]*Time elapsed",
    ),
    Hinted(("[ERROR]",), r"^\[ERROR\][ \t]+(?P<test>[A-Z][\w$]*\.\w+):\d+"),
    # Gradle: com.shop.CartTest > adds() FAILED
    Hinted((" FAILED",), r"^(?P<owner>[A-Za-z][\w.$]*) > (?P<test>[^\n]+) FAILED$"),
    # GoogleTest: [  FAILED  ] CartTest.Adds (0 ms)
    Hinted(("[  FAILED  ] ",), r"^\[  FAILED  \] (?P<test>[\w/]+\.[\w/]+)"),
    # dotnet test: Failed Shop.CartTests.Adds [12 ms]
    Hinted(("Failed ",), r"^[ \t]+Failed (?P<test>[\w.+]+)(?:\([^\n]*\))? \["),
    # RSpec, PHPUnit, minitest, XCTest
    Hinted(("rspec ",), r"^rspec \S+:\d+ # (?P<test>[^\n]+)$"),
    Hinted(("::",), r"^\d+\) (?P<test>[\w\\]+::\w+)"),
    Hinted(("#test_",), r"^(?P<test>\w+#test_\w+)"),
    Hinted(("error: -[",), r"\berror: -\[(?P<test>[\w.]+ \w+)\]"),
)
# The failing line as the runner quotes it, or its parts: pytest's "> ", "E   assert" and "where",
# the "> 12 |" of jest and vitest.
_QUOTED = re.compile(
    r"^(?:[ \t]*>(?:[ \t]{2,}|[ \t]*\d+ ?\|[ \t]*)|E[ \t]+(?:assert |\+[ \t]+(?:where|and) ))"
    r"(?P<code>\S[^\n]*)$",
    re.M,
)
# What was asserted, where no exception's name stands before it.
_ASSERTED = re.compile(
    r"^E[ \t]{2,}(?P<pytest>assert [^\n]+)$"
    r"|panicked at [^\n']*:\d+:\d+:\n(?P<rust>[^\n]+)$"
    r"|panicked at '(?P<old_rust>[^\n]+)', [^\n]*:\d+:\d+$",
    re.M,
)
# One mistake in a header makes thousands of errors; those after the first hundred say no more.
MOST_DIAGNOSTICS = 100
MOST_TESTS = 50
MOST_QUOTED = 50
LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A place that a compiler or a test runner names, and what it says of it. A `note` adds to
    the diagnostic before it."""

    path: str
    line: int
    severity: str
    message: str


def diagnostics(text: str) -> tuple[Diagnostic, ...]:
    """The errors in a text with their notes, in the order printed; the warnings where no error is.

    Never raises; at most `MOST_DIAGNOSTICS`.
    """
    found: dict[int, Diagnostic] = {}
    for pattern in _DIAGNOSTICS:
        for match in islice(pattern.finditer(text), 4 * MOST_DIAGNOSTICS):
            found.setdefault(match.start("path"), _diagnostic(match))
    printed = [diagnostic for _, diagnostic in sorted(found.items(), key=lambda pair: pair[0])]
    wanted = "error" if any(each.severity == "error" for each in printed) else "warning"
    return tuple(islice(_with_notes(printed, wanted), MOST_DIAGNOSTICS))


def places(found: tuple[Diagnostic, ...], *, trace: int) -> tuple[Frame, ...]:
    """Diagnostics as frames: each is a trace of its own, counted from `trace`, with its notes as
    the frames around it."""
    frames: list[Frame] = []
    for each in dict.fromkeys(found):
        before = frames[-1] if frames else None
        if each.severity == "note" and before is not None:
            number, depth = before.trace, before.depth + 1
        else:
            number, depth = (before.trace + 1 if before else trace), 0
        frames.append(Frame(each.path, each.line, "", number, depth))
    return tuple(frames)


def failing_tests(text: str) -> tuple[str, ...]:
    """The names of failing tests, each once, in the order printed."""
    found: dict[int, str] = {}
    for pattern in _FAILING_TESTS:
        for match in islice(pattern.finditer(text), MOST_TESTS):
            groups = match.groupdict()
            parts = (groups.get("owner"), groups["test"].strip())
            found[match.start("test")] = " ".join(part for part in parts if part)
    names = dict.fromkeys(name for _, name in sorted(found.items()))
    return tuple(islice((name[:LONGEST_MESSAGE] for name in names), MOST_TESTS))


def quoted_code(text: str) -> str:
    """The failing lines that test runners quote, a line each."""
    matches = islice(_QUOTED.finditer(text), MOST_QUOTED)
    return "\n".join(match["code"][:LONGEST_MESSAGE] for match in matches)


def assertions(text: str) -> Iterator[str]:
    """What failed assertions and panics say, where no exception's name tells."""
    for match in islice(_ASSERTED.finditer(text), MOST_TESTS):
        said = match["pytest"] or match["rust"] or match["old_rust"]
        yield said.strip()[:LONGEST_MESSAGE]


def _diagnostic(match: re.Match[str]) -> Diagnostic:
    return Diagnostic(
        path=match["path"].replace("\\", "/"),
        line=int(match["line"]),
        severity=_severity(match.groupdict().get("severity") or "error"),
        message=match["message"].strip()[:LONGEST_MESSAGE],
    )


def _severity(printed: str) -> str:
    """`error`, `warning` or `note`."""
    lowered = printed.lower()
    if lowered.endswith("error") or lowered == "e":
        return "error"
    return "warning" if lowered in ("warning", "warn", "w") else "note"


def _with_notes(printed: list[Diagnostic], wanted: str) -> Iterator[Diagnostic]:
    is_wanted = False
    for each in printed:
        is_wanted = each.severity == wanted or (each.severity == "note" and is_wanted)
        if is_wanted:
            yield each
