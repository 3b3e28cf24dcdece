"""`repoqa eval longcontext --strategy`: one long prompt against a sweep, on planted bugs."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from repoqa.errors import UsageError

if TYPE_CHECKING:
    from repoqa.evaluation.strategies import Outcome, Trial
    from repoqa.models.profile import Profile
    from repoqa.protocols import Progress
    from repoqa.settings import Settings
    from repoqa.terminal.output import Output

BUGS = 3
TIMES = 2
"""Without --lengths, so many times what the model reads reliably: there the strategies part."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What to compare: strategies as they are written, bugs by their number, lengths in tokens
    (None as the model has it)."""

    strategies: str
    bugs: int
    lengths: Sequence[int] | None
    model: str | None


def compare(
    comparison: Comparison,
    texts: Sequence[tuple[str, str]],
    *,
    out: Path | None,
    plot: Path | None,
) -> None:
    """Plant each bug at each place, ask for it with each strategy, and print what was found."""
    from repoqa.api.job import chosen_profile
    from repoqa.cli.charting import show_chart
    from repoqa.evaluation.charts import found_chart
    from repoqa.evaluation.strategies import trials
    from repoqa.settings import read_settings
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress
    from repoqa.terminal.strategies import outcome_table

    settings = read_settings(environment=os.environ, flags={"model": comparison.model})
    profile = chosen_profile(settings)
    strategies = _strategies(comparison.strategies)
    lengths = _lengths(comparison, profile, strategies)
    names = [name for name, _ in texts]
    wanted = list(
        trials(profile.name, names, lengths=lengths, strategies=strategies, bugs=comparison.bugs)
    )
    # What is kept on disk would spare a second run the reading that it is to time.
    task = _Task(replace(settings, prefix_cache=0), profile, texts, out)
    output = standard_output()
    with shown_progress(output) as progress:
        outcomes = list(_outcomes(wanted, task, output, progress=progress))
    output.write(outcome_table(outcomes))
    show_chart(found_chart(outcomes), output, plot=plot)


@dataclass(frozen=True, slots=True)
class _Task:
    settings: "Settings"
    profile: "Profile"
    texts: Sequence[tuple[str, str]]
    out: Path | None


def _strategies(text: str) -> list[str]:
    from repoqa.api.strategy import wanted_strategy

    return list(dict.fromkeys(wanted_strategy(part.strip()) for part in text.split(",")))


def _lengths(
    comparison: Comparison, profile: "Profile", strategies: Sequence[str]
) -> Sequence[int]:
    lengths = comparison.lengths or [min(TIMES * profile.reliable_window, profile.maximum)]
    if max(lengths) > profile.maximum and set(strategies) != {"sweep"}:
        raise UsageError(
            f"{max(lengths):,} tokens are more than the {profile.maximum:,} that {profile.name} "
            "reads at once",
            remedy="Give shorter --lengths, another --model, or --strategy sweep alone.",
        )
    return lengths


def _outcomes(
    wanted: "Sequence[Trial]", task: _Task, output: "Output", *, progress: "Progress"
) -> "Iterator[Outcome]":
    from repoqa.api.trial import attempt
    from repoqa.cli.keeping import keep, kept
    from repoqa.evaluation.strategies import Outcome, functions
    from repoqa.terminal.strategies import outcome_line

    known = {outcome.trial: outcome for outcome in kept(task.out, Outcome)}
    around = functions(task.texts)
    for number, trial in enumerate(wanted, 1):
        outcome = known.get(trial)
        if outcome is None:
            outcome = attempt(
                trial, around, settings=task.settings, profile=task.profile, progress=progress
            )
            keep(outcome, task.out)
            output.note(f"{number} of {len(wanted)}: {outcome_line(outcome)}")
        yield outcome
