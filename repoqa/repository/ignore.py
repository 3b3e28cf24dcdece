"""Ignore files in gitignore's syntax: nested, the deepest match wins, folders close their content.

Git itself applies `.gitignore`; this is for `.repoqaignore` everywhere and for folders outside git.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".repoqaignore"
# Longer ones are not what a person wrote; every line costs a regular expression.
IGNORE_BYTES = 1 << 20


class IgnoreRules:
    """The ignore files of a tree, added as they are found."""

    def __init__(self, ignore_files: Mapping[str, Iterable[bytes]] | None = None) -> None:
        """`ignore_files` maps a folder ("" is the root) to the contents of its ignore files."""
        self._specs: dict[str, GitIgnoreSpec] = {}
        self._closed: dict[str, bool] = {"": False}
        for folder, contents in (ignore_files or {}).items():
            self.add(folder, contents)

    def __bool__(self) -> bool:
        return bool(self._specs)

    def add(self, folder: str, contents: Iterable[bytes]) -> None:
        """Add a folder's ignore files, later ones stronger. Call before asking about its files."""
        from pathspec import GitIgnoreSpec

        lines = [
            line.decode(errors="surrogateescape").removesuffix("\r")
            for content in contents
            for line in content[:IGNORE_BYTES].split(b"\n")
        ]
        self._specs[folder] = GitIgnoreSpec.from_lines(_valid(lines))

    def ignores(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether the file (or folder) is left out by a rule, or lies in a folder that is."""
        folder = path.rpartition("/")[0]
        if self._is_closed(folder):
            return True
        return self._matches(path + "/" if is_folder else path)

    def _is_closed(self, folder: str) -> bool:
        """Whether `folder` or one above it is ignored: nothing inside can be taken back in."""
        chain = []
        while folder not in self._closed:
            chain.append(folder)
            folder = folder.rpartition("/")[0]
        closed = self._closed[folder]
        for name in reversed(chain):
            closed = closed or self._matches(name + "/")
            self._closed[name] = closed
        return closed

    def _matches(self, path: str) -> bool:
        folder = path.rstrip("/")
        while folder:
            folder = folder.rpartition("/")[0]
            spec = self._specs.get(folder)
            include = None if spec is None else spec.check_file(_below(path, folder)).include
            if include is not None:
                return include
        return False


def _below(path: str, folder: str) -> str:
    return path[len(folder) + 1 :] if folder else path


def _valid(lines: Iterable[str]) -> list[str]:
    """The lines that are patterns; git passes over the broken ones too."""
    from pathspec import GitIgnoreSpec

    valid = []
    for line in lines:
        # pathspec 1.1 takes `a/**/` for files below `a` too; git for folders alone.
        pattern = f"{line[:-1]}/*/" if line.endswith("/**/") else line
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError:
            continue
        valid.append(pattern)
    return valid
