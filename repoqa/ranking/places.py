"""Paths as people print them, and the repository's files they mean."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

LIBRARY = re.compile(
    r"(^|/)(site-packages|dist-packages|node_modules|lib/python\d[\d.]*|rustc/[0-9a-f]{8,}"
    r"|\.cargo/registry|go/pkg/mod|usr/(lib|include|local)|internal/(process|modules))(/|$)"
)
PACKAGE = re.compile(r"(?:[a-z_][\w$]*\.)+(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Place:
    """A file of the repository, with a line or a function's name where the evidence told one."""

    path: str
    line: int | None = None
    function: str = ""


class Places:
    """Finds the files a printed path may mean, by its longest suffix."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """Only where a path is asked for: most questions name none."""
        by_name: dict[str, list[str]] = defaultdict(list)
        for path in self._paths:
            by_name[path.rpartition("/")[2]].append(path)
        return by_name

    def of(self, printed: str, *, line: int | None = None, function: str = "") -> Iterator[Place]:
        """The files that share the longest suffix with a printed path.

        An absolute or library path that shares no more than its file name is somebody else's file,
        and so is a Java class of another package.
        """
        parts = [part for part in printed.split("/") if part not in ("", ".", "..", "~")]
        if not parts:
            return
        shared = {
            path: _shared(parts, path.split("/"))
            for path in self._by_name.get(parts[-1], ())
            if _may_hold(path, function)
        }
        longest = max(shared.values(), default=0)
        foreign = printed.startswith(("/", "~")) or ":" in printed or is_library(printed)
        whole = any(shared[path] == path.count("/") + 1 for path in shared)
        if longest < (2 if foreign and not whole else 1):
            return
        for path in sorted(path for path, size in shared.items() if size == longest):
            yield Place(path, line, function)


def _may_hold(path: str, function: str) -> bool:
    """Whether a file's folder is that of a function's package, which Java alone ties together."""
    package = PACKAGE.match(function) if path.endswith(".java") else None
    return package is None or f"/{path}".rpartition("/")[0].endswith(
        "/" + package[0].rstrip(".").replace(".", "/")
    )


def is_library(path: str) -> bool:
    """Whether a printed path looks like an installed library's or the language's own."""
    return LIBRARY.search(path) is not None


def _shared(printed: Sequence[str], path: Sequence[str]) -> int:
    """How many parts two paths share, counted from their ends."""
    size = 0
    while size < min(len(printed), len(path)) and printed[-1 - size] == path[-1 - size]:
        size += 1
    return size
