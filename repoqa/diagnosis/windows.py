"""Cuts the packed code into windows of the size that the model reads reliably.

A sweep reads them one by one. They are cut between excerpts; only an excerpt that is longer than a
window is cut between its lines. The best code, which packing puts last, is in the first window.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from repoqa.diagnosis.prepare import Preparation
from repoqa.errors import BudgetError
from repoqa.packing.render import heading
from repoqa.prompts import evidence
from repoqa.prompts.sweep import render_window
from repoqa.protocols import Tokenizer
from repoqa.records import Excerpt, Prompt

MOST_SUSPECTS = 3  # that one window is asked for
# The question, the log and the diff together take at most three quarters of this part of a window:
# they are read again in each.
EVIDENCE_PART = 2
# Below this a window holds nothing that a model could judge.
LEAST_ROOM = 64
# Tokens may join or part across the seams between the code and the texts around it.
SEAM = 16
# Of a part's last lines, where a blank one is looked for to cut at.
NEAR_THE_END = 4

Draw: TypeAlias = Callable[[Sequence[Excerpt]], Prompt]


@dataclass(frozen=True, slots=True)
class Window:
    """Excerpts in prompt order, and the prompt that asks about them; number 1 has the best code."""

    number: int
    of: int
    excerpts: tuple[Excerpt, ...]
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Cut:
    """The packed code as windows. `too_long` counts the lines that no window can hold."""

    windows: tuple[Window, ...]
    too_long: int = 0


def window_tokens(preparation: Preparation) -> int:
    """The most tokens of a window's prompt, and of the one after them."""
    return min(preparation.setup.profile.reliable_window, preparation.setup.budget)


def cut(preparation: Preparation) -> Cut:
    """Every packed line in exactly one window, each prompt within `window_tokens`.

    Raises BudgetError where the window is too small for the texts around the code.
    """
    setup, limit = preparation.setup, window_tokens(preparation)
    profile, tokenizer = setup.profile, setup.tokenizer
    least = evidence.smallest_budget(profile=profile, tokenizer=tokenizer)
    question = evidence.fit(
        preparation.question,
        max(limit // EVIDENCE_PART, least),
        profile=profile,
        tokenizer=tokenizer,
    )
    draw = partial(render_window, question, most=MOST_SUSPECTS, sized_for=(profile, tokenizer))
    room = limit - draw(()).tokens - SEAM
    if room < LEAST_ROOM:
        raise BudgetError(
            f"windows of {limit:,} tokens are too small to sweep code with this question",
            remedy="Ask with --strategy single, or give the question without its log.",
        )
    rest = [
        part for excerpt in preparation.context.excerpts for part in parts(excerpt, room, tokenizer)
    ]
    drawn = list(_drawn(rest, draw, limit=limit, tokenizer=tokenizer))
    read = [found for found in drawn if found[1] is not None]
    return Cut(
        tuple(
            Window(number, len(read), excerpts, prompt)
            for number, (excerpts, prompt) in enumerate(read, 1)
            if prompt is not None
        ),
        too_long=len(drawn) - len(read),
    )


def _drawn(
    rest: list[Excerpt], draw: Draw, *, limit: int, tokenizer: Tokenizer
) -> Iterator[tuple[tuple[Excerpt, ...], Prompt | None]]:
    """The windows from the last excerpts to the first; no prompt for a line that is too long."""
    while rest:
        count = _fitting(rest, limit - draw(()).tokens)
        prompt = draw(rest[-count:])
        while prompt.tokens > limit and count > 1:
            count -= 1
            prompt = draw(rest[-count:])
        if prompt.tokens <= limit:
            yield tuple(rest[-count:]), prompt
            del rest[-count:]
            continue
        last = rest.pop()
        halves = list(parts(last, last.tokens // 2, tokenizer))
        if len(halves) > 1:
            rest += halves
        else:
            yield (last,), None


def _fitting(excerpts: Sequence[Excerpt], room: int) -> int:
    """How many excerpts, from the last on, are about as long as the room: at least one."""
    used = 0
    for count, excerpt in enumerate(reversed(excerpts)):
        used += excerpt.tokens + 1
        if used > room and count:
            return count
    return len(excerpts)


def parts(excerpt: Excerpt, most: int, tokenizer: Tokenizer) -> Iterator[Excerpt]:
    """The excerpt, or where it is longer than `most` tokens its lines in several, none cut."""
    if excerpt.tokens <= most:
        yield excerpt
        return
    lines = excerpt.text.split("\n")[1:]
    while lines:
        count = _lines_within(lines, most - tokenizer.count(_heading(excerpt, lines)), tokenizer)
        text = lines[:count]
        del lines[:count]
        if any(text):
            yield _part(excerpt, text, tokenizer)


def _lines_within(lines: Sequence[str], most: int, tokenizer: Tokenizer) -> int:
    """How many of the first lines fit, at least one; up to a blank line where one is near."""
    used = 0
    for count, line in enumerate(lines):
        used += tokenizer.count(f"{line}\n")
        if used > most and count:
            near = range(count, count - count // NEAR_THE_END, -1)
            return next((end for end in near if not lines[end - 1]), count)
    return len(lines)


def _part(excerpt: Excerpt, lines: Sequence[str], tokenizer: Tokenizer) -> Excerpt:
    numbers = _numbers(lines)
    text = "\n".join((_heading(excerpt, lines), *lines))
    return replace(
        excerpt, start=numbers[0], end=numbers[-1], tokens=tokenizer.count(text), text=text
    )


def _heading(excerpt: Excerpt, lines: Sequence[str]) -> str:
    numbers = _numbers(lines) or [excerpt.end]
    return heading(excerpt.path, numbers[0], numbers[-1], form=excerpt.form)


def _numbers(lines: Sequence[str]) -> list[int]:
    """The line numbers that the lines begin with; blank ones have none."""
    return [int(line.partition(" ")[0]) for line in lines if line]
