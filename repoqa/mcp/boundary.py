"""Which places a client may name: those of the repository that the server was started in.

Nothing outside is ever read, since files are read by git's list of them. A path that leads out is
refused all the same, so that it is not taken for a file of the same name in here.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from repoqa.errors import UsageError

LINE_FOLLOWS = re.compile(r"(?P<path>.+?)(?P<line>:\d+)?", re.DOTALL)


def inside(named: Iterable[str], root: Path) -> tuple[str, ...]:
    """The places, each from the root on. Raises UsageError for one that leads out of `root`."""
    return tuple(_inside(place, root) for place in named)


def _inside(named: str, root: Path) -> str:
    match = LINE_FOLLOWS.fullmatch(named)
    if match is None:
        return named
    path, line = match["path"], match["line"] or ""
    parts = path.replace("\\", "/").split("/")
    if not Path(path).is_absolute() and not path.startswith("~") and ".." not in parts:
        return named
    whole = Path(os.path.normpath(root / path))
    if path.startswith("~") or not whole.is_relative_to(root):
        raise UsageError(
            f"{named} is outside the repository {root}",
            remedy="This server reads that repository alone: name a path from its root on.",
        )
    return f"{whole.relative_to(root).as_posix()}{line}"
