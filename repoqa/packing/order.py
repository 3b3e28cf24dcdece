"""The order of excerpts in the prompt.

Outlines and signatures first, then code in tiers, the best tier last, next to the question: that
is where models retrieve best, and all of it stands inside the reliable window where there is one.
Inside a tier, definitions come before their uses: multi-step retrieval is up to twice worse when
a function refers to one defined later in the prompt (arXiv 2407.21049).
"""

import heapq
from collections.abc import Sequence

from repoqa.packing.budget import Meter
from repoqa.packing.selection import Piece
from repoqa.protocols import CodeSource

# Tiers by rank among the pieces in full: the best alone, the next 3, the next 8, 24, the rest.
TIERS = (1, 3, 8, 24)


def arrange(pieces: Sequence[Piece], meter: Meter) -> list[Piece]:
    """`pieces` in prompt order; the same pieces always give the same order."""
    sketches = [piece for piece in pieces if piece.form != "full"]
    code = sorted((piece for piece in pieces if piece.form == "full"), key=_best_first)
    ordered = sorted(sketches, key=_best_first, reverse=True)
    for tier in reversed(_tiers(code, meter)):
        ordered += definitions_first(tier, meter.code)
    return ordered


def definitions_first(pieces: Sequence[Piece], code: CodeSource) -> list[Piece]:
    """`pieces`, given best first, worst first but each after those that define what it uses.

    Where pieces use each other in a circle, the worst one of those left comes first.
    """
    worst_first = list(reversed(pieces))
    waits_for = _needs(worst_first, code)
    used_by: list[list[int]] = [[] for _ in worst_first]
    for number, needs in enumerate(waits_for):
        for other in needs:
            used_by[other].append(number)
    ready = [number for number, needs in enumerate(waits_for) if not needs]
    left = dict.fromkeys(range(len(worst_first)))
    ordered: list[Piece] = []
    while left:
        number = heapq.heappop(ready) if ready else next(iter(left))
        if number not in left:
            continue
        del left[number]
        ordered.append(worst_first[number])
        for user in used_by[number]:
            waits_for[user].discard(number)
            if not waits_for[user]:
                heapq.heappush(ready, user)
    return ordered


def _best_first(piece: Piece) -> tuple[int, str, int]:
    return (piece.worth, piece.path, piece.lines[0])


def _tiers(code: Sequence[Piece], meter: Meter) -> list[list[Piece]]:
    """Best tier first; a tier never straddles the edge of the reliable window."""
    tiers: list[list[Piece]] = []
    sizes = iter(TIERS)
    size, tokens, reliable = 0, 0, True
    for piece in code:
        tokens += meter.heading(piece.path) + meter.cost(piece.path, piece.lines)
        leaves = reliable and tokens > meter.room.reliable
        reliable = reliable and not leaves
        if not tiers or len(tiers[-1]) == size or leaves:
            tiers.append([])
            size = next(sizes, len(code))
        tiers[-1].append(piece)
    return tiers


def _needs(pieces: Sequence[Piece], code: CodeSource) -> list[set[int]]:
    """For each piece, the numbers of those that define a name it uses."""
    defines: dict[str, list[int]] = {}
    for number, piece in enumerate(pieces):
        shown = set(piece.lines)
        for symbol in code.parsed(piece.path).symbols:
            if symbol.start in shown and symbol.kind != "section":
                defines.setdefault(symbol.name.rpartition(".")[2], []).append(number)
    needs: list[set[int]] = []
    for number, piece in enumerate(pieces):
        shown = set(piece.lines)
        names = {r.name for r in code.parsed(piece.path).references if r.line in shown}
        needs.append({d for name in names for d in defines.get(name, ()) if d != number})
    return needs
