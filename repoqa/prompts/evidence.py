"""Trims the question, the log and the diff to their shares of the budget, and shows what it cut.

A log keeps its first error, its failure sections and its tail; a question and a diff keep their
beginning and end; so do the question and the answer that a follow-up follows, which stand in its
share. Nothing is cut silently: a line in square brackets stands for what is missing.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from repoqa.errors import BudgetError
from repoqa.models.profile import Profile
from repoqa.prompts.neutralize import neutralize
from repoqa.prompts.render import earlier_sections, fixed_tokens
from repoqa.prompts.templates import BETWEEN_SECTIONS
from repoqa.protocols import Tokenizer
from repoqa.records import Earlier, Question

SHARE = 4  # the question, the log and the diff may each take one part in four of the budget
# Of the question's share: the answer that it follows up on, and the questions before it.
EARLIER_ANSWER_SHARE = 2
EARLIER_QUESTION_SHARE = 4
# Below this, the code and the question's shares hold nothing a model could use.
LEAST_TOKENS = 160
# No vocabulary in use has a token of more characters than this (cl100k has runs of 128 spaces),
# so longer text than this times the limit is too long without counting it.
LONGEST_TOKEN = 128
LINE_CHARACTERS = 400  # a longer line of evidence keeps its beginning and end
SHORTEST_LINE = 24
HEAD_SHARE = 0.7  # of a clipped line or question: people put the symptom first
ERROR = re.compile(
    r"^Traceback |(?:Error|Exception|Failure|panic|FAILED|fatal)\b|\berror\b|^E  ", re.IGNORECASE
)
FAILURE = re.compile(
    r"^E  |^_{3,} .* _{3,}$|^FAILED |^Traceback |^Caused by|^--- FAIL|^panic:|(?:Error|Exception):|"
    r"^(?:\t|  |    )at |^  File |\bassert"
)
MARK = re.compile(r"^\[(\d+) lines? left out\]$", re.MULTILINE)
# Searching for these first spares most lines of a long log the expressions above.
_HINTS = ("error", "exception", "fail", "panic", "fatal", "trac", "caused", "assert", "___")
_STARTS = ("E  ", "  File ", "\tat ", "    at ", "  at ")
BEFORE_ERROR, AFTER_ERROR, TAIL = (
    2,
    12,
    8,
)  # lines kept first, around the first error and at the end


def fit(question: Question, budget: int, *, profile: Profile, tokenizer: Tokenizer) -> Question:
    """`question` with its text, log and diff each within a quarter of `budget` tokens.

    Raises BudgetError as `check_budget` does.
    """
    check_budget(budget, profile=profile, tokenizer=tokenizer)
    bare = fixed_tokens(Question(text="", title=""), profile=profile, tokenizer=tokenizer)
    share = (budget - bare) // SHARE
    earlier = _fit_earlier(question.earlier, share, tokenizer=tokenizer)
    before = _earlier_tokens(earlier, tokenizer=tokenizer)
    return replace(
        question,
        text=trim_ends(question.text, share - before, tokenizer=tokenizer),
        earlier=earlier,
        log=trim_log(question.log, share, tokenizer=tokenizer),
        diff=trim_ends(question.diff, share, tokenizer=tokenizer),
    )


def _fit_earlier(earlier: Earlier | None, share: int, *, tokenizer: Tokenizer) -> Earlier | None:
    """What a follow-up follows, each text with its label within its part of `share` tokens."""
    if earlier is None:
        return None

    def fitted(text: str, most: int, empty: Earlier) -> str:
        label = _earlier_tokens(empty, tokenizer=tokenizer)
        return trim_ends(text, max(most - label, 0), tokenizer=tokenizer)

    question, answer = earlier.question, earlier.answer
    return replace(
        earlier,
        question=fitted(question, share // EARLIER_QUESTION_SHARE, Earlier(".", "")),
        answer=fitted(answer, share // EARLIER_ANSWER_SHARE, Earlier("", ".")),
    )


def _earlier_tokens(earlier: Earlier | None, *, tokenizer: Tokenizer) -> int:
    sections = earlier_sections(earlier)
    return tokenizer.count(BETWEEN_SECTIONS.join(("", *sections))) if sections else 0


def check_budget(budget: int, *, profile: Profile, tokenizer: Tokenizer) -> None:
    """Raise BudgetError, naming the smallest workable budget, where `budget` is below that."""
    least = smallest_budget(profile=profile, tokenizer=tokenizer)
    if budget < least:
        raise BudgetError(
            f"a budget of {budget:,} tokens is too small for the prompt",
            remedy=f"give at least {least:,} tokens: --budget {least}",
        )


def smallest_budget(*, profile: Profile, tokenizer: Tokenizer) -> int:
    """The fewest tokens a prompt can work with: its fixed texts and a little of everything."""
    bare = fixed_tokens(Question(text="", title=""), profile=profile, tokenizer=tokenizer)
    return bare + LEAST_TOKENS


def trim_ends(text: str, limit: int, *, tokenizer: Tokenizer) -> str:
    """`text`, or its beginning and end within `limit` tokens with a mark between them."""
    lines = text.split("\n")
    return _trim(text, limit, tokenizer=tokenizer, order=_from_both_ends(len(lines)))


def trim_log(log: str, limit: int, *, tokenizer: Tokenizer) -> str:
    """`log`, or its first error, failure sections and tail within `limit` tokens."""
    return _trim(log, limit, tokenizer=tokenizer, order=_log_order(log.split("\n")))


def _from_both_ends(count: int) -> Iterator[int]:
    """Line indexes, most of them from the beginning, the rest from the end."""
    first, last, taken = 0, count - 1, 0
    while first <= last:
        if first <= taken * HEAD_SHARE:
            yield first
            first += 1
        else:
            yield last
            last -= 1
        taken += 1


def _log_order(lines: Sequence[str]) -> Iterator[int]:
    """Line indexes by worth: the first error, the end, the failure sections, the rest upwards."""
    first = next((n for n, line in enumerate(lines) if _matches(ERROR, line)), None)
    if first is not None:
        yield from range(first, min(first + AFTER_ERROR, len(lines)))
        yield from range(max(first - BEFORE_ERROR, 0), first)
    yield from range(len(lines) - 1, max(len(lines) - 1 - TAIL, -1), -1)
    yield from (n for n, line in enumerate(lines) if _matches(FAILURE, line))
    yield from range(len(lines) - 1, -1, -1)


def _matches(pattern: re.Pattern[str], line: str) -> bool:
    lowered = line.lower()
    hinted = line.startswith(_STARTS) or any(hint in lowered for hint in _HINTS)
    return hinted and pattern.search(line) is not None


def _trim(text: str, limit: int, *, tokenizer: Tokenizer, order: Iterable[int]) -> str:
    """The lines of `text` that come first in `order` and fit `limit` tokens, in their own order."""
    if len(text) <= limit * LONGEST_TOKEN and tokenizer.count(neutralize(text)) <= limit:
        return text
    lines = text.split("\n")
    ranked = list(dict.fromkeys(_until(order, limit)))
    width = LINE_CHARACTERS
    while width >= SHORTEST_LINE:
        kept = _fill(lines, ranked, width=width, room=(limit, tokenizer))
        if kept:
            return kept
        width //= 2
    return ""


def _until(order: Iterable[int], limit: int) -> Iterator[int]:
    """No more candidates than could fit at one token each, repetitions included."""
    for taken, index in enumerate(order):
        if taken > 2 * limit + AFTER_ERROR + BEFORE_ERROR + TAIL:
            return
        yield index


def _fill(
    lines: Sequence[str], ranked: Sequence[int], *, width: int, room: tuple[int, Tokenizer]
) -> str:
    """As many of `ranked` as fit, each clipped to `width` characters; "" where none does."""
    limit, tokenizer = room
    low, high = 0, len(ranked)
    best = ""
    while low < high:  # the count grows with the lines kept, but for a mark that closes
        middle = (low + high + 1) // 2
        shown = _shown(lines, sorted(ranked[:middle]), width=width)
        if tokenizer.count(neutralize(shown)) <= limit:
            low, best = middle, shown
        else:
            high = middle - 1
    return best


def _shown(lines: Sequence[str], kept: Sequence[int], *, width: int) -> str:
    pieces: list[str] = []
    following = 0
    for index in kept:
        if index > following:
            pieces.append(_mark(index - following))
        pieces.append(_clip(lines[index], width))
        following = index + 1
    if following < len(lines):
        pieces.append(_mark(len(lines) - following))
    return "\n".join(pieces)


def lines_left_out(shown: str) -> int:
    """How many lines the marks in a trimmed text stand for."""
    return sum(int(count) for count in MARK.findall(shown))


def _mark(count: int) -> str:
    return f"[{count} {'line' if count == 1 else 'lines'} left out]"


def _clip(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    head = int(width * HEAD_SHARE)
    tail = width - head
    return f"{line[:head]}[{len(line) - width} characters left out]{line[-tail:]}"
