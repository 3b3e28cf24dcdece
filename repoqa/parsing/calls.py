"""The calls in a file with what they are given: how many arguments, which names, what is spread."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tree_sitter import Node

from repoqa.parsing.names import last_identifier
from repoqa.parsing.signatures import CHECKED
from repoqa.parsing.source import Source, last_line_of, line_of


@dataclass(frozen=True, slots=True)
class Call:
    """A call of something named `name`. `receiver` is what stands before the name (`self`,
    `shop.passwords`, `Type`), "" for none.

    `given` counts the arguments without a name, `keywords` are the names of the others. `spreads`:
    an argument stands for any number of them (`*args`, `xs...`, in Go another call's results).
    `is_new`: it constructs what it names. It stands on the lines `line` to `end`.
    """

    name: str
    line: int
    end: int
    receiver: str
    given: int
    keywords: tuple[str, ...] = ()
    spreads: bool = False
    is_new: bool = False


# The fields of a call's node: what is called, and its arguments.
CALLS: Mapping[str, str] = {
    "call": "function",
    "call_expression": "function",
    "new_expression": "constructor",
    "method_invocation": "name",
    "object_creation_expression": "type",
}
# What is called may stand inside another node: the field that leads on.
WRAPPED: Mapping[str, str] = {
    "generic_function": "function",
    "template_function": "name",
    "template_method": "name",
    "index_expression": "operand",
}
# What is called, as receiver and name.
MEMBERS: Mapping[str, tuple[str, ...]] = {
    "attribute": ("object", "attribute"),
    "member_expression": ("object", "property"),
    "selector_expression": ("operand", "field"),
    "field_expression": ("argument", "field"),
    "qualified_identifier": ("scope", "name"),
    "scoped_identifier": ("path", "name"),
}
SPREAD = ("list_splat", "dictionary_splat", "spread_element", "variadic_argument") + (
    "parameter_pack_expansion",
)
NO_ARGUMENT = ("comment", "line_comment", "block_comment", "attribute_item")
MACRO_ARGUMENTS = "token_tree"


def calls(source: Source) -> tuple[Call, ...]:
    """The calls in a file, in its order; none where its language's calls are not checked."""
    return tuple(_calls(source)) if source.language in CHECKED else ()


def _calls(source: Source) -> Iterator[Call]:
    for node in source.nodes():
        if node.type in CALLS:
            found = _call(node, source)
        elif node.type == "declaration" and source.language == "cpp":
            found = _declared(node, source)
        elif node.type == MACRO_ARGUMENTS and source.language == "rust":
            yield from _in_macro(node, source)
            continue
        else:
            continue
        if found is not None:
            yield found


def _call(node: Node, source: Source) -> Call | None:
    called = node.child_by_field_name(CALLS[node.type]) or node.child_by_field_name("type")
    if called is None:
        return None
    named, before = _named(called, node.child_by_field_name("object"))
    name = last_identifier(source.text(named))
    if not name:
        return None
    arguments = node.child_by_field_name("arguments")
    is_new = node.type in ("new_expression", "object_creation_expression")
    receiver = source.text(before) if before else ""
    call = Call(name, line_of(named), last_line_of(node), receiver, 0, is_new=is_new)
    return _with_arguments(call, arguments, source)


def _named(called: Node, before: Node | None) -> tuple[Node, Node | None]:
    """The node of the name that is called, and what stands before it."""
    while called.type in WRAPPED or called.type in MEMBERS:
        if called.type in WRAPPED:
            inner = called.child_by_field_name(WRAPPED[called.type])
        else:
            first, last = MEMBERS[called.type]
            inner = called.child_by_field_name(last)
            before = called.child_by_field_name(first) or called.child_by_field_name("value")
        if inner is None:
            break
        called = inner
    return called, before


def _with_arguments(call: Call, arguments: Node | None, source: Source) -> Call:
    if arguments is None:
        return call
    if not arguments.type.startswith(("argument", "initializer")):
        return replace(call, given=1)  # Python's f(x for x in y)
    given, spreads = 0, False
    keywords: list[str] = []
    for argument in arguments.named_children:
        if argument.type in SPREAD:
            spreads = True
        elif argument.type == "keyword_argument":
            name = argument.child_by_field_name("name")
            keywords.append(source.text(name) if name else "")
        elif argument.type not in NO_ARGUMENT:
            given += 1
    # Go passes on all that a call returns: f(g()).
    if source.language == "go" and given == 1:
        spreads = spreads or arguments.named_children[0].type == "call_expression"
        given = 0 if spreads else given
    return replace(call, given=given, keywords=tuple(keywords), spreads=spreads)


def _declared(node: Node, source: Source) -> Call | None:
    """C++'s `Type name(1, 2);`, which constructs a Type."""
    made = node.child_by_field_name("type")
    declarator = node.child_by_field_name("declarator")
    if made is None or declarator is None or declarator.type != "init_declarator":
        return None
    value = declarator.child_by_field_name("value")
    name = last_identifier(source.text(made))
    if not name or value is None or value.type != "argument_list":
        return None
    call = Call(name, line_of(made), last_line_of(node), "", 0, is_new=True)
    return _with_arguments(call, value, source)


def _in_macro(node: Node, source: Source) -> Iterator[Call]:
    """Calls among a Rust macro's tokens: a name, then tokens in parentheses."""
    tokens: Sequence[Node] = node.children
    for number, token in enumerate(tokens[:-1]):
        arguments = tokens[number + 1]
        name = source.text(token) if token.type == "identifier" else ""
        if not name or arguments.type != MACRO_ARGUMENTS:
            continue
        inner = arguments.children
        if inner and inner[0].type == "(":
            before = tokens[number - 1].type if number else ""
            receiver = (
                source.text(tokens[number - 2]) if before in (".", "::") and number > 1 else ""
            )
            given = _separated(inner[1:-1])
            yield Call(name, line_of(token), last_line_of(arguments), receiver, given)


def _separated(tokens: Sequence[Node]) -> int:
    """How many arguments commas part; a comma at the end parts none."""
    commas = sum(token.type == "," for token in tokens)
    return commas + bool(tokens and tokens[-1].type != ",")
