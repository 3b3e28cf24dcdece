"""The `repoqa` command, and the one border where errors become a line and an exit code."""

import contextlib
import gc
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from repoqa.cli.commands import MODULES, Commands
from repoqa.cli.completion import is_completing
from repoqa.cli.failure import NAME, write_log
from repoqa.cli.version import version_line
from repoqa.errors import ExitCode, RepoqaError
from repoqa.terminal.output import Output, ReaderGoneError, abandon, standard_output

# A question makes some hundred thousand objects that stay until its end, and hardly a cycle: the
# collector's usual 700 have it look through them hundreds of times, and even 50,000 still take
# 8 % of a question's time.
OBJECTS_PER_COLLECTION = 1_000_000

app = typer.Typer(
    name=NAME,
    cls=Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        standard_output().write(f"{version_line()}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version, and the commit that it was built from.",
        ),
    ] = False,
) -> None:
    """Find the bug: a long-context debugging assistant for your codebase.

    Ask inside a git repository. Everything runs on this machine unless you name a server.
    """


def main() -> NoReturn:
    """Run the command that the process was started with."""
    gc.set_threshold(OBJECTS_PER_COLLECTION)
    status = run(sys.argv[1:], standard_output())
    gc.freeze()  # else the interpreter looks for cycles in all that it is about to drop: 0.1 s
    if threading.active_count() > 1:
        _leave_at_once(status)
    sys.exit(status)


def _leave_at_once(status: int) -> NoReturn:
    """End with threads still waiting, as for a server after Ctrl-C: one that wakes while the
    interpreter is taken down under it crashes the process."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def run(arguments: Sequence[str], output: Output) -> int:
    """Run a command and return its exit code; whatever goes wrong is told on standard error."""
    try:
        return _guarded(arguments, output)
    except SystemExit as end:  # typer's, for a pipe that closed on --help, and for the shell's Tab
        if is_completing():
            return int(end.code or 0)
        abandon(output.stdout)
        return ExitCode.FINE
    except ReaderGoneError:
        abandon(output.stdout)
        return ExitCode.FINE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _guarded(arguments: Sequence[str], output: Output) -> int:
    command = typer.main.get_command(app)
    try:
        status = command.main(list(arguments) or ["--help"], prog_name=NAME, standalone_mode=False)
    except RepoqaError as error:
        output.note(f"{error.message}\n{error.remedy}")
        return error.exit_code
    except typer.TyperException as error:
        output.note(f"{error.format_message()}\nTry: {_help_for(arguments)}")
        return ExitCode.USAGE
    except ReaderGoneError:
        raise
    except Exception:  # a bug: loud, with everything a report needs
        path = write_log(arguments, traceback.format_exc())
        output.note(f"this is a bug in repoqa, sorry\nPlease report it with the log: {path}")
        return ExitCode.BUG
    return status if isinstance(status, int) else ExitCode.FINE


def _help_for(arguments: Sequence[str]) -> str:
    named = [argument for argument in arguments[:1] if argument in MODULES]
    return " ".join((NAME, *named, "--help"))
