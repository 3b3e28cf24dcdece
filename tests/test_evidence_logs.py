"""What is read from the output of test runners and compilers."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import repoqa
from conftest import RepositoryMaker
from hypothesis import given
from hypothesis import strategies as st

from repoqa.evidence import logs
from repoqa.evidence.question import read
from repoqa.records import Question

PYTEST_LONG = """\
============================= test session starts ==============================
platform linux -- Python 3.11.9, pytest-8.2.0, pluggy-1.5.0
rootdir: /app
collected 3 items

tests/test_cart.py .F.                                                   [100%]

=================================== FAILURES ===================================
____________________________ TestCart.test_adds[two] ___________________________

self = <tests.test_cart.TestCart object at 0x7f1c>

    def test_adds(self, prices):
>       assert shop.total(prices) == 4

tests/test_cart.py:14:
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _

prices = [1, None]

    def total(prices):
>       return sum(price.cents for price in prices)
E       AttributeError: 'int' object has no attribute 'cents'

shop/cart.py:31: AttributeError
------------------------------ Captured log call -------------------------------
WARNING  shop.cart:cart.py:29 adding up 2 prices
=========================== short test summary info ============================
FAILED tests/test_cart.py::TestCart::test_adds[two] - AttributeError: 'int' o...
========================= 1 failed, 2 passed in 0.12s ==========================
"""
PYTEST_ASSERTION = """\
=================================== FAILURES ===================================
________________________________ test_adds _____________________________________
tests/test_cart.py:9: in test_adds
    assert total([1, 2]) == 4
E   assert 3 == 4
E    +  where 3 = total([1, 2])
=========================== short test summary info ============================
FAILED tests/test_cart.py::test_adds - assert 3 == 4
"""
PYTEST_XDIST = """\
[gw0] [ 33%] PASSED tests/test_a.py::test_one
[gw1] [ 66%] FAILED tests/test_cart.py::test_adds
ERROR tests/test_login.py::test_twice - fixture 'user' not found
tests/test_basket.py::test_empty FAILED                                  [ 99%]
"""
UNITTEST = """\
.FE
======================================================================
ERROR: test_empty (tests.test_cart.CartTest.test_empty)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/app/tests/test_cart.py", line 12, in test_empty
    total(None)
  File "/app/shop/cart.py", line 31, in total
    return sum(prices)
TypeError: 'NoneType' object is not iterable

======================================================================
FAIL: test_adds (tests.test_cart.CartTest)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/app/tests/test_cart.py", line 9, in test_adds
    self.assertEqual(total([1]), 2)
AssertionError: 1 != 2

Ran 3 tests in 0.001s
"""
JEST = """\
 FAIL  src/cart.test.js
  Cart
    total
      ✓ is nothing at first (2 ms)
      ✕ adds prices (3 ms)

  ● Cart › total › adds prices

    TypeError: Cannot read properties of undefined (reading 'cents')

      10 | export function total(items) {
    > 11 |   return items.reduce((sum, item) => sum + item.price.cents, 0);
         |                                                       ^
      12 | }

      at cents (src/cart.js:11:55)
          at Array.reduce (<anonymous>)
      at reduce (src/cart.js:11:16)
      at Object.total (src/cart.test.js:12:23)
      at Promise.then.completed (node_modules/jest-circus/build/utils.js:298:28)

Test Suites: 1 failed, 1 total
"""
VITEST = """\
 RUN  v1.6.0 /app

 ❯ src/cart.test.ts  (2 tests | 1 failed) 6ms
   ❯ src/cart.test.ts > Cart > adds prices
     → expected 3 to be 4 // Object.is equality

⎯⎯⎯⎯⎯⎯⎯ Failed Tests 1 ⎯⎯⎯⎯⎯⎯⎯

 FAIL  src/cart.test.ts > Cart > adds prices
AssertionError: expected 3 to be 4 // Object.is equality
 ❯ total src/cart.ts:5:11
      3|   it("adds prices", () => {
      4|     expect(total([1, 2])).toBe(4);
 ❯ src/cart.test.ts:12:23
"""
GO_TEST = """\
=== RUN   TestTotal
=== RUN   TestTotal/empty
    cart_test.go:14: total(nil) = 1, want 0
2024/05/06 07:08:09 cart opened
--- FAIL: TestTotal (0.00s)
    --- FAIL: TestTotal/empty (0.00s)
FAIL
FAIL\tgithub.com/shop/cart\t0.003s
"""
GO_PANIC = """\
--- FAIL: TestTotal (0.00s)
panic: runtime error: index out of range [3] with length 3 [recovered]
\tpanic: runtime error: index out of range [3] with length 3

goroutine 18 [running]:
testing.tRunner.func1.2({0x5131a0, 0xc0000b2000})
\t/usr/local/go/src/testing/testing.go:1632 +0x230
github.com/shop/cart.(*Cart).Total(...)
\t/home/dev/shop/cart/cart.go:31
github.com/shop/cart.Map[...]({0xc0, 0x3})
\t/home/dev/shop/cart/map.go:7 +0x1d
github.com/shop/cart.TestTotal(0xc000101380)
\t/home/dev/shop/cart/cart_test.go:14 +0x1d
"""
TESTIFY = """\
--- FAIL: TestTotal (0.00s)
    cart_test.go:14:
        \tError Trace:\t/home/dev/shop/cart/cart_test.go:14
        \tError:      \tNot equal:
        \t            \texpected: 4
"""
GO_BUILD = """\
# github.com/shop/cart
./cart.go:12:5: undefined: price
cart/map.go:7:16: cannot use x (variable of type int) as string value in return statement
vet: ./main.go:3:8: could not import github.com/shop/none
"""
CARGO_TEST = """\
running 2 tests
test cart::tests::is_empty ... ok
test cart::tests::adds ... FAILED

failures:

---- cart::tests::adds stdout ----

thread 'cart::tests::adds' panicked at src/cart.rs:31:10:
assertion `left == right` failed: the sum is off
  left: 3
 right: 4
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

failures:
    cart::tests::adds

test result: FAILED. 1 passed; 1 failed; 0 ignored
"""
CARGO_OLD = """\
test cart::tests::adds ... FAILED
thread 'cart::tests::adds' panicked at 'no price for pear', src/cart.rs:31:10
"""
NEXTEST = """\
        PASS [   0.004s] shop cart::tests::is_empty
        FAIL [   0.005s] shop cart::tests::adds
"""
RUSTC = """\
   Compiling shop v0.1.0 (/home/dev/shop)
warning: unused variable: `count`
  --> src/main.rs:3:9
   |
3  |     let count = 1;
   |         ^^^^^ help: if this is intentional, prefix it with an underscore: `_count`

error[E0308]: mismatched types
   --> src/cart.rs:12:5
    |
11  | fn total() -> u64 {
    |               --- expected `u64` because of return type
12  |     "none"
    |     ^^^^^^ expected `u64`, found `&str`
    |
   ::: src/price.rs:40:1
    |
40  | pub type Cents = u64;
    | --------------------- this one

error: aborting due to 1 previous error; 1 warning emitted
"""
SUREFIRE = """\
[INFO] Running com.shop.CartTest
[ERROR] Tests run: 2, Failures: 1, Errors: 1, Skipped: 0, Time elapsed: 0.05 s <<< FAILURE! - in X
[ERROR] com.shop.CartTest.adds -- Time elapsed: 0.012 s <<< ERROR!
java.lang.NullPointerException: Cannot invoke "Price.cents()" because "price" is null
\tat com.shop.Cart.total(Cart.java:31)
\tat com.shop.CartTest.adds(CartTest.java:14)
\tat java.base/java.lang.reflect.Method.invoke(Method.java:580)
\tat org.junit.platform.commons.util.ReflectionUtils.invokeMethod(ReflectionUtils.java:767)

[ERROR] isEmpty(com.shop.CartTest)  Time elapsed: 0.001 s  <<< FAILURE!
org.opentest4j.AssertionFailedError: expected: <0> but was: <1>
\tat com.shop.CartTest.isEmpty(CartTest.java:22)

[ERROR] Failures:
[ERROR]   CartTest.isEmpty:22 expected: <0> but was: <1>
"""
GRADLE = """\
> Task :test FAILED

com.shop.CartTest > adds(List) FAILED
    java.lang.NullPointerException at Cart.java:31
        Caused by: java.lang.IllegalStateException at Price.java:8

CartTest > nothing at first FAILED
    org.opentest4j.AssertionFailedError: expected: <0> but was: <1>
        at CartTest.java:22

2 tests completed, 2 failed
"""
MAVEN_COMPILE = """\
[INFO] Compiling 12 source files to /app/target/classes
[WARNING] /app/src/main/java/com/shop/Price.java:[3,1] unchecked conversion
[ERROR] COMPILATION ERROR :
[ERROR] /app/src/main/java/com/shop/Cart.java:[12,5] cannot find symbol
  symbol:   method cents()
[ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.11.0:compile
"""
JAVAC = """\
src/main/java/com/shop/Cart.java:12: error: cannot find symbol
        return price.cents();
                    ^
  symbol:   method cents()
  location: variable price of type Price
src/main/java/com/shop/Shop.java:3: warning: [deprecation] Price in com.shop has been deprecated
1 error
"""
KOTLINC = """\
w: file:///app/src/main/kotlin/Shop.kt:3:9 Variable 'count' is never used
e: file:///app/src/main/kotlin/Cart.kt:12:5 Unresolved reference: cents
e: /app/src/main/kotlin/Price.kt: (40, 1): Expecting a top level declaration
"""
SBT = """\
[info] compiling 3 Scala sources to /app/target/scala-2.13/classes ...
[error] /app/src/main/scala/Cart.scala:12:5: not found: value cents
[error] -- [E006] Not Found Error: /app/src/main/scala/Price.scala:40:4 ---
[error] one error found
"""
GCC = """\
gcc -Wall -c -o build/cart.o src/cart.c
In file included from src/shop.h:3,
                 from src/cart.c:1:
src/cart.c: In function 'total':
src/cart.c:12:5: error: 'prices' undeclared (first use in this function)
   12 |     prices[0] = 1;
      |     ^~~~~~
src/cart.c:12:5: note: each undeclared identifier is reported only once
src/price.c:7:9: warning: unused variable 'cents' [-Wunused-variable]
/usr/include/stdio.h:33:10: fatal error: stddef.h: No such file or directory
make: *** [Makefile:12: build/cart.o] Error 1
"""
CLANG = """\
In file included from /src/shop/cart.cpp:1:
/src/shop/price.hpp:40:12: error: no member named 'cents' in 'shop::Price'
  return p.cents();
         ~ ^
/src/shop/cart.cpp:12:5: note: in instantiation of member function 'shop::Cart::add' requested here
1 error generated.
"""
LINKER = """\
/usr/bin/ld: build/cart.o: in function `total':
/src/shop/cart.c:12: undefined reference to `cents'
collect2: error: ld returned 1 exit status
"""
MSVC = """\
C:\\work\\shop\\cart.cpp(12,5): error C2065: 'prices': undeclared identifier
  cart.cpp(40): warning C4996: 'strcpy': This function may be unsafe.
"""
CSC = """\
/app/Shop/Cart.cs(12,5): error CS0103: The name 'cents' does not exist [/app/Shop/Shop.csproj]
/app/Shop/Price.cs(40,17): warning CS0168: The variable 'x' is declared but never used
"""
TSC = """\
src/cart.ts(12,5): error TS2304: Cannot find name 'cents'.
src/price.ts(40,17): error TS2322: Type 'string' is not assignable to type 'number'.
"""
TSC_PRETTY = """\
src/cart.ts:12:5 - error TS2304: Cannot find name 'cents'.

12     cents();
       ~~~~~

Found 1 error in src/cart.ts:12
"""
WARNINGS_ONLY = """\
src/cart.c:12:5: warning: 'cents' may be used uninitialized [-Wmaybe-uninitialized]
src/cart.c:9:7: note: 'cents' was declared here
"""
GOOGLETEST = """\
[ RUN      ] CartTest.Adds
/src/shop/cart_test.cc:14: Failure
Expected equality of these values:
  cart.total()
    Which is: 3
[  FAILED  ] CartTest.Adds (0 ms)
"""
DOTNET = """\
  Failed Shop.Tests.CartTests.Adds(count: 2) [12 ms]
  Error Message:
   System.NullReferenceException : Object reference not set to an instance of an object.
  Stack Trace:
     at Shop.Cart.Total() in /app/Shop/Cart.cs:line 31
   at Shop.Tests.CartTests.Adds(Int32 count) in /app/Shop.Tests/CartTests.cs:line 14
"""
RSPEC = """\
Failures:

  1) Cart adds prices
     Failure/Error: prices.sum(&:cents)

     NoMethodError:
       undefined method `cents' for nil
     # ./lib/cart.rb:31:in `total'
     # ./spec/cart_spec.rb:14:in `block (2 levels) in <top (required)>'

Failed examples:

rspec ./spec/cart_spec.rb:12 # Cart adds prices
"""
MINITEST = """\
  1) Failure:
CartTest#test_adds [test/cart_test.rb:14]:
Expected: 4
  Actual: 3
"""
PHPUNIT = """\
There was 1 failure:

1) Shop\\Tests\\CartTest::testAdds
Failed asserting that 3 matches expected 4.

/app/tests/CartTest.php:14
"""
XCTEST = """\
/app/Tests/CartTests.swift:14: error: -[ShopTests.CartTests testAdds] : XCTAssertEqual failed: 3
"""

# For each output: the places in the order of their traces, the failing tests, a message.
KNOWN: dict[str, tuple[str, list[tuple[str, int]], list[str], str]] = {
    "pytest": (
        PYTEST_LONG,
        [("tests/test_cart.py", 14), ("shop/cart.py", 31)],
        ["TestCart.test_adds", "tests/test_cart.py::TestCart::test_adds"],
        "'int' object has no attribute 'cents'",
    ),
    "pytest, an assertion": (
        PYTEST_ASSERTION,
        [("tests/test_cart.py", 9)],
        ["test_adds", "tests/test_cart.py::test_adds"],
        "assert 3 == 4",
    ),
    "pytest-xdist": (
        PYTEST_XDIST,
        [],
        [
            "tests/test_cart.py::test_adds",
            "tests/test_login.py::test_twice",
            "tests/test_basket.py::test_empty",
        ],
        "",
    ),
    "unittest": (
        UNITTEST,
        [
            ("/app/tests/test_cart.py", 12),
            ("/app/shop/cart.py", 31),
            ("/app/tests/test_cart.py", 9),
        ],
        ["tests.test_cart.CartTest.test_empty test_empty", "tests.test_cart.CartTest test_adds"],
        "'NoneType' object is not iterable",
    ),
    "jest": (
        JEST,
        [
            ("src/cart.js", 11),
            ("src/cart.js", 11),
            ("src/cart.test.js", 12),
            ("node_modules/jest-circus/build/utils.js", 298),
        ],
        ["adds prices", "Cart › total › adds prices"],
        "Cannot read properties of undefined (reading 'cents')",
    ),
    "vitest": (
        VITEST,
        [("src/cart.ts", 5), ("src/cart.test.ts", 12)],
        ["src/cart.test.ts Cart > adds prices"],
        "expected 3 to be 4 // Object.is equality",
    ),
    "go test": (
        GO_TEST,
        [("cart_test.go", 14)],
        ["TestTotal", "TestTotal/empty"],
        "total(nil) = 1, want 0",
    ),
    "go test, a panic": (
        GO_PANIC,
        [
            ("/usr/local/go/src/testing/testing.go", 1632),
            ("/home/dev/shop/cart/cart.go", 31),
            ("/home/dev/shop/cart/map.go", 7),
            ("/home/dev/shop/cart/cart_test.go", 14),
        ],
        ["TestTotal"],
        "runtime error: index out of range [3] with length 3",
    ),
    "testify": (TESTIFY, [("/home/dev/shop/cart/cart_test.go", 14)], ["TestTotal"], "Not equal:"),
    "go build": (
        GO_BUILD,
        [("./cart.go", 12), ("cart/map.go", 7), ("./main.go", 3)],
        [],
        "undefined: price",
    ),
    "cargo test": (
        CARGO_TEST,
        [("src/cart.rs", 31)],
        ["cart::tests::adds"],
        "assertion `left == right` failed: the sum is off",
    ),
    "cargo test, once": (
        CARGO_OLD,
        [("src/cart.rs", 31)],
        ["cart::tests::adds"],
        "no price for pear",
    ),
    "cargo-nextest": (NEXTEST, [], ["cart::tests::adds"], ""),
    "rustc": (RUSTC, [("src/cart.rs", 12), ("src/price.rs", 40)], [], "mismatched types"),
    "maven test": (
        SUREFIRE,
        [
            ("Cart.java", 31),
            ("CartTest.java", 14),
            ("Method.java", 580),
            ("ReflectionUtils.java", 767),
            ("CartTest.java", 22),
        ],
        ["com.shop.CartTest.adds", "com.shop.CartTest isEmpty", "CartTest.isEmpty"],
        'Cannot invoke "Price.cents()" because "price" is null',
    ),
    "gradle test": (
        GRADLE,
        [("Cart.java", 31), ("Price.java", 8), ("CartTest.java", 22)],
        ["com.shop.CartTest adds(List)", "CartTest nothing at first"],
        "expected: <0> but was: <1>",
    ),
    "maven": (
        MAVEN_COMPILE,
        [("/app/src/main/java/com/shop/Cart.java", 12)],
        [],
        "cannot find symbol",
    ),
    "javac": (JAVAC, [("src/main/java/com/shop/Cart.java", 12)], [], "cannot find symbol"),
    "kotlinc": (
        KOTLINC,
        [("/app/src/main/kotlin/Cart.kt", 12), ("/app/src/main/kotlin/Price.kt", 40)],
        [],
        "Unresolved reference: cents",
    ),
    "sbt": (
        SBT,
        [("/app/src/main/scala/Cart.scala", 12), ("/app/src/main/scala/Price.scala", 40)],
        [],
        "not found: value cents",
    ),
    "gcc": (
        GCC,
        [("src/cart.c", 12), ("src/cart.c", 12), ("/usr/include/stdio.h", 33)],
        [],
        "'prices' undeclared (first use in this function)",
    ),
    "clang": (
        CLANG,
        [("/src/shop/price.hpp", 40), ("/src/shop/cart.cpp", 12)],
        [],
        "no member named 'cents' in 'shop::Price'",
    ),
    "ld": (LINKER, [("/src/shop/cart.c", 12)], [], "undefined reference to `cents'"),
    "msvc": (MSVC, [("C:/work/shop/cart.cpp", 12)], [], "'prices': undeclared identifier"),
    "csc": (
        CSC,
        [("/app/Shop/Cart.cs", 12)],
        [],
        "The name 'cents' does not exist [/app/Shop/Shop.csproj]",
    ),
    "tsc": (TSC, [("src/cart.ts", 12), ("src/price.ts", 40)], [], "Cannot find name 'cents'."),
    "tsc --pretty": (TSC_PRETTY, [("src/cart.ts", 12)], [], "Cannot find name 'cents'."),
    "warnings alone": (
        WARNINGS_ONLY,
        [("src/cart.c", 12), ("src/cart.c", 9)],
        [],
        "'cents' may be used uninitialized [-Wmaybe-uninitialized]",
    ),
    "googletest": (
        GOOGLETEST,
        [("/src/shop/cart_test.cc", 14)],
        ["CartTest.Adds"],
        "Expected equality of these values:",
    ),
    "dotnet test": (
        DOTNET,
        [("/app/Shop/Cart.cs", 31), ("/app/Shop.Tests/CartTests.cs", 14)],
        ["Shop.Tests.CartTests.Adds"],
        "Object reference not set to an instance of an object.",
    ),
    "rspec": (
        RSPEC,
        [("./lib/cart.rb", 31), ("./spec/cart_spec.rb", 14)],
        ["Cart adds prices"],
        "",
    ),
    "minitest": (MINITEST, [("test/cart_test.rb", 14)], ["CartTest#test_adds"], "Expected: 4"),
    "phpunit": (
        PHPUNIT,
        [("/app/tests/CartTest.php", 14)],
        ["Shop\\Tests\\CartTest::testAdds"],
        "",
    ),
    "xctest": (
        XCTEST,
        [("/app/Tests/CartTests.swift", 14)],
        ["ShopTests.CartTests testAdds"],
        "-[ShopTests.CartTests testAdds] : XCTAssertEqual failed: 3",
    ),
}


def seen(question: Question) -> tuple[list[tuple[str, int | None]], list[str]]:
    return [(frame.path, frame.line) for frame in question.frames], list(question.tests)


@pytest.mark.parametrize("name", KNOWN)
def test_places_tests_and_messages(name: str) -> None:
    text, places, tests, message = KNOWN[name]
    question = read("why?", log=text)
    assert seen(question) == (places, tests)
    assert message in question.errors or not message


def coloured(text: str) -> str:
    return "\r\n".join(f"\x1b[1;31m{line}\x1b[0m\x1b[K" for line in text.split("\n"))


def from_ci(text: str) -> str:
    stamp = "2024-05-06T07:08:09.1234567Z "
    return "\n".join(stamp + line for line in text.split("\n"))


def from_compose(text: str) -> str:
    return "\n".join(f"web-1  | {line}" for line in text.split("\n"))


def surrounded(text: str) -> str:
    """Between two hundred lines of another program's log, cut short at either end."""
    noise = "".join(
        f"2024-05-06 07:08:09,{n:03} INFO worker {n}: 200 GET /cart\n" for n in range(99)
    )
    return f"{noise[40:]}{text}\n{noise[:-40]}"


@pytest.mark.parametrize("dress", [coloured, from_ci, from_compose, surrounded])
@pytest.mark.parametrize("name", KNOWN)
def test_what_is_around_the_lines_changes_nothing(name: str, dress: Callable[[str], str]) -> None:
    text = KNOWN[name][0]
    plain, dressed = read("why?", log=text), read("why?", log=dress(text))
    assert seen(dressed) == seen(plain)
    assert set(plain.errors) <= set(dressed.errors)


@given(st.sampled_from(sorted(KNOWN)), st.integers(0, 1500), st.integers(0, 1500))
def test_a_log_cut_anywhere_names_no_other_file(name: str, start: int, end: int) -> None:
    text, places, *_ = KNOWN[name]
    cut = text[min(start, len(text)) : max(len(text) - end, 0)]
    files = {path for path, _ in places} | warned_of(text)
    for frame in read("", log=cut).frames:
        assert any(path.endswith(frame.path) for path in files)


def warned_of(text: str) -> set[str]:
    """The files of warnings, which count where the errors are cut away."""
    is_warning = ("warning", "WARNING", "w: ")
    lines = text.replace("\\", "/").replace(" --> ", "\0").replace("\n\0", ": ").split("\n")
    words = [word for line in lines if any(w in line for w in is_warning) for word in line.split()]
    return {word.removeprefix("file://").partition(":")[0].partition("(")[0] for word in words} | {
        "src/main.rs"
    }


def test_lines_that_only_look_alike_are_no_places() -> None:
    text = (
        "2024-05-06 12:05:33: error: timed out\n12:05: error: late\n"
        "http://a.example/b.c:80/: error\n"
        "request (12,5): error E1: none\nok: note: nothing\n\terror: -->\n"
    )
    assert logs.diagnostics(text) == ()
    assert (
        logs.failing_tests("FAILED to start\nERROR: no (route)\n--- PASS: TestA\n5) done\n") == ()
    )


def test_a_note_belongs_to_its_error() -> None:
    frames = logs.places(logs.diagnostics(CLANG), trace=7)
    assert [(frame.path, frame.trace, frame.depth) for frame in frames] == [
        ("/src/shop/price.hpp", 7, 0),
        ("/src/shop/cart.cpp", 7, 1),
    ]
    frames = logs.places(logs.diagnostics(GCC), trace=0)
    assert [(frame.line, frame.trace, frame.depth) for frame in frames] == [
        (12, 0, 0),
        (12, 0, 1),
        (33, 1, 0),
    ]


def test_thousands_of_errors_are_a_hundred() -> None:
    text = "".join(f"src/cart.c:{line}:1: error: no\n" for line in range(1, 5000))
    found = logs.diagnostics(text)
    assert len(found) == logs.MOST_DIAGNOSTICS
    assert found[0].line == 1


def test_the_quoted_line_of_a_failing_test_names_what_it_calls() -> None:
    assert {"total", "shop.total"} <= set(read("", log=PYTEST_LONG).identifiers)
    assert "item.price.cents" in read("", log=JEST).identifiers


def test_long_runs_of_anything_are_read_in_no_time() -> None:
    pieces = ["\n", " ", "a", "\n ", "at ", "a.b:", "_", "(a", "E.", "a::", "[", "FAILED a.py::b "]
    began = time.process_time()
    for piece in pieces:
        read("", log=piece * (60_000 // len(piece)))
    assert time.process_time() - began < 10, "some pattern takes a time that grows with the square"


# What the ranking makes of it

SHOP = {
    "shop/cart.py": "def total(prices):\n    return sum(price.cents for price in prices)\n",
    "shop/price.py": "class Price:\n    def cents(self):\n        return 1\n",
    "tests/test_cart.py": "from shop.cart import total\n\n\ndef test_adds():\n    total([1])\n",
    "src/main/java/com/shop/Cart.java": "class Cart {\n  int add() {\n    return 1;\n  }\n}\n",
    "src/main/java/com/shop/Assert.java": "class Assert {\n  void fail() {\n  }\n}\n",
    "src/cart.c": "int sum(int b) {\n  return b;\n}\n\nint add(int a) {\n  return a;\n}\n",
}


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    return make_repository(SHOP)


def first_symbol(log: str, where: Path) -> str:
    table = repoqa("pack", "--json", where=where, stdin=log.encode()).stdout
    best = json.loads(table)["symbols"][0]
    return f"{best['path']} {best['name']}"


@pytest.mark.parametrize(
    ("log", "culprit"),
    [
        (PYTEST_LONG.replace(":31:", ":2:").replace(":14:", ":5:"), "shop/cart.py total"),
        (PYTEST_ASSERTION.replace(":9:", ":5:"), "shop/cart.py total"),
        ("src/cart.c:6:10: error: 'a' undeclared\nsrc/cart.c:1:5: note: here\n", "src/cart.c add"),
        (
            "java.lang.AssertionError: no\n\tat org.junit.Assert.fail(Assert.java:2)\n"
            "\tat com.shop.Cart.add(Cart.java:3)\n",
            "src/main/java/com/shop/Cart.java Cart.add",
        ),
    ],
)
def test_the_code_under_test_comes_before_the_test(shop: Path, log: str, culprit: str) -> None:
    assert first_symbol(log, shop) == culprit
