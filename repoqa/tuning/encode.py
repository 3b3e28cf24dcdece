"""Puts an example to a model: the token ids of what it is shown, and of what it is to say.

A fix is put as `repoqa ask` puts a question, in the model's chat format. A gap is put in the form
the model was trained to fill gaps in; a model that was not goes on from the code before it. What is
too long is shown less code, whole lines of it; what is to be said is never cut.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Literal
from zlib import crc32

from repoqa.models.infill import MARKS, Gap, infill_ids
from repoqa.models.profile import Profile
from repoqa.models.tokens import Codec, prompt_ids
from repoqa.packing.render import heading, numbered
from repoqa.prompts.evidence import trim_ends
from repoqa.prompts.render import render
from repoqa.records import Context, Excerpt, Question
from repoqa.tuning.examples import Example, FixPair, GapPair, Shown, kind_of

ORDERS: tuple[Literal["prefix", "suffix"], ...] = ("prefix", "suffix")
PARTS = (1.0, 0.75, 0.5, 0.25, 0.1, 0.0)
"""How much of the code around is tried to be shown, the most first."""
QUESTION_SHARE = 4
"""A message may take one part in so many of the length."""
TOO_LONG = "longer than --length without any code around"
_START = "<s>"


@dataclass(frozen=True, slots=True)
class Encoded:
    """An example as tokens; `is_shortened` says that some of its code is not shown. `lines` are
    those of a gap, 0 for a fix."""

    id: str
    kind: str
    prompt: tuple[int, ...]
    target: tuple[int, ...]
    is_shortened: bool
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Form:
    """For which model, and up to how many tokens, examples are encoded. `end` are the ids that end
    an answer, where the profile names no control token for that."""

    profile: Profile
    codec: Codec
    length: int
    ends: frozenset[int] = frozenset()


def encoded(
    examples: Iterable[Example], form: Form, *, left_out: Counter[str]
) -> Iterator[Encoded]:
    """Yield the examples that fit; `left_out` counts the others."""
    for example in examples:
        found = _encoded(example, form)
        if found is None:
            left_out[TOO_LONG] += 1
        else:
            yield found


def _encoded(example: Example, form: Form) -> Encoded | None:
    target = _target(example, form)
    for part in PARTS:
        prompt = _prompt(example, form, part)
        if len(prompt) + len(target) <= form.length:
            lines = example.middle.count("\n") if isinstance(example, GapPair) else 0
            return Encoded(
                example.id, kind_of(example), tuple(prompt), tuple(target), part < 1, lines
            )
    return None


def _target(example: Example, form: Form) -> list[int]:
    codec = form.codec
    if isinstance(example, FixPair):
        # A text that is continued has no space at this seam; a turn of a chat begins a text.
        joined = form.profile.format == "continued"
        answer = (codec.encode_joined if joined else codec.encode)(example.answer)
        return [*answer, *_end(form)]
    middle = codec.encode_joined(example.middle)
    if not form.profile.infill:
        return middle
    return [*middle, *codec.control(MARKS[form.profile.infill].end)]


def _end(form: Form) -> list[int]:
    """The control token that ends an answer: the profile's own, else the model's."""
    named = (form.codec.control_id(stop) for stop in form.profile.stop)
    known = [token for token in named if token is not None] or sorted(form.ends)
    return known[:1]


def _prompt(example: Example, form: Form, part: float) -> list[int]:
    if isinstance(example, FixPair):
        return _fix_prompt(example, form, part)
    prefix, suffix = _last_lines(example.prefix, part), _first_lines(example.suffix, part)
    if form.profile.infill:
        # Half of them in each order, as Code Llama was trained (arXiv 2308.12950, section 2.3).
        first = ORDERS[crc32(example.id.encode()) % len(ORDERS)]
        gap = Gap(prefix, suffix)
        return infill_ids(gap, profile=form.profile, codec=form.codec, first=first)
    start = form.codec.control_id(_START)
    return [*([] if start is None else [start]), *form.codec.encode(prefix)]


def _fix_prompt(pair: FixPair, form: Form, part: float) -> list[int]:
    most = form.length // QUESTION_SHARE
    text = trim_ends(pair.question, most, tokenizer=form.codec)
    excerpts = tuple(_excerpt(_narrowed(shown, part)) for shown in pair.shown)
    prompt = render(
        Question(text=text, title=text.partition("\n")[0]),
        Context(excerpts, tokens=0, left_out=0),
        profile=form.profile,
        tokenizer=form.codec,
    )
    return prompt_ids(prompt, form.codec)


def _narrowed(shown: Shown, part: float) -> Shown:
    """The changed lines with that part of those before and behind them."""
    if not shown.changed:
        return shown
    first, last = shown.changed[0][0], shown.changed[-1][1]
    start = first - ceil((first - shown.start) * part)
    end = last + ceil((shown.end - last) * part)
    lines = shown.lines[start - shown.start : end - shown.start + 1]
    return Shown(shown.path, start, lines, shown.changed)


def _excerpt(shown: Shown) -> Excerpt:
    lines = (numbered(number, line) for number, line in enumerate(shown.lines, shown.start))
    text = "\n".join((heading(shown.path, shown.start, shown.end), *lines))
    return Excerpt(shown.path, shown.start, shown.end, "full", 0, text)


def _last_lines(text: str, part: float) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(lines[len(lines) - ceil(len(lines) * part) :])


def _first_lines(text: str, part: float) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(lines[: ceil(len(lines) * part)])


def shortened(examples: Iterable[Encoded]) -> int:
    """How many examples show less code than they could."""
    return sum(example.is_shortened for example in examples)
