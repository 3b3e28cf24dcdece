"""The parts of a project: what a file's path says of it, by names alone."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, get_args

# The first that fits is a path's.
Part = Literal["vendored", "test", "docs", "example", "data", "code"]
PARTS: tuple[Part, ...] = get_args(Part)
_EARLIER = {(one, other): min(one, other, key=PARTS.index) for one in PARTS for other in PARTS}

# A file is of a part by one of its folders ...
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
