"""The languages repoqa parses, and how a file's language is told from its name and first bytes.

Adding a language is one entry in `LANGUAGES` and one file in `queries/` (its header tells what
to capture); everything else is shared.
"""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

# Enough for a licence, a comment and the includes that tell a C header from a C++ one.
HEAD_BYTES = 65536
QUERIES = Path(__file__).parent / "queries"


@dataclass(frozen=True, slots=True)
class Repair:
    """What a grammar cannot read, and the byte to parse in its place, so that places stay.

    Only what group 1 of the pattern matched is overwritten.
    """

    pattern: re.Pattern[bytes]
    fill: bytes


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
    repairs: tuple[Repair, ...] = ()


# class EXPORTED Name : Base { ... }: the macro is taken for the name, and the body for garbage.
_TYPE_MACRO = Repair(
    re.compile(
        rb"\b(?:class|struct|union|enum)\s+([A-Z][A-Z0-9_]+(?:\([^()\n]*\))?)"
        rb"(?=\s+[A-Za-z_]\w*\s*(?:final\s*)?(?::(?!:)|\{))"
    ),
    b" ",
)
# Qt's macros stand in class bodies without a semicolon.
_QT_MACRO = Repair(
    re.compile(
        rb"(?:^[ \t]*(?=Q_)|\b(?=Q_DECL_))(Q_[A-Z_]+(?:\([^;{}\n]*\))?)(?=[ \t]*;?\r?$)", re.M
    ),
    b" ",
)
# { body } on one line: the grammar wants a line end or a `;` before the brace (`${ }` apart).
_ONE_LINE_BODY = Repair(re.compile(rb"\$\{[^{}\n]*\}|(?<=[^\s;{,])( )(?=\})"), b";")
# @Target annotation class Name: without a body or parameters, the grammar takes it for `a infix b`.
_ANNOTATION_CLASS = Repair(re.compile(rb"\b(annotation)(?=[ \t]+class[ \t])"), b" ")

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
    # `.h` is told apart by what the header holds.
    Language("c", "tree_sitter_c", ("c",), (".c",), repairs=(_TYPE_MACRO,)),
    Language(
        "cpp",
        "tree_sitter_cpp",
        ("cpp", "c"),
        (".C", ".c++", ".cc", ".cpp", ".cppm", ".cu", ".cuh", ".cxx", ".H", ".h++", ".hh", ".hpp")
        + (".hxx", ".inl", ".ino", ".ipp", ".ixx", ".tcc", ".tpp"),
        repairs=(_TYPE_MACRO, _QT_MACRO),
    ),
    Language("csharp", "tree_sitter_c_sharp", ("csharp",), (".cs", ".csx")),
    Language(
        "rust", "tree_sitter_rust", ("rust",), (".rs",), interpreters=("rust-script", "cargo")
    ),
    Language(
        "php",
        "tree_sitter_php",
        ("php",),
        (".php", ".php3", ".php4", ".php5", ".php7", ".php8", ".phtml", ".phps"),
        interpreters=("php",),
        loader="language_php",
    ),
    Language(
        "ruby",
        "tree_sitter_ruby",
        ("ruby",),
        (".rb", ".gemspec", ".podspec", ".rake", ".rbw", ".ru"),
        names=("Appraisals", "Berksfile", "Brewfile", "Capfile", "Dangerfile", "Fastfile")
        + ("Gemfile", "Guardfile", "Podfile", "Rakefile", "Thorfile", "Vagrantfile"),
        interpreters=("ruby", "jruby", "rake"),
    ),
    Language(
        "kotlin",
        "tree_sitter_kotlin",
        ("kotlin",),
        (".kt", ".kts"),
        interpreters=("kotlin",),
        repairs=(_ONE_LINE_BODY, _ANNOTATION_CLASS),
    ),
    Language("swift", "tree_sitter_swift", ("swift",), (".swift",), interpreters=("swift",)),
    Language(
        "scala",
        "tree_sitter_scala",
        ("scala",),
        (".scala", ".sbt", ".sc"),
        interpreters=("scala", "scala-cli", "amm"),
    ),
    Language(
        "bash",
        "tree_sitter_bash",
        ("bash",),
        (".sh", ".bash", ".bats", ".ebuild", ".ksh", ".zsh"),
        names=(".bash_aliases", ".bash_login", ".bash_logout", ".bash_profile", ".bashrc")
        + (".profile", ".zprofile", ".zshenv", ".zshrc", "APKBUILD", "PKGBUILD", "gradlew"),
        interpreters=("sh", "ash", "bash", "bats", "dash", "ksh", "mksh", "zsh"),
    ),
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


def query_source(language: str) -> str:
    """The text of all of a language's queries."""
    names = BY_NAME[language].queries
    return "\n".join((QUERIES / f"{name}.scm").read_text(encoding="utf-8") for name in names)


def detect(path: str, head: bytes) -> str:
    """The name of the language of the file at `path` that starts with `head`, or "".

    By its whole name, else its suffix, else its `#!` line. Only the first `HEAD_BYTES` count, so
    that all of a file and the start of it give the same answer.
    """
    head = head[:HEAD_BYTES]
    file = PurePosixPath(path)
    if file.name in _BY_FILE_NAME:
        return _BY_FILE_NAME[file.name]
    suffix = file.suffix if file.suffix in _BY_SUFFIX else file.suffix.lower()
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
