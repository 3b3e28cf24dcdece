"""Code in colours, by pygments: each line as a list of pieces with the class of their colour.

The code may be hostile: what is large, or has a very long line, stays plain, since a lexer is a
pile of regular expressions; and one that loses a line is not believed.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

MOST_CHARACTERS = 200_000
LONGEST_LINE = 1_000
Piece = tuple[str, str]
"""The class of a colour ("" for none), and the text."""


def coloured(path: str, lines: Sequence[str]) -> list[list[Piece]]:
    """The pieces of each line, without line ends; joined they are the lines given."""
    plain = [[("", line)] if line else [] for line in lines]
    too_much = (
        sum(map(len, lines)) > MOST_CHARACTERS or max(map(len, lines), default=0) > LONGEST_LINE
    )
    lexer = None if not lines or too_much else _lexer(path.rpartition("/")[2])
    if lexer is None:
        return plain
    found: list[list[Piece]] = [[]]
    for kind, text in lexer.get_tokens("\n".join(lines)):
        name = _class(kind)
        first, *rest = text.split("\n")
        _add(found[-1], name, first)
        for line in rest:
            found.append([])
            _add(found[-1], name, line)
    same = ["".join(text for _, text in pieces) for pieces in found] == list(lines)
    return found if same else plain


@cache
def _lexer(name: str) -> "Lexer | None":
    """The lexer for a file of that name; a name alone chooses it, never what the file says."""
    from pygments.lexers import find_lexer_class_for_filename

    found = find_lexer_class_for_filename(name)
    return found(stripnl=False, ensurenl=False) if found else None


def _add(line: list[Piece], name: str, text: str) -> None:
    if not text:
        return
    if line and line[-1][0] == name:
        line[-1] = (name, line[-1][1] + text)
    else:
        line.append((name, text))


@cache
def _class(kind: "_TokenType") -> str:
    """The one-letter class of a token's colour."""
    from pygments import token

    classes = (
        (token.Comment, "c"),
        (token.String, "s"),
        (token.Number, "n"),
        (token.Operator.Word, "k"),
        (token.Keyword, "k"),
        (token.Name.Decorator, "d"),
        (token.Name.Builtin, "b"),
        (token.Name.Function, "f"),
        (token.Name.Class, "f"),
        (token.Name.Tag, "k"),
        (token.Name.Attribute, "b"),
        (token.Generic.Heading, "k"),
        (token.Generic.Subheading, "k"),
    )
    return next((name for parent, name in classes if kind in parent), "")
