"""HTML that cannot be broken out of: a string is text and escaped, only `element` makes markup.

Tags and attribute names are written in this package alone; everything that comes from the
repository, the log or the model goes through `text`.
"""

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from repoqa.formats.json import printable
from repoqa.visible import visible

VOID = ("input", "rect")  # elements that have no end tag


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content: TypeAlias = "str | Iterable[str]"
Attribute: TypeAlias = "str | int | float | bool | None"


def text(content: str) -> Markup:
    """`content` as it is to be read, controls and reordering marks as escapes; markup stays."""
    if isinstance(content, Markup):
        return content
    shown: str = printable(visible(content))
    return Markup(escape(shown))


def join(parts: Iterable[str]) -> Markup:
    """The parts one after another."""
    return Markup("".join(map(text, parts)))


def element(name: str, *content: Content, **attributes: Attribute) -> Markup:
    """An element. Attributes are named as in Python (`class_`, `aria_label`); None and False are
    left out, True stands alone."""
    given = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{given}>" if name == "input" else f"<{name}{given}/>")
    inside = join(part for each in content for part in ((each,) if isinstance(each, str) else each))
    return Markup(f"<{name}{given}>{inside}</{name}>")


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(str(value))}"'
