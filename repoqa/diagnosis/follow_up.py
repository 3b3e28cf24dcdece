"""A follow-up: a new question read together with the one before it, and what its answer adds.

Pure: what was kept of the earlier question is given, and nothing is written.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from repoqa.diagnosis.kept import Kept
from repoqa.diagnosis.prepare import Preparation
from repoqa.evidence import question as evidence
from repoqa.records import Earlier, Lines, Question, Symbol

MOST_NAMED = 6
TITLE_CHARACTERS = 60
CUT_OFF = "[the answer was cut off here]"


def following(question: Question, kept: Kept) -> Question:
    """`question` as a follow-up: ranked with both, and told what was asked, answered and shown.

    The earlier log and diff still count; a new one takes the place of the old.
    """
    old = evidence.read(
        kept.question,
        log="" if question.log else kept.log,
        diff="" if question.diff else kept.diff,
    )
    traces = 1 + max((frame.trace for frame in question.frames), default=-1)
    later = (replace(frame, trace=frame.trace + traces) for frame in old.frames)
    shown = (Lines(each.path, each.start, each.end) for each in kept.shown if each.form == "full")
    return replace(
        question,
        title=f"{question.title}\n{old.title}".strip(),
        body=f"{question.body}\n\n{old.body}".strip(),
        identifiers=tuple(dict.fromkeys((*question.identifiers, *old.identifiers))),
        paths=tuple(dict.fromkeys((*question.paths, *old.paths))),
        frames=(*question.frames, *later),
        errors=tuple(dict.fromkeys((*question.errors, *old.errors))),
        tests=tuple(dict.fromkeys((*question.tests, *old.tests))),
        code=(*question.code, *old.code),
        log=question.log or old.log,
        diff=question.diff or old.diff,
        earlier=Earlier(kept.question, _answer(kept), tuple(shown)),
    )


def _answer(kept: Kept) -> str:
    return f"{kept.answer.rstrip()}\n{CUT_OFF}" if kept.cut_off else kept.answer


def what_is_new(preparation: Preparation, kept: Kept) -> str:
    """`follows "why does login fail"; new to it: shop/basket.py, derive (shop/passwords.py:6)`."""
    title = kept.question.strip().partition("\n")[0]
    if len(title) > TITLE_CHARACTERS:
        title = f"{title[:TITLE_CHARACTERS]}…"
    follows = f'follows "{title}"' if title else f"follows the last {'log' if kept.log else 'diff'}"
    if kept.cut_off:
        follows += ", whose answer was cut off"
    if kept.revision != preparation.snapshot.revision:
        follows += f", which was asked of {(kept.revision or 'the working tree')[:16]}"
    names = list(_new(preparation, kept))
    more = len(names) - MOST_NAMED
    listed = ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{follows}; new in the prompt: {listed or 'no code'}"


def _new(preparation: Preparation, kept: Kept) -> Iterator[str]:
    """The files that were not shown before, and of the others the symbols that were not."""
    files = {each.path for each in kept.shown}
    before = _lines((each.path, each.start, each.end) for each in kept.shown if each.form == "full")
    full = [each for each in preparation.context.excerpts if each.form == "full"]
    now = _lines((each.path, each.start, each.end) for each in full)
    for path in dict.fromkeys(sorted(each.path for each in preparation.context.excerpts)):
        if path not in files:
            yield path
            continue
        added = now.get(path, set()) - before.get(path, set())
        for symbol in _outermost(preparation.index.parsed(path).symbols, added):
            yield f"{symbol.name} ({path}:{symbol.start})"


def _lines(runs: Iterable[tuple[str, int, int]]) -> dict[str, set[int]]:
    lines: dict[str, set[int]] = {}
    for path, start, end in runs:
        lines.setdefault(path, set()).update(range(start, end + 1))
    return lines


def _outermost(symbols: Iterable[Symbol], lines: set[int]) -> Iterator[Symbol]:
    """The symbols that lie in `lines` whole, but for those inside another such."""
    end = 0
    for symbol in symbols:
        inside = lines.issuperset(range(symbol.start, symbol.end + 1))
        if symbol.kind != "section" and inside and symbol.start > end:
            end = symbol.end
            yield symbol
