"""Repositories with a bare remote on disk and the hook installed, and pushes as users run them."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from commands import Done, environment, repoqa
from conftest import git

ZEROS = "0" * 40


def bare_remote(root: Path, name: str = "remote.git") -> Path:
    """A bare repository beside `root`, set as its `origin`, that has its `main`."""
    remote = root.parent / name
    object_format = git(root, "rev-parse", "--show-object-format")
    git(root, "init", "--quiet", "--bare", f"--object-format={object_format}", str(remote))
    git(root, "remote", "add", "origin", str(remote))
    git(root, "push", "--quiet", "--set-upstream", "origin", "main")
    return remote


def install(root: Path, *options: str) -> Done:
    """Install the hook."""
    done = repoqa("hook", "install", *options, where=root)
    assert done.code == 0, done.stderr
    return done


def push(root: Path, *arguments: str, **variables: str) -> Done:
    """`git push` with these arguments, in a process of its own."""
    done = subprocess.run(
        ["git", "push", *arguments],
        cwd=root,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=120,
    )
    return Done(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))


def tips(remote: Path) -> Mapping[str, str]:
    """The refs of a repository."""
    listed = git(remote, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.rsplit(" ", 1) for line in listed)


def commit(root: Path, message: str = "Next") -> str:
    """Commit everything; returns the id."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", f"--message={message}", "--allow-empty")
    return git(root, "rev-parse", "HEAD")
