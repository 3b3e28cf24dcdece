"""Runs `repoqa` as its users do: with real files for its streams, or in a process of its own."""

import contextlib
import io
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import platformdirs

from repoqa.cli.app import run
from repoqa.terminal.output import standard_output

ROOT = Path(__file__).parent.parent
ANSWER = """\
The cause is in `strengthen`: see shop/passwords.py:11-13.

It is called by `log_in()` (shop/service.py:9), not in shop/service.py:900 nor in shop/ghost.py:3.
"""
SHOP = {
    "shop/passwords.py": '''\
"""Password hashes."""

import hashlib


def derive(password, salt, rounds):
    """The digest of a password."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)


def strengthen(password, stored, rounds):
    """Hash again at a higher cost."""
    return {**stored, "digest": derive(password, stored["salt"], rounds)}
''',
    "shop/service.py": '''\
"""Logging in."""

from shop.passwords import derive, strengthen


class Service:
    """Knows the users."""

    def log_in(self, user, password):
        """Check the password, and renew its hash."""
        stored = self.users[user]
        if derive(password, stored["salt"], stored["rounds"]) != stored["digest"]:
            raise PermissionError("wrong password")
        self.users[user] = strengthen(password, stored, self.rounds)
''',
    "shop/basket.py": '''\
"""What a customer wants to buy."""


def total(prices):
    """The sum of the prices, in cents."""
    return sum(prices)
''',
    "README.md": "# Shop\n\nCustomers log in and buy.\n",
}
QUESTION = "why does log_in fail after strengthen"


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    stdout: str
    stderr: str


def repoqa(*arguments: str, where: Path, stdin: bytes | None = None) -> Done:
    """Run a command in a folder; `stdin` None is /dev/null, bytes come from a file.

    It runs in this process, since starting one takes longer than most commands.
    """
    with (
        tempfile.TemporaryFile() as stdout,
        tempfile.TemporaryFile() as stderr,
        _input(stdin) as given,
        contextlib.chdir(where),
    ):
        code = _run(arguments, given, stdout, stderr)
        stdout.seek(0)
        stderr.seek(0)
        return Done(code, stdout.read().decode("utf-8"), stderr.read().decode("utf-8"))


def repoqa_process(*arguments: str, where: Path, **variables: str) -> Done:
    """Run a command in a process of its own, with nothing on its standard input."""
    done = subprocess.run(
        command(*arguments),
        cwd=where,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


def command(*arguments: str) -> list[str]:
    """The command line of `repoqa` under this Python."""
    return [sys.executable, "-m", "repoqa", *arguments]


def environment(**more: str) -> dict[str, str]:
    """The environment of the test, in which this checkout of repoqa is found from anywhere."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


@contextlib.contextmanager
def _input(content: bytes | None) -> Iterator[BinaryIO]:
    if content is None:
        with Path(os.devnull).open("rb") as nothing:
            yield nothing
        return
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        yield file


def _run(arguments: tuple[str, ...], *streams: BinaryIO) -> int:
    before = sys.stdin, sys.stdout, sys.stderr
    stdin, stdout, stderr = (io.TextIOWrapper(stream, encoding="utf-8") for stream in streams)
    sys.stdin, sys.stdout, sys.stderr = stdin, stdout, stderr
    try:
        return run(arguments, standard_output())
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        for stream in (stdin, stdout, stderr):
            stream.detach()


def endless_answer() -> str:
    """More than any pipe holds, of which no part looks like a model that repeats itself."""
    words = random.Random(7)
    return "".join(
        f"Word number {n}.\n{words.getrandbits(64):x}{words.getrandbits(256):x}\n"
        for n in range(20_000)
    )


def write_profile(name: str, answer: str, **keys: object) -> None:
    """Add a model profile of the user's own whose model recites `answer`."""
    folder = platformdirs.user_config_path("repoqa") / "models"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text(answer, encoding="utf-8")
    fields = {
        "engine": "scripted",
        "format": "chatml",
        "summary": "recites an answer",
        "weights": f"./{name}.txt",
        **keys,
    }
    lines = [f"{key} = {value!r}" for key, value in fields.items()]
    (folder / f"{name}.toml").write_text("\n".join(lines), encoding="utf-8")
