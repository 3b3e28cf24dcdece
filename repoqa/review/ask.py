"""Asks a model about a change: its diff in parts, each with the code around it, within the budget.

An answer is kept by its prompt, so that the same change is not asked about twice.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from repoqa.answers.clean import clean
from repoqa.diagnosis.prepare import Setup
from repoqa.errors import BudgetError
from repoqa.packing.budget import Room
from repoqa.packing.pack import pack
from repoqa.prompts.redact import RedactedCode, Redactor, count_marks
from repoqa.prompts.render import EMPTY_CONTEXT
from repoqa.prompts.review import render_review
from repoqa.protocols import CodeSource, Model, Progress
from repoqa.records import Context, Prompt, RankedSymbol, Ranking, SkippedFile
from repoqa.review.parts import Part, parts
from repoqa.review.report import Impact
from repoqa.review.review import Reached, problems
from repoqa.review.sites import innermost

# Each is a prompt of its own, read and answered in turn.
MOST_PARTS = 8
# Of what is left beside the fixed texts, for the diff; the rest is for the code around it.
DIFF_SHARE = 0.5
# A part of the diff smaller than this shows too little to judge.
LEAST_DIFF_TOKENS = 64
MOST_FACTS = 8
# How code around the change is ranked: itself, what uses it, the tests that reach it.
CHANGED, CALLER, TEST = 3.0, 2.0, 1.0
MOST_KEPT = 500
BEYOND = f"over {MOST_PARTS} prompts: the model was not asked about this part"
TOO_LONG = "a line of it is longer than the budget"


@dataclass(frozen=True, slots=True)
class Asking:
    """A change as prompts. `redacted` counts the secrets that stand redacted in them."""

    prompts: tuple[Prompt, ...]
    not_reviewed: tuple[SkippedFile, ...]
    redacted: int


def prompts_for(reached: Reached, setup: Setup, *, most: int) -> Asking:
    """The prompts, each at most `setup.budget` tokens long; `most` findings are asked for.

    Raises BudgetError where the budget is too small for any diff.
    """
    drawer = _Drawer(reached, setup, most)
    patches = reached.chosen.compared.patches
    found = parts(patches, reached.impact, most=drawer.diff_tokens(), tokenizer=setup.tokenizer)
    prompts: list[Prompt] = []
    skipped: list[SkippedFile] = []
    for part in found:
        prompt = drawer.draw(part) if len(prompts) < MOST_PARTS else None
        if prompt is not None:
            prompts.append(prompt)
        else:
            why = BEYOND if len(prompts) == MOST_PARTS else TOO_LONG
            skipped += [SkippedFile(path, why) for path, _ in part.covers]
    redacted = sum(count_marks(prompt) for prompt in prompts) if setup.redact else 0
    return Asking(tuple(prompts), tuple(sorted(set(skipped))), redacted)


@dataclass(slots=True)
class _Drawer:
    """Draws one prompt after another; a secret found in one is redacted in those after it."""

    reached: Reached
    setup: Setup
    most: int
    _redactor: Redactor = field(default_factory=Redactor)
    _code: CodeSource = field(init=False)

    def __post_init__(self) -> None:
        index = self.reached.index
        self._code = RedactedCode(index, self._redactor) if self.setup.redact else index

    def diff_tokens(self) -> int:
        """How many tokens the diff of one prompt may have. Raises BudgetError for too few."""
        room = self.setup.budget - self._render("", "", EMPTY_CONTEXT).tokens
        tokens = int(room * DIFF_SHARE)
        if tokens < LEAST_DIFF_TOKENS:
            least = self.setup.budget + int((LEAST_DIFF_TOKENS - tokens) / DIFF_SHARE) + 1
            raise BudgetError(
                f"a budget of {self.setup.budget:,} tokens is too small to review a change",
                remedy=f"give at least {least:,} tokens: --budget {least}",
            )
        return tokens

    def draw(self, part: Part) -> Prompt | None:
        """The prompt of a part with as much code as fits; None where not even the part does."""
        diff, facts = self._safe(part.text), self._safe(_facts(self.reached.impact, part))
        bare = self._render(diff, facts, EMPTY_CONTEXT)
        if bare.tokens > self.setup.budget:
            facts, bare = "", self._render(diff, "", EMPTY_CONTEXT)
        room = self.setup.budget - bare.tokens
        if room < 0:
            return None
        ranking = _ranking(self.reached, part)
        while True:
            reliable = min(self.setup.profile.reliable_window, room)
            context = pack(ranking, self._code, Room(room, self.setup.tokenizer, reliable))
            prompt = self._render(self._safe(diff), self._safe(facts), context)
            over = prompt.tokens - self.setup.budget
            if over <= 0 or not context.excerpts:
                return prompt if over <= 0 else bare
            room = max(min(room, context.tokens) - over, 0)

    def _safe(self, text: str) -> str:
        return self._redactor.text(text) if self.setup.redact else text

    def _render(self, diff: str, facts: str, context: Context) -> Prompt:
        sized_for = (self.setup.profile, self.setup.tokenizer)
        return render_review(diff, facts, context, most=self.most, sized_for=sized_for)


def _facts(impact: Iterable[Impact], part: Part) -> str:
    """The problems of the symbols that a part shows: the model need not find those."""
    shown = [change for change in impact if _is_shown(change, part)]
    found = problems(shown)[:MOST_FACTS]
    return "\n".join(f"{one.path}:{one.line}: {one.message}" for one in found)


def _is_shown(change: Impact, part: Part) -> bool:
    return any(
        path == change.path and span.start <= change.end and change.start <= span.end
        for path, span in part.covers
    )


def _ranking(reached: Reached, part: Part) -> Ranking:
    """The changed symbols of a part, the functions that use them, the tests that reach them."""
    index = reached.index
    scores: dict[tuple[str, int, str], RankedSymbol] = {}

    def add(path: str, line: int, score: float) -> None:
        if index.file_number(path) is None:
            return
        symbol = innermost(index.parsed(path), line)
        if symbol is not None:
            ranked = RankedSymbol(path, symbol, score, {"diff": score})
            scores.setdefault((path, symbol.start, symbol.name), ranked)

    shown = [change for change in reached.impact if _is_shown(change, part)]
    for change in shown:
        if change.change != "removed":
            add(change.path, change.start, CHANGED)
    for change in shown:
        for caller in sorted(change.callers, key=lambda caller: caller.fits is True):
            add(caller.path, caller.line, CALLER)
    for change in shown:
        for test in change.tests:
            add(test.path, test.line, TEST)
    return Ranking(files=(), symbols=tuple(sorted(scores.values(), key=_best_first)))


def _best_first(ranked: RankedSymbol) -> tuple[float, str, int]:
    return (-ranked.score, ranked.path, ranked.symbol.start)


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to a change's prompts, kept in a folder (None for none) by prompt and model.

    `opened` gives the model; it is called only where an answer is not known. `asker` names the
    model and where it runs.
    """

    folder: Path | None
    asker: str
    opened: Callable[[], Model]

    def to(self, asking: Asking, *, progress: Progress) -> Iterator[str]:
        """The answer to each prompt. Raises what the model raises."""
        model: Model | None = None
        for prompt in asking.prompts:
            known = self._known(prompt)
            if known is None:
                model = model or self.opened()
                known = _answer(model, prompt, progress=progress)
                self._keep(prompt, known)
            yield known

    def _path(self, prompt: Prompt) -> Path | None:
        if self.folder is None:
            return None
        text = "\0".join((self.asker, *(segment.text for segment in prompt.segments)))
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        return self.folder / f"{digest}.txt"

    def _known(self, prompt: Prompt) -> str | None:
        path = self._path(prompt)
        try:
            return path.read_text(encoding="utf-8") if path else None
        except (OSError, UnicodeDecodeError):
            return None

    def _keep(self, prompt: Prompt, answer: str) -> None:
        """Keep an answer; where that fails it is asked for again."""
        path = self._path(prompt)
        if path is None:
            return
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(answer)
            Path(name).replace(path)
            files = sorted((file.stat().st_mtime_ns, file) for file in path.parent.iterdir())
            for _, oldest in files[:-MOST_KEPT]:
                oldest.unlink()


def _answer(model: Model, prompt: Prompt, *, progress: Progress) -> str:
    stream = model.stream(prompt, progress=progress)
    with closing(cast("Generator[str, None, None]", stream)):
        return "".join(clean(stream))
