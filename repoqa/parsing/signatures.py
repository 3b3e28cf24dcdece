"""The parameters of every function in a file, for the languages whose calls can be checked.

What decorators, macros and generics make of a signature is not known here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tree_sitter import Node

from repoqa.parsing.names import last_identifier
from repoqa.parsing.source import Source, line_of

ParameterKind = Literal["positional", "either", "keyword", "rest", "keywords"]
CHECKED = ("python", "javascript", "typescript", "tsx", "java", "go", "c", "cpp", "rust")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `either` may be given by place or by name; `rest` takes any number of
    places, `keywords` any names."""

    name: str
    kind: ParameterKind
    required: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """A function's signature: the line of its name, its parameters, its text without its body.

    `takes_self`: a parameter for the object stands before the others, and is not among them
    (Rust's alone: Python's `self` is a parameter like any other to its grammar).
    """

    name: str
    line: int
    parameters: tuple[Parameter, ...]
    header: str
    takes_self: bool = False


# The node types that have parameters, and the fields that hold their name.
FUNCTIONS: Mapping[str, str] = {
    "function_definition": "name",  # Python (C's and C++'s is told by its declarator)
    "function_declaration": "name",
    "generator_function_declaration": "name",
    "function_signature": "name",
    "method_definition": "name",
    "method_signature": "name",
    "abstract_method_signature": "name",
    "method_declaration": "name",
    "constructor_declaration": "name",
    "record_declaration": "name",
    "method_elem": "name",
    "function_declarator": "declarator",
    "function_item": "name",
    "function_signature_item": "name",
}
# Functions without a name of their own, and the nodes around them that give them one.
NAMELESS = ("arrow_function", "function_expression", "generator_function")
NAMING: Mapping[str, str] = {
    "variable_declarator": "name",
    "public_field_definition": "name",
    "field_definition": "property",
    "pair": "key",
    "assignment_expression": "left",
}


def signatures(source: Source) -> tuple[Signature, ...]:
    """The signatures in a file, in its order; none where its language's calls are not checked."""
    if source.language not in CHECKED:
        return ()
    found = (_signature(node, source) for node in source.nodes())
    return tuple(signature for signature in found if signature)


def _signature(node: Node, source: Source) -> Signature | None:
    named = _name(node)
    if named is None:
        return None
    parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
    if parameters is None:
        return None
    given = [parameters] if parameters.type == "identifier" else parameters.children
    read = list(_parameters(given, source))
    return Signature(
        name=last_identifier(source.text(named)),
        line=line_of(named),
        parameters=tuple(parameter for parameter in read if parameter != SELF),
        header=_header(node, source),
        takes_self=SELF in read,
    )


def _name(node: Node) -> Node | None:
    if node.type in FUNCTIONS:
        return node.child_by_field_name(FUNCTIONS[node.type])
    parent = node.parent
    if node.type in NAMELESS and parent is not None and parent.type in NAMING:
        return parent.child_by_field_name(NAMING[parent.type])
    return None


def _header(node: Node, source: Source) -> str:
    """The signature's text without line breaks, comments as they are, and without the body."""
    whole = node
    while whole.type != "function_definition" and whole.parent and _declares(whole.parent):
        whole = whole.parent
    body = whole.child_by_field_name("body")
    end = body.start_byte if body else whole.end_byte
    return " ".join(source.content[whole.start_byte : end].decode(errors="replace").split())


def _declares(node: Node) -> bool:
    """Whether a node around a C declarator belongs to its signature: what is returned, `const`."""
    return node.type.endswith("_declarator") or node.type in (
        "function_definition",
        "field_declaration",
        "declaration",
    )


# ---- Parameters: one reader for each node type of a grammar ----

SELF = Parameter("self", "positional", required=True)


def _parameters(nodes: list[Node], source: Source) -> Iterator[Parameter]:
    """The parameters of a list, Python's `/` and `*` applied."""
    keyword_only = False
    read: list[Parameter] = []
    for node in nodes:
        if node.type == "positional_separator":
            read = [replace(parameter, kind="positional") for parameter in read]
        elif node.type == "keyword_separator":
            keyword_only = True
        for parameter in _read(node, source):
            kind = parameter.kind
            if keyword_only and kind == "either":
                parameter = replace(parameter, kind="keyword")
            keyword_only = keyword_only or (kind == "rest" and source.language == "python")
            read.append(parameter)
    yield from read


def _read(node: Node, source: Source) -> list[Parameter]:
    if node.type == "..." and source.language in ("c", "cpp"):
        return [Parameter("...", "rest", required=False)]
    reader = READERS.get(node.type)
    return reader(node, source) if reader and node.is_named else []


def _plain(node: Node, source: Source) -> list[Parameter]:
    return [Parameter(source.text(node), _kind(source), required=True)]


def _optional(node: Node, source: Source) -> list[Parameter]:
    name = node.child_by_field_name("name") or node.child_by_field_name("left") or node
    return [Parameter(source.text(name), _kind(source), required=False)]


def _rest(node: Node, source: Source) -> list[Parameter]:
    return [Parameter(source.text(node).lstrip("*. "), "rest", required=False)]


def _keywords(node: Node, source: Source) -> list[Parameter]:
    return [Parameter(source.text(node).lstrip("* "), "keywords", required=False)]


def _typed(node: Node, source: Source) -> list[Parameter]:
    """Python's `a: int`, `*args: int` and `**options: int`."""
    inner = node.named_children[0]
    return READERS[inner.type](inner, source) if inner.type in READERS else _plain(inner, source)


def _script(node: Node, source: Source) -> list[Parameter]:
    """TypeScript's parameter, whose pattern may be `this` or `...rest`, or have a default."""
    pattern = node.child_by_field_name("pattern")
    if pattern is None or pattern.type == "this":
        return []
    if pattern.type == "rest_pattern":
        return _rest(pattern, source)
    required = node.type == "required_parameter" and node.child_by_field_name("value") is None
    return [Parameter(source.text(pattern), "positional", required=required)]


def _declared(node: Node, source: Source) -> list[Parameter]:
    """Go's `a, b int`, Java's, C's; `(void)` is no parameter in C."""
    if source.language == "go":
        names = node.children_by_field_name("name")
        return [
            Parameter(source.text(each), "positional", required=True) for each in names or [node]
        ]
    if source.text(node) == "void":
        return []
    named = node.child_by_field_name("name") or node.child_by_field_name("declarator")
    name = last_identifier(source.text(named)) if named else ""
    return [Parameter(name, "positional", required=node.type != "optional_parameter_declaration")]


def _rust(node: Node, source: Source) -> list[Parameter]:
    pattern = node.child_by_field_name("pattern")
    if node.type == "self_parameter" or (pattern is not None and pattern.type == "self"):
        return [SELF]
    return [Parameter(source.text(pattern) if pattern else "", "positional", required=True)]


def _kind(source: Source) -> ParameterKind:
    return "either" if source.language == "python" else "positional"


READERS: Mapping[str, Callable[[Node, Source], list[Parameter]]] = {
    "identifier": _plain,
    "object_pattern": _plain,
    "array_pattern": _plain,
    "default_parameter": _optional,
    "typed_default_parameter": _optional,
    "assignment_pattern": _optional,
    "typed_parameter": _typed,
    "list_splat_pattern": _rest,
    "dictionary_splat_pattern": _keywords,
    "rest_pattern": _rest,
    "required_parameter": _script,
    "optional_parameter": _script,
    "formal_parameter": _declared,
    "spread_parameter": _rest,
    "parameter_declaration": _declared,
    "optional_parameter_declaration": _declared,
    "variadic_parameter_declaration": _rest,
    "variadic_parameter": _rest,
    "parameter": _rust,
    "self_parameter": _rust,
}
