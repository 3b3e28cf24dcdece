"""What parsing depends on: the grammars that are installed, and our queries. Loads neither.

Every question asks for it, so it is told without the parser and without reading the metadata of
every wheel: a wheel's folder carries its version.
"""

import hashlib
import sys
from functools import cache
from pathlib import Path

from repoqa.parsing.languages import LANGUAGES, query_source

# Bumped by hand whenever the same grammars and queries come to give other records.
_REVISION = "3"
# How a `problem` begins that mending the installation mends.
NO_GRAMMAR = "the grammar does not load"
# `NAME-VERSION.dist-info` (packaging.python.org, Recording installed projects).
_INFORMATION = ".dist-info"
_BINDING = "tree_sitter"


@cache
def parser_version() -> str:
    """One word that changes whenever the records of the same bytes may."""
    digest = hashlib.sha256(_REVISION.encode())
    versions = _versions()
    for wheel in (_BINDING, *sorted({entry.grammar for entry in LANGUAGES})):
        digest.update(f"{wheel} {versions.get(wheel) or _told(wheel)}\n".encode())
    for language in LANGUAGES:
        digest.update(f"{language.name}\n{query_source(language.name)}\n".encode())
    return f"{_REVISION}-{digest.hexdigest()[:16]}"


def _versions() -> dict[str, str]:
    """The installed versions of tree-sitter's wheels; the first folder on the path is the one that
    is imported from."""
    versions: dict[str, str] = {}
    for folder in sys.path:
        for found in sorted(Path(folder).glob(f"{_BINDING}*-*{_INFORMATION}")):
            name, _, version = found.name.removesuffix(_INFORMATION).partition("-")
            versions.setdefault(name, version)
    return versions


def _told(wheel: str) -> str:
    """The version of one that is installed in another way: loading what asks takes 30 ms."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(wheel)
    except PackageNotFoundError:
        return "missing"
