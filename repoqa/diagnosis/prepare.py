"""Everything up to the prompt: index, rank, pack, render. Needs no model and writes no file but
the cache; it is what `repoqa pack` shows."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from repoqa.diagnosis.again import Again, continued
from repoqa.index.build import build
from repoqa.index.index import Index
from repoqa.index.places import index_directory
from repoqa.index.store import Store
from repoqa.models.profile import Profile
from repoqa.packing.budget import Room
from repoqa.packing.pack import pack
from repoqa.prompts import evidence
from repoqa.prompts.redact import RedactedCode, Redactor, count_marks
from repoqa.prompts.render import fixed_tokens, render
from repoqa.protocols import CodeSource, Progress, Tokenizer
from repoqa.ranking.places import Places
from repoqa.ranking.rank import rank
from repoqa.records import (
    Context,
    PathMention,
    Prompt,
    Question,
    Ranking,
    Snapshot,
)


@dataclass(frozen=True, slots=True)
class Setup:
    """For which model to prepare, and within how many tokens.

    `budget` limits the whole rendered prompt. `cache` is the cache's root, None for no cache on
    disk; `cache_limit` is how many bytes the index may take there. `redact` is whether secrets are
    kept out of the prompt.
    `again` is what a follow-up's prompt is to begin with, as long as that may make it.
    """

    profile: Profile
    tokenizer: Tokenizer
    budget: int
    cache: Path | None
    redact: bool = True
    cache_limit: int | None = None
    again: Again | None = None


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds per stage, in the order they ran, and what the cache spared."""

    seconds: Mapping[str, float]
    parsed: int
    reused: int


@dataclass(frozen=True, slots=True)
class Preparation:
    """A prompt and everything it was made of. `question` is whole, but for its secrets; `shown` is
    what the prompt holds of it.

    `redacted` counts the secrets that stand redacted in the prompt. `stem` counts the excerpts that
    the prompt before began with too, 0 where it is no continuation of one.
    """

    snapshot: Snapshot
    question: Question
    shown: Question
    index: Index
    ranking: Ranking
    context: Context
    prompt: Prompt
    setup: Setup
    timings: Timings
    redacted: int = 0
    stem: int = 0


@dataclass(slots=True)
class _Stopwatch:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


def prepare(
    question: Question,
    snapshot: Snapshot,
    setup: Setup,
    *,
    progress: Progress,
    earlier: Mapping[str, float] | None = None,
) -> Preparation:
    """The prompt for a question about a snapshot, at most `setup.budget` tokens long.

    `earlier` are the seconds of the stages that ran before (start, snapshot); `total` is their
    sum with index, rank and pack. Raises BudgetError where the budget is below what a prompt
    needs, before anything is read.
    """
    watch = _Stopwatch(dict(earlier or {}))
    profile, tokenizer = setup.profile, setup.tokenizer
    evidence.check_budget(setup.budget, profile=profile, tokenizer=tokenizer)
    with watch.stage("index"):
        store = Store(setup.cache and index_directory(setup.cache), limit=setup.cache_limit)
        index = build(snapshot, store, progress=progress)
    with watch.stage("rank"):
        ranking = rank(question, index)
    with watch.stage("pack"):
        marks = evidence_lines(question, index)
        packed = _packed(question, ranking, code=index, setup=setup, marks=marks)
    watch.seconds["total"] = sum(watch.seconds.values())
    if packed.stem and setup.again:
        setup = replace(setup, budget=max(setup.budget, setup.again.limit))
    return Preparation(
        snapshot=snapshot,
        question=packed.question,
        shown=packed.shown,
        index=index,
        ranking=ranking,
        context=packed.context,
        prompt=packed.prompt,
        setup=setup,
        timings=Timings(watch.seconds, parsed=index.parsed_count, reused=index.reused_count),
        redacted=count_marks(packed.prompt) if setup.redact else 0,
        stem=packed.stem,
    )


def repacked(preparation: Preparation, ranking: Ranking, budget: int) -> Preparation:
    """The same question with a prompt of at most `budget` tokens, its code chosen by `ranking`."""
    setup = replace(preparation.setup, budget=budget, again=None)
    question, index = preparation.question, preparation.index
    marks = evidence_lines(question, index)
    packed = _packed(question, ranking, code=index, setup=setup, marks=marks)
    return replace(
        preparation,
        shown=packed.shown,
        context=packed.context,
        prompt=packed.prompt,
        setup=setup,
        redacted=count_marks(packed.prompt) if setup.redact else 0,
        stem=0,
    )


class _Packed(NamedTuple):
    question: Question
    shown: Question
    context: Context
    prompt: Prompt
    stem: int = 0


def _packed(
    question: Question,
    ranking: Ranking,
    *,
    code: CodeSource,
    setup: Setup,
    marks: tuple[PathMention, ...],
) -> _Packed:
    """The prompt with the question's evidence cut to its share, and without secrets.

    A value found in code that was packed late may stand in what was packed before, or in the log:
    then all is packed again, which happens at most once for each such value.
    """
    if not setup.redact:
        return _packed_as_given(question, ranking, code=code, setup=setup, marks=marks)
    redactor = Redactor()
    while True:
        known = redactor.known
        told, shown = redactor.question(question), RedactedCode(code, redactor)
        packed = _packed_as_given(told, ranking, code=shown, setup=setup, marks=marks)
        if redactor.known == known or not redactor.leaks(packed.prompt):
            return packed


def _packed_as_given(
    question: Question,
    ranking: Ranking,
    *,
    code: CodeSource,
    setup: Setup,
    marks: tuple[PathMention, ...],
) -> _Packed:
    profile, tokenizer = setup.profile, setup.tokenizer
    shown = evidence.fit(question, setup.budget, profile=profile, tokenizer=tokenizer)
    if setup.again:
        sized = (profile, tokenizer)
        found = continued(shown, ranking, setup.again, code=code, sized_for=sized, marks=marks)
        if found:
            return _Packed(question, shown, *found, stem=len(setup.again.shown))
    context, prompt = fit_context(shown, ranking, code=code, setup=setup, marks=marks)
    return _Packed(question, shown, context, prompt)


def fit_context(
    question: Question,
    ranking: Ranking,
    *,
    code: CodeSource,
    setup: Setup,
    marks: tuple[PathMention, ...] = (),
) -> tuple[Context, Prompt]:
    """The packed code and the prompt that holds it, never over `setup.budget` tokens.

    Tokens may join or part across the seam between the code and the fixed parts; where that makes
    the prompt too long, the room shrinks by as much and packing starts again.
    """
    profile, tokenizer = setup.profile, setup.tokenizer
    fixed = fixed_tokens(question, profile=profile, tokenizer=tokenizer)
    reliable = max(min(profile.reliable_window, setup.budget) - fixed, 0)
    shown = question.earlier.shown if question.earlier else ()
    room = Room(max(setup.budget - fixed, 0), tokenizer, reliable, marks=marks, shown=shown)
    while True:
        context = pack(ranking, code, room)
        prompt = render(question, context, profile=profile, tokenizer=tokenizer)
        over = prompt.tokens - setup.budget
        if over <= 0 or not context.excerpts:
            return context, prompt
        room = replace(room, tokens=max(min(room.tokens, context.tokens) - over, 0))


def evidence_lines(question: Question, code: CodeSource) -> tuple[PathMention, ...]:
    """The lines of this repository that traces and mentions name, each once, sorted."""
    places = Places(code.paths)
    named = [(frame.path, frame.line) for frame in question.frames]
    named += [(mention.path, mention.line) for mention in question.paths]
    found = {
        PathMention(place.path, place.line)
        for path, line in named
        if line is not None
        for place in places.of(path, line=line)
    }
    return tuple(sorted(found, key=lambda mark: (mark.path, mark.line or 0)))
