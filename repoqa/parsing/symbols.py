"""From captures to symbols: qualified names, spans, headers, docs and bases, for any language."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from repoqa.parsing import names
from repoqa.parsing.captures import Captures, Definition, Region
from repoqa.records import Kind, Reference, Span, Symbol

_TYPES = frozenset({"class", "type"})
_FUNCTIONS = frozenset({"function", "method"})
_VALUES = frozenset({"variable", "constant"})
# No name, and Java's word where a type is left to the compiler.
_NO_TYPES = frozenset({"", "_", "var"})
_NOT_SPACE = re.compile(rb"\S")


@dataclass(slots=True)
class _Draft:
    """A symbol whose docstring and bases may still be found further down the file. `outer_row`
    is where the definition around it starts, -1 at the top."""

    definition: Definition
    name: str
    kind: Kind
    outer_row: int
    doc: Region | None = None
    bases: list[str] = field(default_factory=list)


class _Scope(NamedTuple):
    """An open stretch of the file; `draft` is None for a closure and for a dropped variable."""

    end: int
    draft: _Draft | None
    is_closure: bool


class _Item(NamedTuple):
    """Something to place among the scopes, in the order of the file, the outermost first."""

    start: int
    inverted_end: int
    order: int
    content: Definition | Region | str | None


def symbols(captures: Captures, source: bytes) -> tuple[Symbol, ...]:
    """Every symbol of a file, sorted by (start, -end, name)."""
    surroundings = _Surroundings(captures, source)
    found = {surroundings.finish(draft) for draft in _drafts(captures)}
    return tuple(
        sorted(found, key=lambda symbol: (symbol.start, -symbol.end, symbol.name, symbol.kind))
    )


def references(captures: Captures) -> tuple[Reference, ...]:
    """Every reference, once per (line, name, kind), sorted so. A defined name is not a use of it,
    and a base is not told a second time as a type."""
    found = captures.references
    for start, line, name in captures.types:
        if (
            name not in _NO_TYPES
            and start not in captures.definitions
            and (line, name, "base") not in found
        ):
            found[line, name, "type"] = None
    return tuple([Reference(name, kind, line) for line, name, kind in sorted(found) if name])


def import_spans(captures: Captures) -> tuple[Span, ...]:
    """The lines of import statements, sorted, each once."""
    spans = {(region.first + 1, region.last + 1) for region in captures.imports}
    return tuple(Span(start, end) for start, end in sorted(spans))


def _drafts(captures: Captures) -> list[_Draft]:
    """Place every definition inside its neighbours, without recursion: trees can be deep."""
    drafts: list[_Draft] = []
    scopes: list[_Scope] = []
    for start, inverted_end, _, content in sorted(_items(captures), key=lambda item: item[:3]):
        while scopes and scopes[-1].end <= start:
            scopes.pop()
        if content is None:
            scopes.append(_Scope(-inverted_end, None, True))
        elif isinstance(content, Definition):
            draft = _draft(content, scopes)
            if draft is not None:
                drafts.append(draft)
            if content.extent[1] > start:
                scopes.append(_Scope(content.extent[1], draft, False))
        else:
            _attach(content, scopes)
    return drafts


def _items(captures: Captures) -> Iterator[_Item]:
    imported = {region.start for region in captures.imports}
    for name_start, definition in captures.definitions.items():
        # `const x = require("y")` is an import first; it is listed as that alone.
        if not (definition.kind in _VALUES and definition.region.start in imported):
            # Of two names for one extent (`typedef struct { ... } a, *b;`) the first is innermost.
            yield _Item(definition.extent[0], -definition.extent[1], -name_start, definition)
    for start, end in captures.closures:
        yield _Item(start, -end, 1, None)
    for doc in captures.docs:
        yield _Item(doc.start, -doc.end, 2, doc)
    for start, base in captures.bases:
        yield _Item(start, -start, 3, base)


def _draft(definition: Definition, scopes: list[_Scope]) -> _Draft | None:
    """The definition as a symbol, or None for a local variable."""
    kind = definition.kind
    if definition.scope == "type":
        scopes = _up_to_type(scopes)
    around = _enclosing(scopes)
    is_local = around is not None and (around.draft is None or around.draft.kind in _FUNCTIONS)
    if is_local and (kind in _VALUES or definition.scope == "file"):
        return None
    is_member = around is not None and around.draft is not None and around.draft.kind in _TYPES
    if kind == "function" and is_member:
        kind = "method"
    elif kind == "variable" and not is_member and names.is_constant(definition.name):
        kind = "constant"
    owner = _owner(scopes, definition)
    name = f"{owner.name}.{definition.name}" if owner else definition.name
    outer_row = around.draft.definition.region.first if around and around.draft else -1
    return _Draft(definition, name, kind, outer_row)


def _up_to_type(scopes: list[_Scope]) -> list[_Scope]:
    """The scopes without the functions and closures inside the innermost type."""
    for count in range(len(scopes), 0, -1):
        draft = scopes[count - 1].draft
        if draft and draft.kind in _TYPES:
            return scopes[:count]
    return scopes


def _enclosing(scopes: list[_Scope]) -> _Scope | None:
    """The innermost scope that is more than the value of a variable."""
    for scope in reversed(scopes):
        if scope.is_closure or (scope.draft and scope.draft.kind not in _VALUES):
            return scope
    return None


def _owner(scopes: list[_Scope], definition: Definition) -> _Draft | None:
    """The innermost definition whose name a member takes; its neighbour in `a, b = 1, 2`, of the
    same extent, is none."""
    for scope in reversed(scopes):
        draft = scope.draft
        if draft and draft.definition.qualifies and draft.definition.region != definition.region:
            return draft
    return None


def _attach(content: Region | str, scopes: list[_Scope]) -> None:
    """Give a docstring or a base to the innermost definition around it."""
    draft = next((scope.draft for scope in reversed(scopes) if scope.draft), None)
    if draft is None:
        return
    if isinstance(content, str):
        if draft.kind not in _FUNCTIONS | _VALUES and content not in draft.bases:
            draft.bases.append(content)
    elif draft.doc is None:
        draft.doc = content


class _Surroundings:
    """What stands around definitions: the comments above them, the decorators before them."""

    def __init__(self, captures: Captures, source: bytes) -> None:
        self._source = source
        self._comment_by_end = {comment.end: comment for comment in captures.comments}
        self._blocks = _comment_blocks(captures, source)
        self._beginnings = _beginnings(captures, source)

    def finish(self, draft: _Draft) -> Symbol:
        """The draft as a symbol with lines."""
        definition = draft.definition
        region = definition.region
        first = self._beginnings.get(region.start, region).first
        return Symbol(
            name=draft.name,
            kind=draft.kind,
            start=first + 1,
            end=region.last + 1,
            header_end=self._header_last_row(definition) + 1,
            doc=self._doc(draft, first),
            bases=tuple(draft.bases),
        )

    def _doc(self, draft: _Draft, first: int) -> Span | None:
        if draft.doc is not None:
            return Span(draft.doc.first + 1, draft.doc.last + 1)
        start = self._blocks.get(first - 1)
        if start is None or draft.outer_row == first:  # then it is the outer definition's
            return None
        return Span(start + 1, first)

    def _header_last_row(self, definition: Definition) -> int:
        """The row of the last thing before the body, comments apart."""
        region, position = definition.region, definition.body_start
        if position < 0:
            return region.last
        while True:
            position = self._last_before(position, region.start)
            comment = self._comment_by_end.get(position)
            if comment is None or comment.start < region.start:
                break
            position = comment.start
        between = self._source.count(b"\n", position, definition.body_start)
        return max(region.first, definition.body_row - between)

    def _last_before(self, position: int, floor: int) -> int:
        while position > floor and self._source[position - 1] in b" \t\r\n\f\v\\":
            position -= 1
        return position


def _comment_blocks(captures: Captures, source: bytes) -> dict[int, int]:
    """Last row to first row of every run of comments that stand on lines of their own."""
    blocks: dict[int, int] = {}
    for start, _, first, last in sorted(captures.comments):
        line_start = source.rfind(b"\n", 0, start) + 1
        if not source[line_start:start].strip():
            blocks[last] = blocks.pop(first - 1, first)
    return blocks


def _beginnings(captures: Captures, source: bytes) -> dict[int, Region]:
    """For the byte where a definition starts: the first decorator (or the like) that leads up to
    it, with nothing but white space and comments between."""
    beginnings: dict[int, Region] = {}
    if not captures.leading:
        return beginnings
    leading = set(captures.leading)
    for region in sorted({*leading, *captures.comments}):
        earlier = beginnings.get(region.start, region if region in leading else None)
        following = _NOT_SPACE.search(source, region.end)
        if earlier is not None and following is not None:
            beginnings[following.start()] = earlier
    return beginnings
