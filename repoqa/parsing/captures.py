"""What a language's query found in a tree, sorted into kinds: the raw material of symbols.

Everything is copied out of the tree here, as bytes and rows (0-based); no node outlives it.
"""

from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple, cast

from tree_sitter import Node, QueryCursor

from repoqa.parsing import names
from repoqa.parsing.grammar import Condition, Grammar, Pattern
from repoqa.records import Kind, ReferenceKind

Found = dict[str, list[Node]]

# No definition stands deeper in real code (a chain of 300 `else if` nests 900 levels). Matching
# takes a time that grows with the square of the depth: 20 s at 10,000 levels, 0.01 s at this.
_DEEPEST_MATCH = 1000
# What is called `_` cannot be named again.
_NO_NAMES = frozenset({"", "_"})


class Region(NamedTuple):
    """A stretch of the source: bytes `start` to `end`, on rows `first` to `last` (0-based)."""

    start: int
    end: int
    first: int
    last: int


class Definition(NamedTuple):
    """A definition as captured.

    `extent` is the bytes that belong to it and no other: two functions, or a variable and its
    neighbour, can share one statement. `body_start` and `body_row` are -1 where it has no body.
    `pattern` is the number of the pattern that found it, `qualifies` and `scope` its settings.
    """

    region: Region
    name: str
    kind: Kind
    extent: tuple[int, int]
    body_start: int
    body_row: int
    qualifies: bool
    scope: str
    pattern: int


@dataclass(slots=True)
class Captures:
    """All that was captured in one file.

    `definitions` are by the byte their name starts at; `references` are (line, name, kind),
    1-based lines, as the keys of a dict: in order they are sorted soon; `types` (start byte, line,
    name); `bases` (start byte, name as written). The name of a use is "" where it has none.
    """

    definitions: dict[int, Definition] = field(default_factory=dict)
    references: dict[tuple[int, str, ReferenceKind], None] = field(default_factory=dict)
    types: list[tuple[int, int, str]] = field(default_factory=list)
    bases: list[tuple[int, str]] = field(default_factory=list)
    docs: list[Region] = field(default_factory=list)
    comments: list[Region] = field(default_factory=list)
    leading: list[Region] = field(default_factory=list)
    closures: list[tuple[int, int]] = field(default_factory=list)
    imports: list[Region] = field(default_factory=list)


def collect(grammar: Grammar, root: Node, source: bytes) -> Captures:
    """Run the grammar's query over a tree.

    Depth is limited, not time: py-tree-sitter 0.26 crashes where a query is given a progress
    callback to stop it (the options it points to are gone by then).
    """
    collector = _Collector(source)
    patterns = grammar.patterns
    uses = {number: list[Node]() for number, pattern in enumerate(patterns) if pattern.is_use}
    cursor = QueryCursor(grammar.query)
    cursor.set_max_start_depth(_DEEPEST_MATCH)
    for number, found in cursor.matches(root):
        pattern = patterns[number]
        if pattern.conditions and not collector.meets(pattern.conditions, found):
            continue
        if number in uses:
            uses[number] += found[pattern.capture]
        elif pattern.reference:
            collector.add_import(pattern, found)
        elif pattern.definition:
            collector.add_definition(pattern, found)
        else:
            collector.add_plain(found)
    for number, nodes in uses.items():
        collector.add_uses(patterns[number], nodes)
    return collector.captures


class _LastIdentifiers(dict[bytes, str]):
    """Names as written to their last identifiers: the same names are used over and over."""

    def __missing__(self, text: bytes) -> str:
        name = names.last_identifier(text.decode())
        self[text] = name = "" if name == "_" else name
        return name


class _Collector:
    """Copies matches out of one file's tree."""

    def __init__(self, source: bytes) -> None:
        self.captures = captures = Captures()
        self._source = source
        self._last_identifiers = _LastIdentifiers()
        self._regions = {
            "comment": captures.comments,
            "leading": captures.leading,
            "doc": captures.docs,
            "import": captures.imports,
        }

    def meets(self, conditions: tuple[Condition, ...], found: Found) -> bool:
        """Whether the conditions hold for a match."""
        return all(self._holds(condition, found) for condition in conditions)

    def _holds(self, condition: Condition, found: Found) -> bool:
        texts = {self._text(node) for node in found.get(condition.capture, ())}
        if condition.test == "capitalized":
            return any(text[:1].isupper() for text in texts)
        if condition.test == "upper":
            return any(names.is_constant(text) for text in texts)
        return texts.isdisjoint(condition.words) == (condition.test == "not-text")

    def add_uses(self, pattern: Pattern, nodes: list[Node]) -> None:
        """Add references to calls or types by their last identifier."""
        source, kind = self._source, cast(ReferenceKind, pattern.reference)
        starts = [node.start_byte for node in nodes]
        lines = [node.start_point[0] + 1 for node in nodes]
        texts = [source[start : node.end_byte] for start, node in zip(starts, nodes, strict=True)]
        if pattern.name == "whole":
            used = [names.clean_name(text.decode()) for text in texts]
        else:
            used = [*map(self._last_identifiers.__getitem__, texts)]
        if kind == "type":
            self.captures.types += zip(starts, lines, used, strict=True)
        else:
            found = zip(lines, used, repeat(kind), strict=False)
            self.captures.references.update(dict.fromkeys(found))

    def add_import(self, pattern: Pattern, found: Found) -> None:
        """Add what an import names, by its dotted path."""
        modules = [self._text(module) for module in found.get("module", ())]
        for node in found.get(pattern.capture, ()):
            path = names.module_path(modules, self._text(node))
            if path:
                self.captures.references[node.start_point[0] + 1, path, "import"] = None

    def add_definition(self, pattern: Pattern, found: Found) -> None:
        """Add a definition, unless a pattern further up in the query defined the same name."""
        node = found[pattern.capture][0]
        named = found["name"][0] if "name" in found else node
        earlier = self.captures.definitions.get(named.start_byte)
        if earlier is not None and earlier.pattern <= pattern.number:
            return
        name = pattern.name or self._name(found)
        if name in _NO_NAMES or len(name) > names.LONGEST_NAME:
            return
        body = found["body"][0] if "body" in found else None
        self.captures.definitions[named.start_byte] = Definition(
            region=self._region(node),
            name=name,
            kind=cast(Kind, pattern.definition),
            extent=_extent(node, named, body if pattern.shares_statement else None),
            body_start=body.start_byte if body else -1,
            body_row=body.start_point[0] if body else -1,
            qualifies=pattern.qualifies,
            scope=pattern.scope,
            pattern=pattern.number,
        )

    def _name(self, found: Found) -> str:
        owners, parts = found.get("owner", ()), found.get("name", ())
        if not owners and len(parts) == 1:
            return names.clean_name(self._text(parts[0]))
        return names.joined([*map(self._text, owners)], [*map(self._text, parts)])

    def add_plain(self, found: Found) -> None:
        """Add what is neither a definition nor a reference."""
        for capture, nodes in found.items():
            regions = self._regions.get(capture)
            if regions is not None:
                regions.extend([self._region(node) for node in nodes])
            elif capture == "local":
                self.captures.closures.extend((node.start_byte, node.end_byte) for node in nodes)
            elif capture == "base":
                for node in nodes:
                    self._add_base(node)

    def _add_base(self, node: Node) -> None:
        text = names.base_name(self._text(node))
        name = names.last_identifier(text)
        if name and len(text) <= names.LONGEST_NAME:
            self.captures.bases.append((node.start_byte, text))
            self.captures.references[node.start_point[0] + 1, name, "base"] = None

    def _text(self, node: Node) -> str:
        return self._source[node.start_byte : node.end_byte].decode()

    def _region(self, node: Node) -> Region:
        """The node without the white space some grammars end their nodes with."""
        source, start, end = self._source, node.start_byte, node.end_byte
        last = node.end_point[0]
        if source[end - 1 : end].isspace() and end > start:
            trimmed = start + len(source[start:end].rstrip())
            last -= source.count(b"\n", trimmed, end)
            end = trimmed
        return Region(start, end, node.start_point[0], last)


def _extent(node: Node, named: Node, body: Node | None) -> tuple[int, int]:
    if body is None:
        return node.start_byte, node.end_byte
    return min(named.start_byte, body.start_byte), max(named.end_byte, body.end_byte)
