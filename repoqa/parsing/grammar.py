"""A language's compiled grammar and queries, loaded once per process when first needed.

The queries of `queries/` capture, in every language alike:

    @definition.KIND  a definition (KIND as in records.Kind) with its @name; @owner goes before the
                      name (a Go receiver), @body is what follows the signature. Where two patterns
                      name the same @name, the first in the file wins. `(#set! name "x")` names a
                      definition without a name of its own, `(#set! qualifies "no")` keeps its name
                      out of its members' names, `(#set! scope "file")` drops it inside functions,
                      `(#set! scope "type")` makes it a member of the type around the function
    @doc              a docstring inside the definition it documents
    @comment          a comment; one directly above a definition is its doc
    @leading          what belongs to the definition after it: a decorator, `export`, `template<>`
    @base             what the innermost definition around it inherits from or implements
    @local            a function without a name: the variables inside are not symbols
    @import           an import statement
    @reference.KIND   a called name or a type, of which the last identifier is taken, or all of
                      it with `(#set! name "whole")`; what is imported, after its @module

Conditions are ours to check (captures.py): the binding would keep every tree that it hands to a
callback for them. `(#text? @capture "a" "b")` and `(#not-text? @capture "a" "b")` compare a
capture's text, `(#capitalized? @capture)` and `(#upper? @capture)` look at its case. Never use
tree-sitter's own `#eq?`, `#match?` or `#any-of?`: they read the node's text, which crashes the
interpreter for a tree that was parsed through a callback (py-tree-sitter 0.26).
"""

import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import cast

from tree_sitter import Language as TreeSitterLanguage
from tree_sitter import Parser, Query

from repoqa.parsing.languages import BY_NAME, query_source

_REFERENCE = "reference."
_DEFINITION = "definition."
# Kinds of which one statement never holds two; their bases can stand before their names.
_OWN_STATEMENT = {"definition.class", "definition.type", "definition.module"}
_CAPTURE = re.compile(rb"@([a-z.]+)")
_CONDITION = re.compile(rb'\(#([a-z-]+)\?\s+@([a-z.]+)((?:\s+"[^"]*")*)\s*\)')
_WORD = re.compile(rb'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to hold for the text of a capture: `test` is `text`, `not-text`, `capitalized` or
    `upper`, the first two with the words to compare it with."""

    test: str
    capture: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one pattern of a query captures. At most one of the two kinds is set.

    `definition` is the kind it defines, from the capture `capture`; `reference` the kind of
    reference that `capture` is. `shares_statement`: another definition may stand in the same node.
    `name`, `qualifies` and `scope` are its settings, `conditions` what else has to hold.
    """

    number: int
    capture: str
    definition: str
    reference: str
    name: str
    shares_statement: bool
    qualifies: bool
    scope: str
    conditions: tuple[Condition, ...] = ()

    @property
    def is_use(self) -> bool:
        """Whether it captures what is called or named as a type."""
        return self.reference not in ("", "import")


@dataclass(frozen=True, slots=True)
class Grammar:
    """A language, its query, and what each pattern of the query captures."""

    language: TreeSitterLanguage
    query: Query
    patterns: tuple[Pattern, ...]

    def parser(self) -> Parser:
        """A parser of its own: one that two threads share crashes the process."""
        return Parser(self.language)


class GrammarError(Exception):
    """A language's package is not installed, or not one that works here; the message says why."""


@cache
def load(language: str) -> Grammar:
    """The grammar of a language in `languages.LANGUAGES`. Raises KeyError for another, and
    GrammarError where its package does not load."""
    entry = BY_NAME[language]
    try:
        loader = getattr(importlib.import_module(entry.grammar), entry.loader)
        grammar = TreeSitterLanguage(cast("Callable[[], object]", loader)())
    # AttributeError: another module of that name; ValueError: a version that does not fit.
    except (ImportError, OSError, AttributeError, ValueError) as error:
        raise GrammarError(str(error).partition("\n")[0]) from error
    source = query_source(language)
    query = Query(grammar, source)
    patterns = tuple(
        _pattern(query, number, source.encode()) for number in range(query.pattern_count)
    )
    return Grammar(grammar, query, patterns)


def _pattern(query: Query, number: int, source: bytes) -> Pattern:
    start, end = query.start_byte_for_pattern(number), query.end_byte_for_pattern(number)
    # The binding's own way to ask (capture_quantifier) raises for a capture of another pattern.
    captures = [name.decode() for name in _CAPTURE.findall(source[start:end])]
    settings = query.pattern_settings(number)
    capture = next((name for name in captures if name.startswith((_DEFINITION, _REFERENCE))), "")
    return Pattern(
        number=number,
        capture=capture,
        definition=capture.partition(_DEFINITION)[2],
        reference=capture.partition(_REFERENCE)[2],
        name=settings.get("name") or "",
        shares_statement=capture not in _OWN_STATEMENT,
        qualifies=settings.get("qualifies") != "no",
        scope=settings.get("scope") or "",
        conditions=tuple(_conditions(source[start:end])),
    )


def _conditions(source: bytes) -> Iterator[Condition]:
    for test, capture, words in _CONDITION.findall(source):
        compared = tuple(word.decode() for word in _WORD.findall(words))
        yield Condition(test.decode(), capture.decode(), compared)
