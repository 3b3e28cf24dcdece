"""What tuning gained on held-out examples: perplexity, and lines filled in exactly, before and
after.

Both are of the same weights: before, the adapter beside them is passed over.
"""

from collections.abc import Sequence
from math import exp
from typing import Any

import msgspec
import torch

from repoqa.models.generation import Sampling, generate
from repoqa.models.infill import MARKS
from repoqa.protocols import Progress, Silent
from repoqa.tuning.encode import Encoded, Form
from repoqa.tuning.examples import KINDS
from repoqa.tuning.train import surprise

SPARE_TOKENS = 8
"""A line may be filled in with so many tokens more than it has and be the same text."""


class Score(msgspec.Struct, frozen=True):
    """Of the examples of a kind: the tokens to be said, how surprising they were (nats, all
    together), and how many gaps were filled exactly (None for fixes)."""

    examples: int
    tokens: int
    surprise: float
    exact: int | None = None

    @property
    def perplexity(self) -> float:
        """That of a token, on average."""
        return exp(self.surprise / self.tokens) if self.tokens else float("nan")


class Compared(msgspec.Struct, frozen=True):
    """The scores of each kind without the adapter and with it."""

    before: dict[str, Score]
    after: dict[str, Score]


def compare(model: Any, examples: Sequence[Encoded], form: Form, *, progress: Progress) -> Compared:
    """Score the model without its adapter and with it."""
    model.eval()
    progress.start("Measuring", total=2 * len(examples), unit="examples")
    try:
        with model.disable_adapter():
            before = _scores(model, examples, form, progress=progress)
        after = _scores(model, examples, form, progress=progress)
    finally:
        progress.finish()
    return Compared(before, after)


def _scores(
    model: Any, examples: Sequence[Encoded], form: Form, *, progress: Progress
) -> dict[str, Score]:
    found = {}
    for kind in KINDS:
        own = [example for example in examples if example.kind == kind]
        nats, exact = 0.0, 0
        for example in own:
            with torch.inference_mode():
                nats += float(surprise(model, example))
            exact += example.lines > 0 and fills(model, example, form)
            progress.advance()
        if own:
            tokens = sum(len(example.target) for example in own)
            found[kind] = Score(len(own), tokens, nats, exact if kind == "infill" else None)
    return found


def fills(model: Any, example: Encoded, form: Form) -> bool:
    """Whether the model's likeliest text for a gap is the one that was taken out of it."""
    end = MARKS[form.profile.infill].end if form.profile.infill else ""
    ends = frozenset(form.codec.control(end)) if end else form.ends
    sampling = Sampling(limit=len(example.target) + SPARE_TOKENS, ends=ends)
    decoder = form.codec.decoder(joined=True)
    said = ""
    for token in generate(model, example.prompt, sampling, progress=Silent()):
        said += decoder.push(token)
        # A model that was not trained to fill gaps goes on with the lines behind.
        if not end and said.count("\n") == example.lines:
            break
    expected = form.codec.decoder(joined=True)
    text = "".join(map(expected.push, example.target))
    return said.rstrip("\n") == text.rstrip("\n")
