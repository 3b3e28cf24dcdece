"""The findings that the user dismissed, by repository, in the user's state directory.

The latest findings are kept beside them, so that a dismissal can be checked and told in words. A
damaged file is as if it were absent.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from repoqa.errors import UsageError
from repoqa.review.report import Finding

SHORTEST_ID = 4
MOST_SEEN = 200
MOST_DISMISSED = 5000
MOST_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """Findings by id, each as `path: message`, the newest last."""

    seen: Mapping[str, str] = field(default_factory=dict)
    dismissed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dismissals:
    """What is kept of one repository, all of its worktrees together."""

    folder: Path
    repository: Path

    @property
    def ids(self) -> frozenset[str]:
        """The findings that stay away."""
        return frozenset(self._read().dismissed)

    def see(self, findings: Iterable[Finding]) -> None:
        """Remember what was shown. Raises OSError."""
        kept = self._read()
        seen = {**kept.seen, **{one.id: f"{one.path}: {one.message}" for one in findings}}
        if seen != kept.seen:
            self._write(replace(kept, seen=_newest(seen, MOST_SEEN)))

    def dismiss(self, id_: str) -> str:
        """Keep a finding away; returns what it said. The start of an id is enough.

        Raises UsageError for an id that no finding has, or several; OSError.
        """
        kept = self._read()
        wanted = id_.strip().strip("[]").lower()
        known = {**kept.dismissed, **kept.seen}
        meant = [one for one in known if one.startswith(wanted)]
        if len(wanted) < SHORTEST_ID or len(meant) != 1:
            problem = "several findings begin" if len(meant) > 1 else "no finding shown here begins"
            raise UsageError(
                f"--dismiss: {problem} with {id_!r}",
                remedy="Give the id that stands in brackets behind a finding of `repoqa review`.",
            )
        dismissed = {**kept.dismissed, meant[0]: known[meant[0]]}
        self._write(replace(kept, dismissed=_newest(dismissed, MOST_DISMISSED)))
        return known[meant[0]]

    @property
    def _path(self) -> Path:
        digest = hashlib.sha256(os.fsencode(self.repository)).hexdigest()
        return self.folder / f"{digest[:32]}.json"

    def _read(self) -> Kept:
        try:
            with self._path.open("rb") as stream:
                return msgspec.json.decode(stream.read(MOST_BYTES), type=Kept)
        except (OSError, msgspec.MsgspecError, RecursionError):
            return Kept()

    def _write(self, kept: Kept) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        safe = {
            name: {id_: text.encode("utf-8", "replace").decode() for id_, text in said.items()}
            for name, said in (("seen", kept.seen), ("dismissed", kept.dismissed))
        }
        descriptor, name = tempfile.mkstemp(dir=self.folder)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(msgspec.json.encode(safe))
        Path(name).replace(self._path)


def _newest(said: Mapping[str, str], most: int) -> dict[str, str]:
    return dict(list(said.items())[-most:])
