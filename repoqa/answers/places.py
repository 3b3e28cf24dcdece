"""Finds the file of a snapshot that a path in an answer means. Models shorten and prefix paths."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

LEAST_SHARED = 2  # parts of a prefixed path (`/app/src/login.py`) that must agree: not a bare name


@dataclass(slots=True)
class Places:
    """The paths of a snapshot by file name."""

    paths: Sequence[str]
    _known: set[str] = field(init=False)
    _by_name: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self._known = set(self.paths)
        self._by_name = defaultdict(list)
        for path in self.paths:
            self._by_name[path.rpartition("/")[2]].append(path)

    def meant(self, cited: str) -> tuple[str, ...]:
        """The files that `cited` may mean, sorted: none, the one, or several of that ending.

        An exact path; else every path that ends with it; else, for a path with folders in front
        that the repository does not have, the file that its longest possible ending names.
        """
        path = cited.replace("\\", "/").removeprefix("./")
        if path in self._known:
            return (path,)
        named = self._by_name.get(path.rpartition("/")[2], [])
        ending = tuple(sorted(known for known in named if known.endswith(f"/{path}")))
        if ending:
            return ending
        parts = path.strip("/").split("/")
        for start in range(len(parts) - LEAST_SHARED + 1):
            rest = "/".join(parts[start:])
            if rest in self._known:
                return (rest,)
        return ()
