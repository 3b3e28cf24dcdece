"""Paths as people print them, and the repository's files they mean; what a path says of a file."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Literal, get_args

# The first that fits is a path's.
Part = Literal["vendored", "test", "docs", "example", "data", "code"]
PARTS: tuple[Part, ...] = get_args(Part)
_EARLIER = {(one, other): min(one, other, key=PARTS.index) for one in PARTS for other in PARTS}

LIBRARY = re.compile(
    r"(^|/)(site-packages|dist-packages|node_modules|lib/python\d[\d.]*|rustc/[0-9a-f]{8,}"
    r"|\.cargo/registry|go/pkg/mod|usr/(lib|include|local)|internal/(process|modules))(/|$)"
)
PACKAGE = re.compile(r"(?:[a-z_][\w$]*\.)+(?=[A-Z])")
# The parts of a project: by one of a file's folders ...
FOLDERS: Mapping[Part, re.Pattern[str]] = MappingProxyType(
    {
        "vendored": re.compile(
            r"(^|/)(vendor|vendored|third[-_]?party|node_modules|extern|externals?|_vendor)/"
        ),
        "test": re.compile(
            r"(^|/)(tests?|testing|spec|specs|__tests__|testdata|fixtures|androidTest|benchmarks?)/"
        ),
        "docs": re.compile(
            r"(^|/)(docs?|documentation|changelogs?|news|whatsnew|release[-_]?notes)/", re.I
        ),
        "example": re.compile(
            r"(^|/)(examples?|demos?|samples?|tutorials?|galleries|benchmarks?|asv_bench)/"
        ),
    }
)
# ... or by its name. A library kept in the repository has its version there (`jquery-3.5.1.js`);
# translations hold the words of many reports, and tables of anything.
NAMES: Mapping[Part, re.Pattern[str]] = MappingProxyType(
    {
        "vendored": re.compile(r"[-.]\d+\.\d+(\.\d+)*\.(js|css)$"),
        "test": re.compile(
            r"^(test_.*|conftest)\.\w+$"
            r"|(_test|_spec|\.test|\.spec|Tests?|TestCase|_unittest)\.\w+$",
            re.S,
        ),
        "docs": re.compile(
            r"^(readme|changes|changelog|history|news|authors|license|contributing)$"
            r"|\.(md|rst|(?<!CMakeLists\.)txt|adoc)$",
            re.I,
        ),
        "data": re.compile(r"\.(po|pot|xlf|csv|tsv|json|geojson|svg|xml|lock|ipynb)$"),
    }
)
# Where the part of a name is told without the patterns, of which searching takes 2 microseconds a
# file: none fits code whose name holds neither of these.
CODE_SUFFIXES = {
    *("c", "cc", "cpp", "cs", "cxx", "go", "h", "hpp", "java", "jsx", "kt", "kts", "php", "pxd"),
    *("py", "pyi", "pyx", "rb", "rs", "scala", "swift", "ts", "tsx"),
}
IN_NAMES_OF_TESTS = ("est", "pec")
# Folders whose parts are remembered: most files share theirs with others.
MOST_KEPT = 1 << 14


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


def part_of(path: str) -> Part:
    """Which part of a project a path belongs to, by its names alone."""
    folder, slash, name = path.rpartition("/")
    return _EARLIER[_part_of_folder(folder + slash), _part_of_name(name)]


@lru_cache(maxsize=MOST_KEPT)
def _part_of_folder(folder: str) -> Part:
    return next((part for part, pattern in FOLDERS.items() if pattern.search(folder)), "code")


def _part_of_name(name: str) -> Part:
    first, second = IN_NAMES_OF_TESTS
    if name.rpartition(".")[2] in CODE_SUFFIXES and first not in name and second not in name:
        return "code"
    return next((part for part, pattern in NAMES.items() if pattern.search(name)), "code")


def _shared(printed: Sequence[str], path: Sequence[str]) -> int:
    """How many parts two paths share, counted from their ends."""
    size = 0
    while size < min(len(printed), len(path)) and printed[-1 - size] == path[-1 - size]:
        size += 1
    return size
