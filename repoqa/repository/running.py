"""Runs git, through GitPython, behind its protection.

Every command is kept from running anything that a repository's own settings name, from fetching,
from writing, and from being redirected by inherited `GIT_*` variables.
"""

import os
import selectors
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from repoqa.errors import RepositoryError

if TYPE_CHECKING:
    import subprocess

    from git.cmd import Git as Commands

# What a repository's own .git/config could make reading commands run, read or overlook.
PROTECTION = (
    "core.fsmonitor=",
    "core.checkStat=default",
    "core.trustCtime=true",
    f"core.hooksPath={os.devnull}",
    f"diff.orderFile={os.devnull}",
    "log.showSignature=false",
    "log.mailmap=false",
    "submodule.recurse=false",
)
ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",  # never refresh the user's index
    "GIT_NO_LAZY_FETCH": "1",  # git 2.45 and its back-ports; the next line serves older ones
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",  # an id has to give exactly that object's bytes
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
}
# Where git and its settings are, which stay the user's; the rest would point git elsewhere.
KEPT = ("GIT_CONFIG", "GIT_CEILING_", "GIT_DISCOVERY_", "GIT_EXEC_PATH", "GIT_PYTHON_")
READ_BYTES = 1 << 16
_environment_lock = threading.RLock()


class Finished(NamedTuple):
    """What a command that ended left behind."""

    status: int
    output: bytes
    errors: str


class Running:
    """A git command under way; it is stopped when this object goes."""

    def __init__(self, guard: "Commands.AutoInterrupt") -> None:
        self._guard = guard
        assert guard.proc is not None
        self.process: subprocess.Popen[bytes] = guard.proc
        self._ready: selectors.BaseSelector | None = None
        self._drain: threading.Thread | None = None

    def finish(self, stdin: bytes | None = None) -> Finished:
        """Write `stdin`, wait for the end and return everything."""
        output, errors = self.process.communicate(stdin)
        return Finished(self.process.returncode, output, errors.decode(errors="replace"))

    def finish_within(self, *, seconds: float, limit: int) -> tuple[Finished, bool]:
        """Read until the end, `limit` bytes or `seconds`; True when all of it was read."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        deadline = time.monotonic() + seconds
        output, errors = bytearray(), bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ, output)
            selector.register(self.process.stderr, selectors.EVENT_READ, errors)
            while selector.get_map() and len(output) < limit and time.monotonic() < deadline:
                _read_ready(selector, max(0.0, deadline - time.monotonic()))
            is_whole = not selector.get_map()
        status = self.process.wait() if is_whole else 0
        self.stop()
        return Finished(status, bytes(output), errors.decode(errors="replace")), is_whole

    def read(self, *, seconds: float) -> bytes:
        """What output there is now, waiting up to `seconds` for some; b"" for none to come."""
        assert self.process.stdout is not None
        if self._ready is None:
            self._ready = selectors.DefaultSelector()
            self._ready.register(self.process.stdout, selectors.EVENT_READ)
        is_ready = self._ready.select(seconds)
        return os.read(self.process.stdout.fileno(), READ_BYTES) if is_ready else b""

    def ignore_errors(self) -> None:
        """Throw away what it says on stderr from now on, lest that pipe fills and it waits."""
        assert self.process.stderr is not None
        pipe = self.process.stderr.fileno()
        self._drain = threading.Thread(target=_discard, args=(pipe,), daemon=True)
        self._drain.start()

    def stop(self) -> None:
        """End the command, whatever it is doing."""
        if self._ready is not None:
            self._ready.close()
        if self.process.poll() is None:
            self.process.kill()
        if self._drain is not None:
            self._drain.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            _close(stream)
        self.process.wait()


def _discard(pipe: int) -> None:
    while os.read(pipe, READ_BYTES):
        continue


def _read_ready(selector: selectors.BaseSelector, seconds: float) -> None:
    """Add what the pipes hold to the bytes registered with them, waiting up to `seconds`."""
    for key, _ in selector.select(seconds):
        piece = os.read(key.fd, READ_BYTES)
        key.data.extend(piece)
        if not piece:
            selector.unregister(key.fileobj)


def _close(stream: object) -> None:
    """Close a pipe; what its reader no longer takes is of no interest."""
    try:
        stream.close()  # type: ignore[attr-defined]
    except (AttributeError, BrokenPipeError):
        return


def start_git(
    commands: "Commands",
    arguments: Sequence[str],
    *,
    settings: Mapping[str, str] | None = None,
    pipe: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Running:
    """Start git behind its protection, with a pipe to its standard input where `pipe` says so.

    `settings` may have any name, also one that `-c NAME=VALUE` would take apart wrongly.
    """
    import subprocess

    from git import GitCommandNotFound

    executable = commands.GIT_PYTHON_GIT_EXECUTABLE or "git"
    protection = (word for setting in PROTECTION for word in ("-c", setting))
    try:
        with without_inherited():
            guard = commands.execute(
                [executable, *protection, *arguments],
                istream=subprocess.PIPE if pipe else None,
                as_process=True,
                env={**ENVIRONMENT, **_further(settings or {}), **(environment or {})},
            )
    except GitCommandNotFound as error:
        raise no_git() from error
    return Running(guard)


def no_git() -> RepositoryError:
    """What to say where git cannot be run."""
    return RepositoryError(
        "git was not found",
        remedy="Install git (https://git-scm.com/downloads) and see that it is on PATH.",
    )


def _further(settings: Mapping[str, str]) -> dict[str, str]:
    """Environment variables that hand git settings, after those that the user hands it so."""
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    variables = {"GIT_CONFIG_COUNT": str(first + len(settings))} if settings else {}
    for number, (key, value) in enumerate(settings.items(), first):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables


@contextmanager
def without_inherited() -> Iterator[None]:
    """Hide inherited variables that redirect git, as a hook's GIT_DIR does.

    GitPython hands on the process's environment and can add to it, but not take away.
    """
    with _environment_lock:
        hidden = {
            name: os.environ.pop(name)
            for name in list(os.environ)
            if name.startswith("GIT_") and not name.startswith(KEPT)
        }
        try:
            yield
        finally:
            os.environ.update(hidden)
