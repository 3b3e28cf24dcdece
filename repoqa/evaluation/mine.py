"""Bug reports from a repository's own history: commits that say they fix a bug, and where they did.

A commit's message is written by who knows the fix, so it is an easier question than a user's
report; what it is good for is comparing two settings on code like one's own.
"""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

from repoqa.evaluation.reports import Gold, Report
from repoqa.fixes.find import Fix, FixedFile, fixes, statement
from repoqa.parsing.functions import outer_functions
from repoqa.protocols import Progress
from repoqa.repository.past import Past

if TYPE_CHECKING:
    from collections.abc import Generator

SHORT_ID = 12


class MinedReport(Report, frozen=True):
    """A report with, for reading, the functions that its fix touched, by file."""

    gold_symbols: dict[str, tuple[str, ...]]


def mine(past: Past, *, limit: int, progress: Progress) -> Iterator[MinedReport]:
    """Yield at most `limit` reports from the history of HEAD, the newest fix first.

    Raises RepositoryError where there is no commit yet.
    """
    found = cast("Generator[Fix, None, None]", fixes(past, progress=progress))
    name = clone_name(past.root)
    with closing(found):
        yield from (_report(fix, name) for fix in islice(found, limit))


def clone_name(root: Path) -> str:
    """What a clone is called, below the folder that holds it: `shop` for `shop/.git` as well."""
    return root.name.removesuffix(".git") or root.parent.name


def _report(fix: Fix, name: str) -> MinedReport:
    return MinedReport(
        id=f"{name}-{fix.commit.oid[:SHORT_ID]}",
        lang=fix.files[0].parsed.language,
        repo=name,
        history=name,
        base_commit=fix.parent,
        problem_statement=statement(fix.commit.message),
        gold=tuple(Gold(file.path, file.ranges) for file in fix.files),
        gold_symbols={file.path: _symbols(file) for file in fix.files},
    )


def _symbols(file: FixedFile) -> tuple[str, ...]:
    return tuple(
        symbol.name
        for symbol in outer_functions(file.parsed.symbols)
        if any(start <= symbol.end and symbol.start <= end for start, end in file.ranges)
    )
