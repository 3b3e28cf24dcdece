"""Suspects as lines that editors read, as compilers write theirs: `path:line: severity: message`.

docs/editors.md has the patterns of Vim, Emacs and VS Code, which read a review's lines too.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from repoqa.answers.suspects import suspects
from repoqa.diagnosis.prepare import Preparation
from repoqa.visible import one_line

MOST_LINES = 20
# A suspect is a place to look at, neither wrong nor doubtful yet.
SEVERITY = "info"


def suspect_places(preparation: Preparation, *, here: Path) -> Iterator[str]:
    """The suspects, the likeliest first, each a line; paths lead from the folder `here`."""
    root = preparation.snapshot.root.resolve()
    for suspect in suspects(preparation.ranking, limit=MOST_LINES):
        path = one_line(_from(here.resolve(), root, suspect.path))
        lines = f"lines {suspect.start}-{suspect.end}: " if suspect.end > suspect.start else ""
        said = f"{one_line(suspect.name)}: {lines}{one_line(suspect.why)}"
        yield f"{path}:{suspect.start}: {SEVERITY}: {said}\n"


def _from(here: Path, root: Path, path: str) -> str:
    """A path of the repository as an editor that works in `here` opens it."""
    if here == root or not here.is_relative_to(root):
        return path if here == root else str(root / path)
    return Path(os.path.relpath(root / path, here)).as_posix()
