"""The commands by name: each is imported when it is called, since a question needs none but its
own, and importing the others takes a twentieth of its time."""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, cast

import typer
from typer.core import TyperGroup

# In the order of --help. Each module has a function of its own name, or an `app` of commands.
MODULES: Mapping[str, str] = MappingProxyType(
    {
        **{name: name for name in ("ask", "pack", "review", "fill", "index", "doctor", "mcp")},
        "eval": "evaluate",
        **{name: name for name in ("models", "hook", "tune")},
    }
)


class Commands(TyperGroup):
    """The group of all commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = ChainMap(dict(self.commands), cast(Any, _Imported()))


class _Imported(Mapping[str, Any]):
    """What typer makes of each command."""

    def __init__(self) -> None:
        self._imported: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._imported:
            self._imported[name] = _imported(name)
        return self._imported[name]

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


def _imported(name: str) -> Any:
    """One command. Raises KeyError for a name that is none."""
    module = import_module(f"repoqa.cli.{MODULES[name]}")
    alone = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    if hasattr(module, "app"):
        alone.add_typer(module.app)
    else:
        alone.command()(getattr(module, name))
    return typer.main.get_group(alone).commands[name]
