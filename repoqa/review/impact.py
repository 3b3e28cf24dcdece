"""What a change reaches, exactly and without a model: a pure function of its two sides."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from repoqa.index.index import Index
from repoqa.records import SkippedFile
from repoqa.review.callers import Search, callers
from repoqa.review.overrides import overrides
from repoqa.review.reach import inside_test, tests_reaching
from repoqa.review.report import Caller, Impact, Was
from repoqa.review.sites import Uses
from repoqa.review.symbols import SymbolChange, symbol_changes
from repoqa.review.versions import FUNCTIONS, TYPES, FileChange, called_name

# Beyond these, a change is too large to be read by anyone, and its callers are not looked for.
MOST_SYMBOLS = 300
MOST_CALLERS = 200
NOT_SEARCHED = f"over {MOST_SYMBOLS} symbols changed: callers and tests were not looked for"


def impact(
    files: Sequence[FileChange], index: Index
) -> tuple[tuple[Impact, ...], tuple[SkippedFile, ...]]:
    """The changed symbols with what they reach, by path and line, and the files whose symbols were
    too many to look further."""
    changes = symbol_changes(files)
    search = Search(Uses(index), {file.path: file.changed for file in files if file.new})
    found = [_searched(change, search) for change in changes[:MOST_SYMBOLS]]
    found += [_bare(change) for change in changes[MOST_SYMBOLS:]]
    beyond = sorted({change.path for change in changes[MOST_SYMBOLS:]})
    return tuple(found), tuple(SkippedFile(path, NOT_SEARCHED) for path in beyond)


def _searched(change: SymbolChange, search: Search) -> Impact:
    is_removed_value = change.new is None and "." not in change.symbol.name
    if change.symbol.kind not in FUNCTIONS | TYPES and not is_removed_value:
        return _bare(change)
    uses = search.uses
    using = callers(change, search)
    listed = sorted(set(islice(using, MOST_CALLERS)), key=_by_place)
    return replace(
        _bare(change),
        callers=tuple(listed),
        more_callers=len(set(using)) + uses.files_beyond(called_name(change.symbol)),
        overrides=tuple(overrides(change, uses)),
        tests=tests_reaching(change.side, uses),
    )


def _bare(change: SymbolChange) -> Impact:
    """A change without what it reaches."""
    version, symbol = change.side
    is_renamed = change.change == "renamed" and change.old
    return Impact(
        symbol=symbol.name,
        kind=symbol.kind,
        path=version.path,
        start=symbol.start,
        end=symbol.end,
        change=change.change,
        was=Was(is_renamed[0].path, is_renamed[1].name) if is_renamed else None,
        in_test=inside_test(version.path, symbol),
    )


def _by_place(caller: Caller) -> tuple[str, int, str, str]:
    return (caller.path, caller.line, caller.symbol, caller.why)
