"""The commands by name: each is imported when it is called, since a question needs none but its
own, and importing the others takes a twentieth of its time."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

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

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names: those of MODULES, and any that were added."""
        return list(dict.fromkeys((*MODULES, *super().list_commands(ctx))))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What typer makes of a command; None where there is none of this name."""
        # Of a name that is none, typer looks for what is like it among those that are there.
        for name in (cmd_name,) if cmd_name in MODULES else MODULES:
            if name not in self.commands:
                self.add_command(_imported(name), name)
        return super().get_command(ctx, cmd_name)


def _imported(name: str) -> Any:
    """One of MODULES, as typer makes it."""
    module = import_module(f"repoqa.cli.{MODULES[name]}")
    alone = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    if hasattr(module, "app"):
        alone.add_typer(module.app)
    else:
        alone.command()(getattr(module, name))
    return typer.main.get_group(alone).commands[name]
