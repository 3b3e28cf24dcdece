"""A file's language, from its name and its first bytes; and bytes to text to lines."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repoqa.parsing.languages import HEAD_BYTES, LANGUAGES, detect
from repoqa.parsing.text import decode, split_lines


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b/c.py", "python"),
        ("stubs.pyi", "python"),
        ("SConstruct", "python"),
        ("a.mjs", "javascript"),
        ("a.cjs", "javascript"),
        ("a.jsx", "javascript"),
        ("a.ts", "typescript"),
        ("a.d.ts", "typescript"),
        ("a.mts", "typescript"),
        ("a.tsx", "tsx"),
        ("A.java", "java"),
        ("a.go", "go"),
        ("a.c", "c"),
        ("a.C", "cpp"),
        ("a.cc", "cpp"),
        ("a.hpp", "cpp"),
        ("a.cu", "cpp"),
        ("A.cs", "csharp"),
        ("a.rs", "rust"),
        ("a.php", "php"),
        ("a.rb", "ruby"),
        ("Rakefile", "ruby"),
        ("a.gemspec", "ruby"),
        ("a.kt", "kotlin"),
        ("build.gradle.kts", "kotlin"),
        ("a.swift", "swift"),
        ("a.scala", "scala"),
        ("build.sbt", "scala"),
        ("a.sc", "scala"),
        ("a.sh", "bash"),
        (".bashrc", "bash"),
        ("A.PY", "python"),
        ("Makefile", ""),
        ("Dockerfile", ""),
        ("README.md", ""),
        ("go.mod", ""),
        ("py", ""),
        ("a.python", ""),
    ],
)
def test_by_name(path: str, language: str) -> None:
    assert detect(path, b"") == language


@pytest.mark.parametrize(
    ("line", "language"),
    [
        (b"#!/bin/sh", "bash"),
        (b"#!/bin/bash -e", "bash"),
        (b"#! /usr/bin/env zsh", "bash"),
        (b"#!/usr/bin/python3.11", "python"),
        (b"#!/usr/bin/env python3 -u", "python"),
        (b"#!/usr/bin/env -S LANG=C python3", "python"),
        (b"#!/usr/bin/env -S deno run", "typescript"),
        (b"#!/usr/bin/env node", "javascript"),
        (b"#!/usr/local/bin/ruby -w", "ruby"),
        (b"#!/usr/bin/env php8.1", "php"),
        (b"#!/usr/bin/perl", ""),
        (b"#!/usr/bin/env", ""),
        (b"#!", ""),
        (b"# !/bin/sh", ""),
        (b"", ""),
    ],
)
def test_by_interpreter(line: bytes, language: str) -> None:
    assert detect("bin/run", line + b"\r\nrest\n") == language
    assert detect("bin/run.xyz", line + b"\n") == ""  # a suffix of its own says more


@pytest.mark.parametrize(
    "source",
    [
        b"class A;\n",
        b"class API_EXPORT A final : public B {\n",
        b"namespace a::b {\n",
        b"namespace\n{\n",
        b"template <typename T>\n",
        b"#include <vector>\n",
        b"struct a {\n  virtual ~a();\n};\n",
        b"struct a {\npublic:\n};\n",
        b"void f(std::string a);\n",
        b"using namespace std;\n",
        b"static constexpr int a = 1;\n",
    ],
)
def test_a_header_of_cpp(source: bytes) -> None:
    assert detect("a.h", b"/* licence */\n#pragma once\n" + source) == "cpp"


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"struct a { int class_id; };\n",
        b"/*\n * class of devices: a template for namespace users\n */\nint f(void);\n",
        b'#ifdef __cplusplus\nextern "C" {\n#endif\nint f(void);\n',
        b"#include <stdio.h>\n#include <sys/types.h>\n",
        b"int new(int delete);\n",
    ],
)
def test_a_header_of_c(source: bytes) -> None:
    assert detect("a.h", source) == "c"


def test_what_shares_a_suffix_with_code() -> None:
    assert detect("a.h", b"#import <Foundation/Foundation.h>\n@interface A : B\n@end\n") == ""
    assert detect("de.ts", b'<?xml version="1.0"?>\n<!DOCTYPE TS>\n') == ""
    assert detect("de.ts", b"const a = <A>b;\n") == "typescript"


@given(path=st.text(max_size=20), head=st.binary(max_size=100))
def test_any_name_and_head_have_an_answer(path: str, head: bytes) -> None:
    assert detect(path, head) in {"", *(entry.name for entry in LANGUAGES)}


def test_the_start_of_a_file_tells_as_much_as_all_of_it() -> None:
    content = b"int a;\n" * HEAD_BYTES + b"namespace a {\n"
    assert detect("a.h", content) == detect("a.h", content[:HEAD_BYTES]) == "c"


def test_no_two_languages_claim_one_file() -> None:
    for field in ("suffixes", "names", "interpreters"):
        claims = [claim for entry in LANGUAGES for claim in getattr(entry, field)]
        assert len(claims) == len(set(claims))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", ""),
        (b"a\r\nb", "a\r\nb"),
        ("é漢".encode(), "é漢"),
        (codecs.BOM_UTF8 + b"a", "a"),
        (codecs.BOM_UTF16_LE + "aé\n".encode("utf-16-le"), "aé\n"),
        (codecs.BOM_UTF16_BE + "aé\n".encode("utf-16-be"), "aé\n"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8", "\ufffd"),  # half a pair
        (b"caf\xe9", "café"),
        (b"a\x00b", None),
        (codecs.BOM_UTF32_LE + "a".encode("utf-32-le"), None),
        (b"a" * 8192 + b"\x00", "a" * 8192 + "\x00"),
        (b"a" * 8191 + b"\x00", None),
    ],
)
def test_decoding(content: bytes, text: str | None) -> None:
    assert decode(content) == text


@given(st.binary(max_size=300))
def test_decoded_text_can_be_encoded_again(content: bytes) -> None:
    text = decode(content)
    if text is not None:
        assert text.encode().decode() == text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n", [""]),
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("a\n\n", ["a", ""]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("a\rb", ["a\rb"]),
        ("a\x0cb\u2028c\x85d", ["a\x0cb\u2028c\x85d"]),
        ("a\r\r\n", ["a\r"]),
    ],
)
def test_lines_end_at_line_feeds_alone(text: str, lines: list[str]) -> None:
    assert split_lines(text) == lines
