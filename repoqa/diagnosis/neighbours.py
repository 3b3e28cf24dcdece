"""The code around suspects: what they call, and what calls them, in full.

Names are all there is to go by, as in the index: a name that many files define says nothing.
"""

from collections.abc import Iterable, Iterator

from repoqa.index.index import Index
from repoqa.index.terms import Field
from repoqa.records import RankedSymbol, Ranking, Suspect, Symbol

SUSPECT, CALLEE, CALLER = 3.0, 2.0, 1.0
"""What a suspect, what it calls and what calls it are worth, in that order."""
REASON = "window"
AMBIGUOUS = 2  # a name that more files define tells nothing
MOST_CALLEES = 12  # of one suspect: the first names that it uses
MOST_CALLERS = 8  # of one suspect: those of the best ranked code
FUNCTIONS = ("function", "method")


def around(suspects: Iterable[Suspect], ranking: Ranking, index: Index) -> Ranking:
    """The suspects' code, what it calls and what calls it; what the user pinned stays pinned."""
    known: dict[tuple[str, int, str], RankedSymbol] = {}
    named = [(each.path, _symbol(each, index)) for each in suspects]
    for worth, found in (
        (SUSPECT, iter(named)),
        (CALLEE, (pair for each in named for pair in _callees(*each, index=index))),
        (CALLER, (pair for each in named for pair in _callers(each[1], ranking, index))),
    ):
        for path, symbol in found:
            ranked = RankedSymbol(path, symbol, worth, {REASON: worth})
            known.setdefault((path, symbol.start, symbol.name), ranked)
    return Ranking(files=(), symbols=tuple(known.values()), pins=ranking.pins)


def _symbol(suspect: Suspect, index: Index) -> Symbol:
    """The symbol that a suspect is; its bare lines where it is in none."""
    for symbol in index.parsed(suspect.path).symbols:
        if (symbol.start, symbol.end, symbol.name) == (suspect.start, suspect.end, suspect.name):
            return symbol
    return Symbol(suspect.name, "section", suspect.start, suspect.end, suspect.start)


def _callees(path: str, symbol: Symbol, *, index: Index) -> Iterator[tuple[str, Symbol]]:
    names = dict.fromkeys(
        reference.name
        for reference in index.parsed(path).references
        if symbol.start <= reference.line <= symbol.end and reference.kind == "call"
    )
    for name in list(names)[:MOST_CALLEES]:
        paths = index.defined(name)
        near = [path] if path in paths else paths[: AMBIGUOUS + 1]
        if len(near) <= AMBIGUOUS:
            for other in near:
                yield from ((other, found) for found in _functions(other, name, index))


def _functions(path: str, name: str, index: Index) -> Iterator[Symbol]:
    for symbol in index.parsed(path).symbols:
        if symbol.kind in FUNCTIONS and symbol.name.rpartition(".")[2] == name:
            yield symbol


def _callers(symbol: Symbol, ranking: Ranking, index: Index) -> Iterator[tuple[str, Symbol]]:
    """The functions that use its name, those of the best ranked code first."""
    name = symbol.name.rpartition(".")[2]
    if len(index.defined(name)) > AMBIGUOUS:
        return
    rank = {(each.path, each.symbol.start): n for n, each in enumerate(ranking.symbols)}
    using = [
        (index.file_paths[int(index.unit_file[unit])], index.symbol(int(unit)))
        for unit in index.matches(Field.USED, name).units
    ]
    functions = [pair for pair in using if pair[1].kind in FUNCTIONS and pair[1] != symbol]
    functions.sort(key=lambda pair: (rank.get((pair[0], pair[1].start), len(rank)), pair[0]))
    yield from functions[:MOST_CALLERS]
