"""A planted bug asked about as `repoqa ask` would: what `eval longcontext --strategy` measures."""

import time
from collections.abc import Sequence

from repoqa.api.answering import Answering
from repoqa.api.job import Job, opened_model
from repoqa.api.strategy import chosen_strategy, wanted_strategy
from repoqa.diagnosis.prepare import Setup
from repoqa.evaluation.strategies import Function, Outcome, Trial, cites, planted
from repoqa.models.profile import Profile
from repoqa.models.tokens import tokenizer_for
from repoqa.protocols import Progress
from repoqa.settings import Settings


def attempt(
    trial: Trial,
    around: Sequence[Function],
    *,
    settings: Settings,
    profile: Profile,
    progress: Progress,
) -> Outcome:
    """The outcome of a trial whose bug stands among the functions `around`.

    Raises UsageError where they are too few, and what a model raises.
    """
    tokenizer = tokenizer_for(profile, cache=settings.cache_dir)
    setup = Setup(profile, tokenizer, trial.length, cache=None)
    with planted(trial, around, setup, progress=progress) as preparation:
        strategy = chosen_strategy(wanted_strategy(trial.strategy), preparation)
        job = Job(settings, profile, preparation, strategy)
        model = opened_model(job, progress=progress)
        answering = Answering(job)
        started = time.perf_counter()
        text = "".join(answering.stream(model, progress=progress))
        seconds = time.perf_counter() - started
        found = cites(text, trial, preparation)
    suspects = [suspect for read in answering.read for suspect in read.suspects]
    return Outcome(
        trial,
        found=found,
        named=any(each.path == trial.path for each in suspects) if answering.read else None,
        windows=len(answering.read),
        tokens=answering.prompt_tokens,
        seconds=round(seconds, 3),
    )
