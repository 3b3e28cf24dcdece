"""What is read from a question and a log: names, paths, frames, messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repoqa.evidence.question import read
from repoqa.evidence.traces import frames
from repoqa.records import PathMention

PYTHON_CHAINED = """\
Traceback (most recent call last):
  File "/app/shop/cart.py", line 12, in total
    return price(item)
  File "/usr/lib/python3.11/decimal.py", line 3, in price
    raise KeyError(item)
KeyError: 'pear'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/main.py", line 5, in <module>
    total()
  File "/app/shop/cart.py", line 14, in total
    raise ValueError("no price for pear") from error
ValueError: no price for pear
"""

EXCEPTION_GROUP = """\
  + Exception Group Traceback (most recent call last):
  |   File "/app/main.py", line 9, in <module>
  |     run()
  | ExceptionGroup: two failed (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/jobs.py", line 3, in first
    |     raise TypeError("bad job")
    | TypeError: bad job
    +------------------------------------
"""

PYTEST = """\
=================================== FAILURES ===================================
______________________________ test_login_twice ________________________________

    def test_login_twice():
>       assert login("ada")

tests/test_login.py:8:
_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _
auth/session.py:31: in login
    return check(user)
auth/session.py:44: PermissionError
=========================== short test summary info ============================
"""

JAVA = """\
Exception in thread "main" java.lang.IllegalStateException: cannot start
\tat com.shop.App.start(App.java:21)
\tat java.base/java.lang.Thread.run(Thread.java:833)
Caused by: java.lang.NullPointerException: name is null
\tat com.shop.db.Pool.open(Pool.java:77)
\tat com.shop.App.start(App.java:19)
\t... 1 more
"""

NODE = """\
TypeError: Cannot read properties of undefined (reading 'id')
    at findUser (/srv/app/src/users.js:10:17)
    at async Object.handle [as post] (file:///srv/app/src/routes.mjs:44:5)
    at webpack://shop/./src/cart/total.ts:7:3
    at node:internal/process/task_queues:95:5
"""

GO = """\
panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
main.pick(...)
\t/home/dev/shop/pick.go:14
main.main()
\t/home/dev/shop/main.go:9 +0x1d
"""

RUST = """\
thread 'main' panicked at src/parse.rs:31:10:
called `Option::unwrap()` on a `None` value
stack backtrace:
   0: rust_begin_unwind
             at /rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/std/src/panicking.rs:665:5
   1: shop::parse::head
             at ./src/parse.rs:31:10
"""

ASAN = """\
==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602
    #0 0x4f1c in copy_name /src/shop/name.c:33:9
    #1 0x4f2c in main /src/shop/main.c:8
"""

GDB = """\
#0  0x00007f in raise () from /lib64/libc.so.6
#1  0x0000555 in shop::Cart::add (this=0x0, item=...) at src/cart.cpp:51
#2  main () at src/main.cpp:12
"""

CSHARP = """\
System.NullReferenceException: Object reference not set to an instance of an object.
   at Shop.Cart.Total(Item item) in C:\\work\\Shop\\Cart.cs:line 42
   at Shop.Program.Main() in C:\\work\\Shop\\Program.cs:line 7
"""

PHP = """\
PHP Fatal error:  Uncaught TypeError: bad in /var/www/src/Cart.php:20
Stack trace:
#0 /var/www/src/Shop.php(11): Shop\\Cart->total()
#1 {main}
"""

RUBY = """\
app/models/cart.rb:9:in `total': undefined method (NoMethodError)
\tfrom app/shop.rb:4:in 'block in run'
"""

IPYTHON = """\
KeyError                                  Traceback (most recent call last)
~/shop/main.py in <module>()
----> 5 total()
File ~/shop/cart.py:12, in total(item)
     11 def total(item):
---> 12     return price(item)
KeyError: 'pear'
"""

FIREFOX = """\
total@http://localhost:3000/src/cart.js:7:11
main@webpack:///src/main.ts:3:1
"""

KNOWN: dict[str, tuple[str, list[tuple[str, int | None, str, int, int]]]] = {
    "ipython": (
        IPYTHON,
        [("~/shop/main.py", None, "<module>", 0, 1), ("~/shop/cart.py", 12, "total", 0, 0)],
    ),
    "firefox": (
        FIREFOX,
        [("/src/cart.js", 7, "total", 0, 0), ("src/main.ts", 3, "main", 0, 1)],
    ),
    "python": (
        PYTHON_CHAINED,
        [
            ("/app/shop/cart.py", 12, "total", 0, 1),
            ("/usr/lib/python3.11/decimal.py", 3, "price", 0, 0),
            ("/app/main.py", 5, "<module>", 1, 1),
            ("/app/shop/cart.py", 14, "total", 1, 0),
        ],
    ),
    "exception group": (
        EXCEPTION_GROUP,
        [("/app/main.py", 9, "<module>", 0, 0), ("/app/jobs.py", 3, "first", 1, 0)],
    ),
    "pytest": (
        PYTEST,
        [
            ("tests/test_login.py", 8, "", 0, 2),
            ("auth/session.py", 31, "login", 0, 1),
            ("auth/session.py", 44, "", 0, 0),
        ],
    ),
    "java": (
        JAVA,
        [
            ("App.java", 21, "com.shop.App.start", 0, 0),
            ("Thread.java", 833, "java.lang.Thread.run", 0, 1),
            ("Pool.java", 77, "com.shop.db.Pool.open", 1, 0),
            ("App.java", 19, "com.shop.App.start", 1, 1),
        ],
    ),
    "node": (
        NODE,
        [
            ("/srv/app/src/users.js", 10, "findUser", 0, 0),
            ("/srv/app/src/routes.mjs", 44, "Object.handle", 0, 1),
            ("./src/cart/total.ts", 7, "", 0, 2),
        ],
    ),
    "go": (
        GO,
        [
            ("/home/dev/shop/pick.go", 14, "main.pick", 0, 0),
            ("/home/dev/shop/main.go", 9, "main.main", 0, 1),
        ],
    ),
    "asan": (
        ASAN,
        [("/src/shop/name.c", 33, "copy_name", 0, 0), ("/src/shop/main.c", 8, "main", 0, 1)],
    ),
    "gdb": (
        GDB,
        [("src/cart.cpp", 51, "shop::Cart::add", 0, 0), ("src/main.cpp", 12, "main", 0, 1)],
    ),
    "csharp": (
        CSHARP,
        [
            ("C:/work/Shop/Cart.cs", 42, "Shop.Cart.Total", 0, 0),
            ("C:/work/Shop/Program.cs", 7, "Shop.Program.Main", 0, 1),
        ],
    ),
    "php": (PHP, [("/var/www/src/Shop.php", 11, "Shop\\Cart->total", 0, 0)]),
    "ruby": (
        RUBY,
        [("app/models/cart.rb", 9, "total", 0, 0), ("app/shop.rb", 4, "block in run", 0, 1)],
    ),
}


@pytest.mark.parametrize("name", KNOWN)
def test_frames_of_each_format(name: str) -> None:
    text, expected = KNOWN[name]
    found = [(f.path, f.line, f.function, f.trace, f.depth) for f in frames(text)]
    assert found == expected


@pytest.mark.parametrize("name", KNOWN)
def test_carriage_returns_and_colours_change_nothing(name: str) -> None:
    text, expected = KNOWN[name]
    dressed = "\r\n".join(f"\x1b[31m{line}\x1b[0m" for line in text.splitlines())
    assert len(read("why?", log=dressed).frames) == len(expected)


def test_a_rust_panic_and_its_backtrace_both_name_the_place() -> None:
    places = [(f.path, f.line) for f in frames(RUST)]
    assert ("src/parse.rs", 31) in places
    assert ("./src/parse.rs", 31) in places


def test_names_that_look_like_code() -> None:
    question = read(
        "Session.renew fails\n\nCalling `renew` on a http_session with MAX_AGE set,\n "
        "or parseQuery(), "
        "breaks; std::vector and a->b too, but plain words do not.\n\n```python\nx = token\n```\n"
    )
    assert question.title == "Session.renew fails"
    assert question.identifiers == (
        "Session.renew",
        "renew",
        "http_session",
        "MAX_AGE",
        "parseQuery",
        "std.vector",
        "a.b",
        "x",
        "token",
    )
    assert question.code == ("x = token\n",)


def test_paths_with_and_without_lines() -> None:
    question = read("see src/auth/login.py:41 and config.toml, not e.g. this or 3.5 (lib/a.js#L7)")
    assert question.paths == (
        PathMention("src/auth/login.py", 41),
        PathMention("config.toml"),
        PathMention("lib/a.js", 7),
    )


def test_error_messages_are_kept_without_their_kinds() -> None:
    assert read("why?", log=PYTHON_CHAINED).errors == ("'pear'", "no price for pear")


def test_comments_of_an_issue_form_are_no_evidence() -> None:
    question = read("Bug\n<!-- please name `your_version` in setup.py -->\nIt fails")
    assert question.identifiers == ()
    assert question.paths == ()
    assert question.body == "It fails"


def test_a_question_is_plain_text() -> None:
    assert read("\x1b]0;title\x07red \x1b[31malert\x1b[0m").text == "red alert"


@given(st.text(), st.text())
def test_reading_never_raises_and_repeats(question: str, log: str) -> None:
    assert read(question, log=log) == read(question, log=log)


def test_a_constructor_is_a_frame_in_javascript() -> None:
    trace = (
        "NegativeAmountError: below zero\n"
        "    at Money.minus (/app/src/money.ts:29:13)\n"
        "    at new Invoice (/app/src/invoice.ts:17:18)\n"
        "    at async main (/app/src/main.ts:13:17)\n"
    )
    found = [(frame.function, frame.line, frame.depth) for frame in read(trace).frames]
    assert found == [("Money.minus", 29, 0), ("Invoice", 17, 1), ("main", 13, 2)]
