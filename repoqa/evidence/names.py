"""Names in prose that look like code: identifiers, file paths, code blocks, error messages."""

import re
from collections.abc import Iterator

from repoqa.records import PathMention

FENCE = re.compile(r"^[ \t]*(```|~~~)[^\n]*\n(.*?)(?:^[ \t]*\1|\Z)", re.M | re.S)
BACKTICKED = re.compile(r"`([^`\n]{1,120})`")
_NAME = r"[A-Za-z_$][\w$]*"
# a.b.c, A::b, a->b ; snake_case ; camelCase or PascalCase with two humps ; CONSTANT ; call().
DOTTED = re.compile(rf"(?<![\w$]){_NAME}(?:(?:\.|::|->|#){_NAME})+")
SINGLE = re.compile(
    r"\b(?:\w*[a-zA-Z0-9]_\w+|_+[a-zA-Z]\w*|[a-z]+[A-Z]\w*|[A-Z][a-z0-9]+[A-Z]\w*"
    r"|[A-Z]{2,}[a-z]\w*|[A-Z][A-Z0-9]{3,})\b|\b[A-Za-z]\w*(?=\()"
)
IDENTIFIER = re.compile(_NAME)
# A name with a known-looking extension, or with a slash and an extension; a line may follow.
PATH = re.compile(
    r"(?<![\w/.\\-])(?P<path>(?:[A-Za-z]:)?[\w.~@+\\/-]*[\w+-]\.(?P<suffix>[A-Za-z][A-Za-z0-9+]{0,7}))"
    r"(?:(?::|#L|, line |\()(?P<line>\d{1,6}))?(?![\w/])"
)
_SUFFIXES = """
    py pyi pyx js jsx mjs cjs ts tsx vue java kt kts scala go rs c h cc cpp cxx hpp hh hxx inl cs
    php rb swift sh bash m mm pl lua sql html css scss toml yaml yml json xml ini cfg md rst txt
    proto gradle cmake tpl tmpl jinja ipynb
"""
SUFFIXES = frozenset(_SUFFIXES.split())
ERROR = re.compile(
    r"^[ \t>E|+]*(?:Caused by: |error: |panic: |Uncaught )?"
    r"(?P<kind>(?:\w+[.:]+)*\w*(?:Error|Exception|Warning|[Pp]anic|Failure))\b ?:? ?"
    r"(?P<message>.*)$",
    re.M,
)
LONGEST_ERROR = 300


def code_blocks(text: str) -> tuple[str, ...]:
    """The fenced code blocks of a text."""
    return tuple(match[2] for match in FENCE.finditer(text))


def without_code(text: str) -> str:
    """A text without its fenced code blocks."""
    return FENCE.sub("\n", text)


def identifiers(text: str) -> tuple[str, ...]:
    """Names that look like code, each once, in order of appearance."""
    found: dict[str, None] = {}
    for name in _identifiers(text):
        found.setdefault(name.replace("::", ".").replace("->", ".").replace("#", "."))
    return tuple(found)


def _identifiers(text: str) -> Iterator[str]:
    matches = [*DOTTED.finditer(text), *SINGLE.finditer(text)]
    for quoted in BACKTICKED.finditer(text):
        matches.extend(IDENTIFIER.finditer(text, quoted.start(1), quoted.end(1)))
    for block in FENCE.finditer(text):
        matches.extend(IDENTIFIER.finditer(text, block.start(2), block.end(2)))
    for match in sorted(matches, key=lambda match: (match.start(), -match.end())):
        yield match[0]


def paths(text: str) -> tuple[PathMention, ...]:
    """Files named in a text, each once, with the line where one is given."""
    found: dict[PathMention, None] = {}
    for match in PATH.finditer(text):
        path = match["path"].replace("\\", "/")
        if match["suffix"].lower() in SUFFIXES and not path.startswith("//"):
            line = match["line"]
            found.setdefault(PathMention(path, int(line) if line else None))
    return tuple(found)


def errors(text: str) -> tuple[str, ...]:
    """The messages of errors in a text, each once: `ValueError: x` gives `x`."""
    found: dict[str, None] = {}
    for match in ERROR.finditer(text):
        message = match["message"].strip()[:LONGEST_ERROR]
        if message:
            found.setdefault(message)
    return tuple(found)
