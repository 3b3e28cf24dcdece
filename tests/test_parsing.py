"""The parser's contract: never raises, spans inside the file, the same bytes the same record."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repoqa.parsing import parse as parsing
from repoqa.parsing import version
from repoqa.parsing.languages import LANGUAGES
from repoqa.parsing.parse import CHUNK_LINES, DEEPEST_NESTING, PARSE_BYTES, parse
from repoqa.parsing.text import decode, split_lines
from repoqa.records import ParsedFile, Span, Symbol

SOURCES = {
    file.name.removesuffix(".source"): file.read_bytes()
    for file in sorted((Path(__file__).parent / "languages").glob("*.source"))
}
SUFFIXES = sorted({f"x{entry.suffixes[0]}" for entry in LANGUAGES} | {"x.h", "x.md"})
WORDS = [
    *("def", "class", "function", "fn", "func", "struct", "impl", "enum", "interface", "object"),
    *("import", "use", "if", "else", "end", "A", "b_c", "1", "é", "漢", "@", "#", "//", "/*", "*/"),
    *('"""', "'", "`", "${", "{", "}", "(", ")", "[", "]", "<", ">", ":", ";", ",", ".", "="),
    *("=>", "->", "\n", "\r\n", "\t", "\0", "\\", "<?php", "<<EOF"),
]


def named(parsed: ParsedFile, name: str) -> Symbol:
    found = [symbol for symbol in parsed.symbols if symbol.name == name]
    assert len(found) == 1, [symbol.name for symbol in parsed.symbols]
    return found[0]


def names(parsed: ParsedFile) -> list[str]:
    return [f"{symbol.kind} {symbol.name}" for symbol in parsed.symbols]


def check(path: str, content: bytes) -> ParsedFile:
    """Parse, and hold the record against its contract."""
    parsed = parse(path, content)
    text = decode(content)
    lines = split_lines(text) if text is not None else []
    assert parsed.lines == len(lines)
    for symbol in parsed.symbols:
        assert 1 <= symbol.start <= symbol.header_end <= symbol.end <= parsed.lines, symbol
        assert symbol.name
        if symbol.doc is not None:
            assert 1 <= symbol.doc.start <= symbol.doc.end <= symbol.end
    assert all(1 <= use.line <= parsed.lines and use.name for use in parsed.references)
    assert all(1 <= span.start <= span.end <= parsed.lines for span in parsed.imports)
    order = [(symbol.start, -symbol.end, symbol.name) for symbol in parsed.symbols]
    assert order == sorted(order)
    uses = [(use.line, use.name, use.kind) for use in parsed.references]
    assert uses == sorted(set(uses))
    assert parse(path, content) == parsed
    return parsed


@given(path=st.sampled_from(SUFFIXES), content=st.binary(max_size=400))
@settings(deadline=None, max_examples=100)
def test_arbitrary_bytes_never_raise(path: str, content: bytes) -> None:
    check(path, content)


@given(path=st.sampled_from(SUFFIXES), words=st.lists(st.sampled_from(WORDS), max_size=60))
@settings(deadline=None, max_examples=150)
def test_broken_code_never_raises(path: str, words: list[str]) -> None:
    check(path, " ".join(words).encode())


@given(data=st.data(), path=st.sampled_from(sorted(SOURCES)))
@settings(deadline=None, max_examples=100)
def test_code_with_a_hole_never_raises(data: st.DataObject, path: str) -> None:
    source = SOURCES[path]
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(source))] * 2)))
    check(path, source[:start] + source[end:])


@given(text=st.text(alphabet="ab \n\r\té", max_size=3000))
def test_chunks_of_a_text_file_join_to_the_file(text: str) -> None:
    parsed = check("notes.txt", text.encode())
    lines = split_lines(text)
    joined = [line for chunk in parsed.symbols for line in lines[chunk.start - 1 : chunk.end]]
    assert joined == lines
    assert all(chunk.kind == "section" for chunk in parsed.symbols)
    assert all(chunk.end - chunk.start < CHUNK_LINES for chunk in parsed.symbols)


def test_chunks_are_named_by_their_lines() -> None:
    parsed = parse("notes.md", b"line\n" * 130)
    assert names(parsed) == ["section L1-60", "section L61-120", "section L121-130"]
    assert (parsed.language, parsed.problem) == ("", "")


def test_an_empty_file_has_nothing() -> None:
    for path in SUFFIXES:
        assert (parse(path, b"").symbols, parse(path, b"").lines) == ((), 0)


def test_code_without_a_definition_comes_in_chunks_too() -> None:
    parsed = parse("run.sh", b"set -e\nmake all\n")
    assert names(parsed) == ["section L1-2"]
    assert [use.name for use in parsed.references] == ["set", "make"]


def test_what_the_grammar_recovers_is_kept() -> None:
    source = (
        b"def before():\n    pass\n\nclass Broken(:\n    x = = 1\n\ndef after():\n    return 1\n"
    )
    assert {"function before", "function after"} <= set(names(parse("a.py", source)))


def test_a_file_too_large_to_parse_says_so() -> None:
    source = b"x = 1\n" * (PARSE_BYTES // 6 + 1)
    parsed = parse("big.py", source)
    assert parsed.problem == "over 4 MB, too large to parse"
    assert {symbol.kind for symbol in parsed.symbols} == {"section"}
    assert parsed.language == "python"


def test_a_file_that_takes_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "PARSE_SECONDS", -1.0)
    slow = parse("slow.py", SOURCES["inventory.py"])
    assert slow.problem.startswith("the parser took over")
    assert slow.symbols[-1].end == slow.lines
    monkeypatch.undo()
    # The parser was reset: the next file is not taken for the rest of this one.
    assert names(parse("next.py", b"def f(): pass\n")) == ["function f"]


@pytest.mark.parametrize("path", SUFFIXES)
@pytest.mark.parametrize("unit", [b"[", b"(", b"{", b"f(", b"{a: "])
def test_deep_nesting_costs_neither_the_stack_nor_minutes(path: str, unit: bytes) -> None:
    closing = {b"[": b"]", b"(": b")", b"{": b"}", b"f(": b")", b"{a: ": b"}"}[unit]
    for source in (unit * 100_000 + closing * 100_000, unit * 100_000):
        parsed = parse(path, source)
        if parsed.language:
            assert parsed.problem == f"brackets nested over {DEEPEST_NESTING:,} deep"
        assert names(parsed) == ["section L1-1"]


def test_rubble_is_not_searched() -> None:
    for path in ("x.go", "x.py", "x.c"):
        assert names(parse(path, b"--" * 50_000)) == ["section L1-1"]


def test_nesting_below_the_limit_is_parsed() -> None:
    nested = b"x = " + b"[" * 5000 + b"]" * 5000 + b"\ndef f(): pass\n"
    assert names(parse("deep.py", nested)) == ["variable x", "function f"]


def test_many_brackets_one_after_the_other_are_not_deep() -> None:
    source = b"def f():\n" + b"    g(h(), [1], {2})\n" * (DEEPEST_NESTING // 2)
    assert parse("flat.py", source).problem == ""


def test_the_record_is_the_same_under_any_hash_seed() -> None:
    program = (
        "import sys; from repoqa.parsing.parse import parse;"
        "from repoqa.parsing.version import parser_version; print(parser_version());"
        "[print(repr(parse(p.rsplit('/')[-1][:-7], open(p, 'rb').read()))) for p in sys.argv[1:]]"
    )
    folder = Path(__file__).parent / "languages"
    paths = [str(folder / f"{name}.source") for name in sorted(SOURCES)]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, *paths],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_the_parser_version_is_one_word_and_stays() -> None:
    version.parser_version.cache_clear()
    first = version.parser_version()
    version.parser_version.cache_clear()
    assert version.parser_version() == first
    assert first.isascii()
    assert " " not in first


def test_the_parser_version_changes_with_a_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version.parser_version.cache_clear()
    first = version.parser_version()
    (tmp_path / "tree_sitter_python-99.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    version.parser_version.cache_clear()
    assert version.parser_version() != first
    version.parser_version.cache_clear()


def test_wheels_are_of_the_versions_that_their_metadata_tell() -> None:
    wheels = {language.grammar for language in LANGUAGES}
    assert wheels <= version._versions().keys()
    assert all(version._told(wheel) == version._versions()[wheel] for wheel in wheels)


def test_binary_content_gives_nothing() -> None:
    assert parse("a.py", b"\x7fELF\0\0\0").symbols == ()


def test_utf16_and_latin1_give_the_rows_of_their_text() -> None:
    source = "# héllo\n\ndef f():\n    return 'é'\n"
    for encoded in (source.encode("utf-16"), source.encode("latin-1"), source.encode()):
        assert named(parse("a.py", encoded), "f") == named(parse("a.py", source.encode()), "f")


def test_names_outside_ascii_are_whole() -> None:
    assert names(parse("a.py", "def größe():\n    pass\n".encode())) == ["function größe"]


def test_decorators_belong_to_the_span_and_comments_between_them() -> None:
    source = b"import x\n# above\n@a\n# between\n@b(\n    1,\n)\nclass C:\n    pass\n"
    symbol = named(parse("a.py", source), "C")
    assert (symbol.start, symbol.header_end, symbol.end) == (3, 8, 9)
    assert symbol.doc == Span(2, 2)


def test_a_comment_with_a_gap_is_no_doc() -> None:
    assert named(parse("a.go", b"package a\n// gone\n\nfunc f() {}\n"), "f").doc is None
    assert named(parse("a.go", b"package a\nvar x int // x\nfunc f() {}\n"), "f").doc is None


def test_overloads_are_symbols_of_their_own() -> None:
    source = b"class A { void f() {} void f(int a) {} }\n"
    assert names(parse("A.java", source)) == ["class A", "method A.f"]  # on one line: the same
    apart = source.replace(b"} void", b"}\nvoid")
    assert names(parse("A.java", apart)) == ["class A", "method A.f", "method A.f"]


def test_mixed_tabs_and_spaces() -> None:
    source = b"class A:\n\tdef f(self):\n\t\tif 1:\n\t        pass\n\n\tdef g(self): pass\n"
    assert names(parse("a.py", source)) == ["class A", "method A.f", "method A.g"]


def test_several_names_in_one_statement_do_not_own_each_other() -> None:
    assert names(parse("a.py", b"a, b = 1, 2\nc = d = 3\n")) == [
        "variable a",
        "variable b",
        "variable c",
        "variable d",
    ]
    assert names(parse("a.ts", b"const f = () => {}, g = () => { let x = 1 }\n")) == [
        "function f",
        "function g",
    ]


def test_nested_generics() -> None:
    source = b"template <class T> void ns::Map<K, std::vector<List<T>>>::put(T a) {}\n"
    assert names(parse("a.cpp", source)) == ["method ns.Map.put"]
    rust = b"impl<T> Outer<Inner<Vec<T>>, U> { fn f() {} }\n"
    assert names(parse("a.rs", rust)) == ["type Outer", "method Outer.f"]


def test_an_exported_class_keeps_its_name() -> None:
    source = b"class API_EXPORT(1) Widget : public Base {\n  Q_OBJECT\n  void draw();\n};\n"
    parsed = parse("widget.hpp", source)
    assert names(parsed) == ["class Widget", "method Widget.draw"]
    assert parsed.symbols[0].bases == ("Base",)


def test_bodies_on_one_line_of_kotlin() -> None:
    source = b'class A { companion object { const val TAG = "${x }" } }\nfun g() {}\n'
    assert names(parse("a.kt", source)) == [
        "class A",
        "class A.Companion",
        "constant A.TAG",
        "function g",
    ]


def test_a_header_is_c_or_cpp_by_what_it_holds() -> None:
    assert parse("a.h", b"struct a { int b; };\n").language == "c"
    assert parse("a.h", b"class A { int b; };\n").language == "cpp"


def test_a_definition_is_no_use_of_its_name() -> None:
    parsed = parse("a.go", b"package a\ntype Item struct{}\nfunc f(i Item) {}\n")
    assert [(use.name, use.line) for use in parsed.references] == [("Item", 3)]


def test_variables_of_anonymous_functions_are_no_symbols() -> None:
    source = b"(function () { var a = 1; function f() { let b = 2; } })();\nvar c = 3;\n"
    assert names(parse("a.js", source)) == ["function f", "variable c"]


def test_relative_imports_of_javascript_lose_the_suffix() -> None:
    source = b"import View, { open as o } from './view.jsx';\nimport chart from 'chart.js';\n"
    assert [use.name for use in parse("a.js", source).references] == [
        "./view.View",
        "./view.open",
        "chart.js.chart",
    ]


def test_relative_imports_of_python_keep_their_dots() -> None:
    source = b"from . import a\nfrom ..b.c import d\nfrom .e import *\nimport f.g as h\n"
    assert [use.name for use in parse("a.py", source).references] == [".a", "..b.c.d", ".e", "f.g"]


def test_threads_parse_side_by_side() -> None:
    """A parser that threads shared crashed the process: each parse has its own."""
    script = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from repoqa.parsing.parse import parse\n"
        "source = b'def f(a):\\n    return g(a)\\n' * 2000\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    found = list(pool.map(lambda n: parse(f'{n}.py', source), range(32)))\n"
        "assert len(set(found)) == 1\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
