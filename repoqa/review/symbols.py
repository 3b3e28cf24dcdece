"""Which symbols a change adds, removes, renames, or gives another signature or body.

Two versions of a symbol are told apart by their text, so that code that only moved is unchanged.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from repoqa.parsing.signatures import Signature
from repoqa.records import Symbol
from repoqa.review.report import ChangeKind
from repoqa.review.versions import FUNCTIONS, TYPES, FileChange, Version, last_name

# A removed and an added symbol are one that was renamed where their code agrees this far; less
# where it kept its name and moved to another file.
ALIKE = 0.7
ALIKE_MOVED = 0.5
# Pairs that are compared at most: each takes up to some milliseconds.
MOST_PAIRS = 2000
LONGEST_COMPARED = 2000  # words: the comparison takes a time that grows with their square
WORD = re.compile(r"\w+|[^\w\s]")


Defined = tuple[Version, Symbol]


@dataclass(frozen=True, slots=True)
class SymbolChange:
    """A symbol that the change touches. One side is None for what was added or removed."""

    change: ChangeKind
    old: Defined | None
    new: Defined | None

    @property
    def side(self) -> Defined:
        """The symbol as it is, or as it was."""
        side = self.new or self.old
        assert side is not None
        return side

    @property
    def path(self) -> str:
        """The file it is in, or was."""
        return self.side[0].path

    @property
    def symbol(self) -> Symbol:
        """The symbol as it is, or was."""
        return self.side[1]


def symbol_changes(files: Iterable[FileChange]) -> tuple[SymbolChange, ...]:
    """The changed symbols of all files, by path and line."""
    changes = [change for file in files for change in _in_file(file)]
    return tuple(sorted(_with_renames(changes), key=_place))


def signature_of(defined: Defined | None) -> Signature | None:
    """The signature of one side of a change."""
    return defined[0].signature(defined[1]) if defined else None


def _place(change: SymbolChange) -> tuple[str, int, str, str]:
    return (change.path, change.symbol.start, change.symbol.name, change.change)


def _in_file(file: FileChange) -> Iterator[SymbolChange]:
    old, new = _by_name(file.old), _by_name(file.new)
    for name in sorted(old.keys() | new.keys()):
        yield from _of_one_name(old.get(name, []), new.get(name, []))


def _by_name(version: Version | None) -> dict[str, list[Defined]]:
    found: dict[str, list[Defined]] = defaultdict(list)
    if version:
        for symbol in version.symbols():
            found[symbol.name].append((version, symbol))
    return found


def _of_one_name(old: list[Defined], new: list[Defined]) -> Iterator[SymbolChange]:
    """Overloads share a name: equal texts pair first, then equal headers, the rest in order."""
    for key in (_text, _header, _anything):
        pairs, old, new = _paired(old, new, key)
        for before, after in pairs:
            if _text(before) != _text(after):
                is_same = _header(before) == _header(after)
                yield SymbolChange("body" if is_same else "signature", before, after)
    yield from (SymbolChange("removed", gone, None) for gone in old)
    yield from (SymbolChange("added", None, come) for come in new)


def _paired(
    old: list[Defined], new: list[Defined], key: Callable[[Defined], str]
) -> tuple[list[tuple[Defined, Defined]], list[Defined], list[Defined]]:
    """The pairs of equal keys, in order, and what is left of each side."""
    waiting: dict[str, list[Defined]] = defaultdict(list)
    for after in new:
        waiting[key(after)].append(after)
    pairs, unpaired = [], []
    for before in old:
        same = waiting[key(before)]
        if same:
            pairs.append((before, same.pop(0)))
        else:
            unpaired.append(before)
    left = {id(after) for same in waiting.values() for after in same}
    return pairs, unpaired, [after for after in new if id(after) in left]


def _text(defined: Defined) -> str:
    """The lines of a definition, of a type those that are no member's."""
    version, symbol = defined
    numbers = range(symbol.start, min(symbol.end, len(version.lines)) + 1)
    inner: set[int] = set()
    if symbol.kind in TYPES:
        for member in version.symbols():
            if member.name.startswith(f"{symbol.name}."):
                inner.update(range(member.start, member.end + 1))
        inner.discard(symbol.start)
    return "\n".join(version.lines[n - 1].rstrip() for n in numbers if n not in inner)


def _header(defined: Defined) -> str:
    version, symbol = defined
    signature = version.signature(symbol) if symbol.kind in FUNCTIONS else None
    if signature:
        return signature.header
    if symbol.kind not in FUNCTIONS | TYPES:
        return ""
    lines = version.lines[symbol.start - 1 : symbol.header_end]
    return " ".join(" ".join(lines).split())


def _anything(_: Defined) -> str:
    return ""


def _with_renames(changes: Sequence[SymbolChange]) -> Iterator[SymbolChange]:
    """The changes, those pairs of a removed and an added symbol joined that are one."""
    removed = [change for change in changes if change.change == "removed"]
    added = [change for change in changes if change.change == "added"]
    joined: set[int] = set()
    scored = sorted(_alike(removed, added), key=lambda pair: (-pair[0], pair[1], pair[2]))
    for _, old, new in scored:
        gone, come = removed[old], added[new]
        if id(gone) in joined or id(come) in joined:
            continue
        joined |= {id(gone), id(come)}
        yield SymbolChange("renamed", gone.old, come.new)
    yield from (change for change in changes if id(change) not in joined)


def _alike(
    removed: Sequence[SymbolChange], added: Sequence[SymbolChange]
) -> Iterator[tuple[float, int, int]]:
    """How much of their code removed and added symbols share, where that is enough for a rename."""
    compared = 0
    for old, gone in enumerate(removed):
        for new, come in enumerate(added):
            least = _least(gone, come)
            if least is None or compared == MOST_PAIRS:
                continue
            compared += 1
            score = _likeness(_body(gone), _body(come), least)
            if score >= least:
                yield score, old, new


def _least(gone: SymbolChange, come: SymbolChange) -> float | None:
    """The likeness that makes two symbols one; None for two that cannot be."""
    kinds = (gone.symbol.kind, come.symbol.kind)
    if not (all(k in FUNCTIONS for k in kinds) or all(k in TYPES for k in kinds)):
        return None
    if last_name(gone.symbol.name) == last_name(come.symbol.name):
        return ALIKE_MOVED
    return ALIKE if gone.path == come.path else None


def _body(change: SymbolChange) -> list[str]:
    """The words of a symbol's code, its own name left open."""
    name = last_name(change.symbol.name)
    return ["_" if word == name else word for word in WORD.findall(_text(change.side))]


def _likeness(old: list[str], new: list[str], least: float) -> float:
    if max(len(old), len(new)) > LONGEST_COMPARED:
        return 1.0 if old == new else 0.0
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    likely = matcher.real_quick_ratio() >= least and matcher.quick_ratio() >= least
    return matcher.ratio() if likely else 0.0
