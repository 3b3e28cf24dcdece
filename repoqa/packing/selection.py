"""The lines chosen so far, what they cost, and how they fall into excerpts.

Choosing works on sets of lines, so overlaps merge by themselves; excerpts are runs of chosen
lines. Lines in full and sketched lines (outlines, signatures) are kept apart: a sketch touching a
run in full joins it, the rest of a file's sketches is one excerpt with gaps.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from repoqa.packing.budget import Meter
from repoqa.records import Form, Span

# A file of which this much is chosen is sent whole if it fits: the model needs no guess about the
# rest, and the headings between the pieces are spared.
MOSTLY = 0.7


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines of a file, sorted, on offer or chosen as one excerpt.

    `worth` is the best rank they stand for, 0 the best of all.
    """

    path: str
    lines: tuple[int, ...]
    form: Form
    worth: int


@dataclass(slots=True)
class _Sheet:
    """One file's chosen lines by the best rank they were offered with, and its cost."""

    full: dict[int, int]
    sketch: dict[int, tuple[Form, int]]
    cost: int = 0


@dataclass(frozen=True, slots=True)
class _Step:
    offer: Piece
    added: tuple[int, ...]
    cost: int


class Selection:
    """Takes offers while they fit, and gives the least valuable back."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.used = 0
        self._sheets: dict[str, _Sheet] = {}
        self._steps: list[_Step] = []

    def take(self, offer: Piece, limit: int) -> bool:
        """Choose the offer's lines if all that is chosen then costs at most `limit` tokens."""
        sheet = self._sheets.setdefault(offer.path, _Sheet({}, {}))
        taken = sheet.full if offer.form == "full" else sheet.full.keys() | sheet.sketch.keys()
        added = tuple(line for line in offer.lines if line not in taken) if taken else offer.lines
        if not added:
            return True
        if not self.meter.has_lines(offer.path, added[-1]):  # cut or gone since it was indexed
            return False
        # Even without headings: a bound that spares the layout of what cannot fit.
        if self.meter.exceeds(offer.path, added, limit + sheet.cost - self.used):
            return False
        self._add(sheet, offer, added)
        cost = self._cost(offer.path, sheet)
        if self.used - sheet.cost + cost > limit:
            self._remove(sheet, offer, added)
            return False
        self._steps.append(_Step(offer, added, cost - sheet.cost))
        self.used += cost - sheet.cost
        sheet.cost = cost
        return True

    def give_back(self) -> int:
        """Undo the last step; returns the tokens it had cost."""
        step = self._steps.pop()
        sheet = self._sheets[step.offer.path]
        self._remove(sheet, step.offer, step.added)
        sheet.cost -= step.cost
        self.used -= step.cost
        return step.cost

    def shows(self, path: str, span: Span) -> bool:
        """Whether any line of the span is chosen."""
        sheet = self._sheets.get(path)
        if sheet is None:
            return False
        lines = range(span.start, span.end + 1)
        return not (sheet.full.keys().isdisjoint(lines) and sheet.sketch.keys().isdisjoint(lines))

    def mostly(self, path: str) -> bool:
        """Whether so much of the file is chosen in full that it had better be sent whole."""
        count = len(self.meter.lines(path))
        return count > len(self._sheets[path].full) >= MOSTLY * count

    def pieces(self) -> list[Piece]:
        """Everything chosen, as excerpts to be: sorted by path and line.

        Where more is chosen than the reliable window holds, the best code that fits it is parted
        from what it would merge with, so that it can stand there.
        """
        found: list[Piece] = []
        nearest = self._nearest()
        for path, sheet in sorted(self._sheets.items()):
            runs, rest = self._layout(path, sheet)
            worths = {line: worth for line, (_, worth) in sheet.sketch.items()} | sheet.full
            for run in runs:
                for lines, worth in _parted(run, worths, nearest):
                    found.append(Piece(path, tuple(lines), "full", worth))
            if rest:
                signatures = all(sheet.sketch[line][0] == "signature" for line in rest)
                worth = min(sheet.sketch[line][1] for line in rest)
                form: Form = "signature" if signatures else "outline"
                found.append(Piece(path, tuple(rest), form, worth))
        return found

    def _nearest(self) -> int | None:
        """The last rank whose code fits the reliable window; None where all of it does."""
        reliable = self.meter.room.reliable
        if not reliable or self.used <= reliable:
            return None
        costs: Counter[int] = Counter()
        for path, sheet in self._sheets.items():
            lines = self.meter.line_costs(path, sheet.full)
            for worth, cost in zip(sheet.full.values(), lines, strict=True):
                costs[worth] += cost
            for worth in set(sheet.full.values()):
                costs[worth] += self.meter.heading(path)
        nearest, tokens = -1, 0
        for worth, cost in sorted(costs.items()):
            tokens += cost
            if tokens > reliable:
                break
            nearest = worth
        return nearest

    def _add(self, sheet: _Sheet, offer: Piece, added: Iterable[int]) -> None:
        if offer.form == "full":
            sheet.full.update(dict.fromkeys(added, offer.worth))
        else:
            sheet.sketch.update(dict.fromkeys(added, (offer.form, offer.worth)))

    def _remove(self, sheet: _Sheet, offer: Piece, added: Iterable[int]) -> None:
        chosen: dict[int, int] | dict[int, tuple[Form, int]]
        chosen = sheet.full if offer.form == "full" else sheet.sketch
        for line in added:
            del chosen[line]

    def _cost(self, path: str, sheet: _Sheet) -> int:
        runs, rest = self._layout(path, sheet)
        cost = self.meter.cost
        total = (len(runs) + bool(rest)) * self.meter.heading(path) + cost(path, rest)
        return total + sum(cost(path, range(run.start, run.end + 1)) for run in runs)

    def _layout(self, path: str, sheet: _Sheet) -> tuple[list[Span], list[int]]:
        """The runs shown in full, and the sketched lines that belong to none of them."""
        full: list[Span] = []
        rest: list[int] = []
        for run in _runs(sorted(sheet.full.keys() | sheet.sketch.keys())):
            numbers = range(run.start, run.end + 1)
            if any(line in sheet.full for line in numbers):
                full.append(run)
            else:
                rest.extend(numbers)
        runs = self._bridged(path, full)
        inside = {line for run in runs for line in range(run.start, run.end + 1)}
        return runs, [line for line in rest if line not in inside]

    def _bridged(self, path: str, runs: Sequence[Span]) -> list[Span]:
        """`runs` joined where the lines between cost no more than another heading."""
        joined: list[Span] = []
        most = self.meter.heading(path)
        for run in runs:
            gap = range(joined[-1].end + 1, run.start) if joined else range(0)
            # Lines cost nothing when blank, else a token at least: half of them may be blank.
            if joined and len(gap) <= 2 * most and self.meter.cost(path, gap) <= most:
                joined[-1] = Span(joined[-1].start, run.end)
            else:
                joined.append(run)
        return joined


def _runs(numbers: Sequence[int]) -> list[Span]:
    """Sorted distinct numbers as spans of consecutive ones."""
    ends = [n for n, after in zip(numbers, numbers[1:], strict=False) if after != n + 1]
    starts = [after for n, after in zip(numbers, numbers[1:], strict=False) if after != n + 1]
    return [
        Span(*span) for span in zip([*numbers[:1], *starts], [*ends, *numbers[-1:]], strict=True)
    ]


def _parted(run: Span, worths: Mapping[int, int], nearest: int | None) -> list[tuple[range, int]]:
    """A run cut where ranks up to `nearest` meet others; each part with its best rank.

    A line that only fills a gap goes with the line before it: a run never starts with one.
    """
    parts: list[tuple[range, int]] = []
    was_near, worth = True, 0
    for line in range(run.start, run.end + 1):
        worth = worths.get(line, worth)
        near = nearest is None or worth <= nearest
        if parts and near == was_near:
            lines, best = parts[-1]
            parts[-1] = range(lines.start, line + 1), min(best, worth)
        else:
            parts.append((range(line, line + 1), worth))
        was_near = near
    return parts
