"""The languages repoqa parses, and how a file's language is told from its name and first bytes.

Adding a language is one entry in `LANGUAGES` and one file in `queries/` (its header tells what
to capture); everything else is shared.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

# Enough for a licence, a comment and the includes that tell a C header from a C++ one.
HEAD_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Language:
    """How a language's files look, and where its grammar and queries are.

    `grammar` is the wheel's module, `loader` its function that gives the grammar. `queries` are
    files of `queries/` without `.scm`, read one after the other. `names` are whole file names,
    `interpreters` are programs on a `#!` line (version numbers apart).
    """

    name: str
    grammar: str
    queries: tuple[str, ...]
    suffixes: tuple[str, ...]
    names: tuple[str, ...] = ()
    interpreters: tuple[str, ...] = ()
    loader: str = "language"


LANGUAGES = (
    Language(
        "python",
        "tree_sitter_python",
        ("python",),
        (".py", ".pyi", ".pyw"),
        names=("SConscript", "SConstruct", "wscript"),
        interpreters=("python", "pypy"),
    ),
    Language(
        "javascript",
        "tree_sitter_javascript",
        ("ecmascript", "jsx", "javascript"),
        (".js", ".cjs", ".es6", ".jsx", ".mjs"),
        names=("Jakefile",),
        interpreters=("node", "nodejs", "bun"),
    ),
    Language(
        "typescript",
        "tree_sitter_typescript",
        ("ecmascript", "typescript"),
        (".ts", ".cts", ".mts"),
        interpreters=("deno", "ts-node", "tsx"),
        loader="language_typescript",
    ),
    Language(
        "tsx",
        "tree_sitter_typescript",
        ("ecmascript", "jsx", "typescript"),
        (".tsx",),
        loader="language_tsx",
    ),
    Language("java", "tree_sitter_java", ("java",), (".java",)),
    Language("go", "tree_sitter_go", ("go",), (".go",)),
)

BY_NAME = {language.name: language for language in LANGUAGES}
_BY_SUFFIX = {suffix: language.name for language in LANGUAGES for suffix in language.suffixes}
_BY_FILE_NAME = {name: language.name for language in LANGUAGES for name in language.names}
_BY_INTERPRETER = {
    program: language.name for language in LANGUAGES for program in language.interpreters
}

# `#!/usr/bin/env -S NAME=value python3.11 -u` and `#!/bin/sh` alike; the version is left out.
_SHEBANG = re.compile(
    rb"#![ \t]*(?:\S*/)?(?:env[ \t]+(?:-\S+[ \t]+|\w+=\S*[ \t]+)*(?:\S*/)?)?"
    rb"([A-Za-z_-]*[A-Za-z])[\d.]*(?=\s|$)"
)
# What no C header holds, at the start of a line (comments speak of classes and templates too).
_CPP_HEADER = re.compile(
    rb"""^[ \t]*(?:
        template[ \t]*<
      | (?:inline[ \t]+)?namespace\b[ \t\w:]*\{?[ \t]*(?://.*)?$
      | using[ \t]+[\w:]+[^\n]*;
      | (?:public|private|protected)[ \t]*:
      | class[ \t]+(?:\w+[ \t]+)*\w+[ \t]*(?:final[ \t]*)?(?::[^:\n]+)?(?:\{|;|$)
      | \#[ \t]*include[ \t]*<[a-z_]+>
      | (?:virtual|explicit)[ \t]+[\w~]
      | (?:static[ \t]+)?constexpr[ \t]+\w
    ) | \bstd::\w | \boperator[ \t]*[=+<>*\[(-]""",
    re.MULTILINE | re.VERBOSE,
)
_OBJECTIVE_C = re.compile(rb"^[ \t]*(?:@interface|@protocol|@class|#[ \t]*import)\b", re.MULTILINE)
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<[?!]")


def detect(path: str, head: bytes) -> str:
    """The name of the language of the file at `path` that starts with `head`, or "".

    By its whole name, else its suffix, else its `#!` line. Only the first `HEAD_BYTES` count, so
    that all of a file and the start of it give the same answer.
    """
    head = head[:HEAD_BYTES]
    file = PurePosixPath(path)
    if file.name in _BY_FILE_NAME:
        return _BY_FILE_NAME[file.name]
    suffix = file.suffix.lower()
    if suffix == ".h":
        return _header_language(head)
    language = _BY_SUFFIX.get(suffix, "")
    if suffix == ".ts" and _MARKUP.match(head):  # Qt's translations share TypeScript's suffix
        return ""
    if language or not (suffix in ("", ".cgi", ".in") or file.name.startswith(".")):
        return language
    shebang = _SHEBANG.match(head)
    return _BY_INTERPRETER.get(shebang[1].decode(), "") if shebang else ""


def _header_language(head: bytes) -> str:
    if _OBJECTIVE_C.search(head):
        return ""
    return "cpp" if _CPP_HEADER.search(head) else "c"
