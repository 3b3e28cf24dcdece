"""Parts examples by time: the newest are held out, and nothing of them is in the training part.

What a model is measured with has to be newer than what it was trained on, as its use will be. Code
that was copied, and fixes that were made twice, are held out together or left out.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from repoqa.tuning.examples import Example, FixPair, GapPair

LINES_COMPARED = 3
"""A gap is the same as another where as many lines before it are."""
SAME = "the same as a held-out example"
ANSWERED = "its lines are in the answer of a training example"
Keys: TypeAlias = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Parts:
    """The two parts, each sorted by kind and id; `left_out` counts examples by the reason why."""

    train: tuple[Example, ...]
    held_out: tuple[Example, ...]
    left_out: Counter[str]


def part(pairs: Sequence[FixPair], gaps: Sequence[GapPair], *, share: float) -> Parts:
    """Hold out that share: the newest fixes, the gaps of the files that were changed last, and
    those of every file that a held-out fix changed."""
    newest = sorted(pairs, key=lambda pair: (-pair.time, pair.id))
    cut = _cut(len(newest), share)
    held_pairs, train_pairs = newest[:cut], newest[cut:]
    fixed = {shown.path for pair in held_pairs for shown in pair.shown}
    held_paths = _last_changed(gaps, share=share) | fixed
    held_gaps = [gap for gap in gaps if gap.path in held_paths]
    train_gaps = [gap for gap in gaps if gap.path not in held_paths]
    left_out: Counter[str] = Counter()
    trained = [pair for pair in train_pairs if _keys(pair).isdisjoint(_all_keys(held_pairs))]
    left_out[SAME] = len(train_pairs) - len(trained)
    unseen = [gap for gap in held_gaps if not _is_answered(gap, trained)]
    left_out[ANSWERED] = len(held_gaps) - len(unseen)
    other = [gap for gap in train_gaps if _keys(gap).isdisjoint(_all_keys(unseen))]
    left_out[SAME] += len(train_gaps) - len(other)
    return Parts(_sorted(trained, other), _sorted(held_pairs, unseen), +left_out)


def _cut(count: int, share: float) -> int:
    """How many of so many are held out: one at least, where one is left to train on."""
    return min(max(round(count * share), 1), count - 1) if count else 0


def _last_changed(gaps: Sequence[GapPair], *, share: float) -> frozenset[str]:
    times = {gap.path: gap.time for gap in gaps}
    newest = sorted(times, key=lambda path: (-times[path], path))
    return frozenset(newest[: _cut(len(newest), share)])


def _keys(example: Example) -> Keys:
    """What makes an example the same as another: either of a fix's is enough."""
    if isinstance(example, FixPair):
        return frozenset((("question", example.question), ("answer", example.answer)))
    before = example.prefix.split("\n")[-1 - LINES_COMPARED :]
    return frozenset((("gap", *before, example.middle),))


def _all_keys(examples: Iterable[Example]) -> Keys:
    return frozenset(key for example in examples for key in _keys(example))


def _is_answered(gap: GapPair, pairs: Sequence[FixPair]) -> bool:
    """Whether an answer has the gap's lines, as they are or added, be it of a file of an earlier
    name."""
    lines = gap.middle.splitlines()
    forms = ["".join(f"\n{mark}{line}" for line in lines) for mark in " +"]
    return any(form in pair.answer for pair in pairs for form in forms)


def _sorted(pairs: Sequence[FixPair], gaps: Sequence[GapPair]) -> tuple[Example, ...]:
    return (*sorted(pairs, key=lambda p: p.id), *sorted(gaps, key=lambda g: g.id))
