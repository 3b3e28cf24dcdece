"""What a review says: the records that every stage of it and every output shares.

Lines are of the new version, 1-based; those of a removed symbol are of the old one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from repoqa.records import Kind, SkippedFile

ChangeKind = Literal["added", "removed", "renamed", "signature", "body"]
Severity = Literal["error", "warning", "info"]
RangeKind = Literal["push", "range", "staged", "worktree", "patch"]
Relation = Literal["overrides", "overridden"]
# The gravest first.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Range:
    """What is reviewed. `old` and `new` are the ids of commits or trees; `new` is None for what is
    in no commit. `text` names it for people."""

    kind: RangeKind
    text: str
    old: str
    new: str | None


@dataclass(frozen=True, slots=True)
class Caller:
    """A use of a changed symbol. `symbol` is the function around it, "" for none.

    `fits`: True where the use still holds, False where it cannot, None where the parse does not
    tell (an argument that spreads, an overload, a receiver of unknown type); `why` says so.
    `is_doubtful`: it cannot be what it was, and means this symbol as likely as not.
    """

    path: str
    line: int
    symbol: str
    fits: bool | None
    why: str = ""
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Related:
    """A method that overrides a changed one, or is overridden by it; `fits` as in Caller."""

    path: str
    symbol: str
    line: int
    relation: Relation
    fits: bool | None


@dataclass(frozen=True, slots=True)
class TestReach:
    """A test that reaches a changed symbol through `hops` calls; 1 is a call of its own."""

    __test__ = False  # pytest collects what is named so

    path: str
    symbol: str
    line: int
    hops: int


@dataclass(frozen=True, slots=True)
class Was:
    """Where a renamed or moved symbol was before."""

    path: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Impact:
    """A changed symbol and what the change reaches. `more_callers` were found beyond those listed.

    `in_test`: it stands in a test itself, so that no test is missed.
    """

    symbol: str
    kind: Kind
    path: str
    start: int
    end: int
    change: ChangeKind
    was: Was | None = None
    callers: tuple[Caller, ...] = ()
    more_callers: int = 0
    overrides: tuple[Related, ...] = ()
    tests: tuple[TestReach, ...] = ()
    in_test: bool = False

    @property
    def is_untested(self) -> bool:
        """Whether it is code to be tested, and no test was found that reaches it."""
        is_code = self.kind in ("function", "method", "class") and self.change != "removed"
        return is_code and not self.in_test and not self.tests


@dataclass(frozen=True, slots=True)
class Finding:
    """What the model says of a place, checked against the diff. `confidence` is from 0 to 1."""

    id: str
    path: str
    line: int
    severity: Severity
    confidence: float
    message: str


@dataclass(frozen=True, slots=True)
class Review:
    """A whole review. `dropped` counts the model's lines that are not among the findings, by why;
    `model` is "" where none was asked; `problem` says why it gave no findings, "" where it did.
    `redacted` counts the secrets that were kept from it."""

    range: Range
    impact: tuple[Impact, ...]
    findings: tuple[Finding, ...]
    dropped: Mapping[str, int]
    not_reviewed: tuple[SkippedFile, ...]
    model: str
    problem: str
    seconds: Mapping[str, float]
    redacted: int = 0
