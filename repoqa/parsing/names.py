"""Names as the source writes them, to names as repoqa writes them."""

import re

_LAST_IDENTIFIER = re.compile(r"[\w$]+(?=\W*\Z)")
_TYPE_ARGUMENTS = re.compile(r"(?<=[\w>\]])\s*(?:<[^<>]*>|\[[^\[\]]*\])")
_CODE_SUFFIX = re.compile(r"\.[cm]?[jt]sx?\Z")
_CONSTANT = re.compile(r"_*[A-Z][A-Z0-9_]+\Z")
_WILDCARDS = frozenset({"*", "_"})
# Text longer than this is no name: it is what the parser made of broken code.
LONGEST_NAME = 200


def joined(owners: list[str], parts: list[str]) -> str:
    """The name of a definition: `Owner.name`. The parts of a name come as one word, `~` and
    `Node` as `~Node`, or as two where they would run together, `operator bool`."""
    name = ""
    for part in map(clean_name, parts):
        name += f" {part}" if name[-1:].isidentifier() and part[:1].isidentifier() else part
    return ".".join(word for word in (*map(clean_name, owners), name) if word)


def clean_name(text: str) -> str:
    """A defined name as repoqa writes it: without quotes and type arguments, `.` for `::`."""
    if text.isidentifier():
        return text
    scope, operator, symbol = text.partition("operator")
    if operator and not symbol[:1].isidentifier():  # its < and > are no type arguments
        symbol = f" {symbol.strip()}" if symbol.strip().isidentifier() else symbol.strip()
        return f"{without_type_arguments(scope).replace('::', '.')}{operator}{symbol}"
    text = text.removeprefix(":").strip("`'\" \t").lstrip("*&").replace("::", ".")
    return " ".join(without_type_arguments(text).split())


def is_constant(name: str) -> bool:
    """Whether a name is in UPPER_CASE, as constants are by custom; `T` alone tells nothing."""
    return _CONSTANT.match(name) is not None


def base_name(text: str) -> str:
    """A base as written, without its type arguments, on one line."""
    return "".join(without_type_arguments(text).split())


def without_type_arguments(text: str) -> str:
    """`ns::Map<Key, List<T>>` as `ns::Map`; `[...]` counts as well, as Python and Scala have it."""
    if len(text) > LONGEST_NAME:
        return text
    while (shorter := _TYPE_ARGUMENTS.sub("", text)) != text:
        text = shorter
    return text


def last_identifier(text: str) -> str:
    """The last identifier of a dotted or scoped name, "" where there is none; `ns::map<K>` gives
    `map`."""
    if text.isidentifier():
        return text
    found = _LAST_IDENTIFIER.search(without_type_arguments(text)[-LONGEST_NAME:])
    return found[0] if found else ""


def module_path(modules: list[str], name: str) -> str:
    """What an import names, as one dotted path: the module, then the name it takes from it.

    `a::b` and `a\\b` become `a.b`; paths keep their slashes, and relative ones lose the suffix
    of their file (`./view.js` and `view` give `./view.view`).
    """
    path = ""
    for part in (*modules, *(() if name in _WILDCARDS else (name,))):
        whole = without_type_arguments(part) if "::" in part or "<" in part else part
        cleaned = "".join(whole.strip("\"'`<>").split())
        cleaned = cleaned.replace("::", ".").replace("\\", ".")
        if cleaned.startswith(("./", "../")):
            cleaned = _CODE_SUFFIX.sub("", cleaned)
        path = f"{path}.{cleaned}" if path and not path.endswith(".") else path + cleaned
    return path if len(path) <= LONGEST_NAME else ""
