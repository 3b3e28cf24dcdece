"""What every test stands on: an environment of its own, and real git repositories made quickly."""

import multiprocessing
import os
import subprocess
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from hypothesis import settings

from repoqa.models.profile import load_profile
from repoqa.models.weights import ensure_checkpoint, find_checkpoint
from repoqa.protocols import Silent

# How long an example takes says more of the machine than of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

RepositoryMaker = Callable[[Mapping[str, str | bytes]], Path]
Unprivileged = Callable[[Path, Callable[[], Any]], Any]
UNPRIVILEGED = 12345  # a user id that no one has

PERSON = {
    "GIT_AUTHOR_NAME": "Ada Lovelace",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "2024-05-06T07:08:09+00:00",
    "GIT_COMMITTER_NAME": "Ada Lovelace",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_COMMITTER_DATE": "2024-05-06T07:08:09+00:00",
}
GIT_SETTINGS = """\
[init]
    defaultBranch = main
    templateDir =
[protocol "file"]
    allow = always
[advice]
    detachedHead = false
[gc]
    auto = 0
[maintenance]
    auto = false
"""
HOMES = {
    "HOME": "",
    "XDG_CONFIG_HOME": ".config",
    "XDG_CACHE_HOME": ".cache",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_RUNTIME_DIR": ".run",
    "REPOQA_CACHE_DIR": ".cache/repoqa",
}


@pytest.fixture(autouse=True)
def own_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A home folder of the test's own: neither the user's files nor git settings are seen."""
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith(("GIT_", "REPOQA_", "XDG_"))]:
        monkeypatch.delenv(name)
    for name, folder in HOMES.items():
        monkeypatch.setenv(name, str(home / folder))
    settings = home / ".gitconfig"
    settings.write_text(GIT_SETTINGS)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for name, value in PERSON.items():
        monkeypatch.setenv(name, value)
    return home


def git(directory: Path, *arguments: str | bytes, stdin: bytes = b"") -> str:
    """Run git in `directory` and return what it printed, without the last line end."""
    done = subprocess.run(
        ["git", *arguments], cwd=directory, input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return os.fsdecode(done.stdout).removesuffix("\n")


def write_files(root: Path, files: Mapping[str, str | bytes]) -> None:
    """Write `files` (path to content) under `root`, folders included."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture
def make_repository(tmp_path: Path) -> RepositoryMaker:
    """Makes a git repository whose one commit on `main` holds the given files (none: no commit).

    The first is `tmp_path / "repository"`, the next `repository-2`, and so on.
    """
    count = 0

    def make(files: Mapping[str, str | bytes]) -> Path:
        nonlocal count
        count += 1
        root = tmp_path / ("repository" if count == 1 else f"repository-{count}")
        root.mkdir()
        git(root, "init", "--quiet")
        write_files(root, files)
        if files:
            git(root, "add", "--all")
            git(root, "commit", "--quiet", "--message=First")
        return root

    return make


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users reach too, which `tmp_path` is not."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(os.path.realpath(folder))
        root.chmod(0o755)
        yield root
        for path in [root, *root.rglob("*")]:
            path.chmod(0o755)


@pytest.fixture
def unprivileged(monkeypatch: pytest.MonkeyPatch) -> Unprivileged:
    """Calls a function as the folder's owner, a user whom permissions bind, and returns its value.

    Root reads everything, so where the tests run as root the folder is given to another user and
    the function runs in a child process of that user.
    """

    def call(folder: Path, function: Callable[[], Any]) -> Any:
        if os.geteuid() != 0:
            return function()
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, UNPRIVILEGED, UNPRIVILEGED, follow_symlinks=False)
        for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
            monkeypatch.setenv(name, os.devnull)
        receiver, sender = multiprocessing.Pipe(duplex=False)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.setgroups([])
                os.setgid(UNPRIVILEGED)
                os.setuid(UNPRIVILEGED)
                sender.send(function())
                status = 0
            finally:
                if status:
                    traceback.print_exc()
                os._exit(status)
        sender.close()
        try:
            return receiver.recv()
        finally:
            os.waitpid(child, 0)
            receiver.close()

    return call


@pytest.fixture(scope="session")
def embedded_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the built-in model: the user's own where it does, else a new one."""
    profile = load_profile("smollm2-135m")
    users = Path(
        os.environ.get("REPOQA_CACHE_DIR", platformdirs.user_cache_path("repoqa", appauthor=False))
    )
    cache = users if find_checkpoint(profile, cache=users) else tmp_path_factory.mktemp("cache")
    ensure_checkpoint(profile, cache=cache, progress=Silent())
    return cache
