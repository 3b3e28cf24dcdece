"""What each strategy found of the planted bugs, as a Markdown table."""

from collections.abc import Sequence
from statistics import median

from repoqa.evaluation.strategies import Outcome
from repoqa.terminal.grid import grid


def outcome_table(outcomes: Sequence[Outcome]) -> str:
    """By strategy and length: how many were found at each place, how many a window named, and the
    prompt tokens and seconds of one question."""
    if not outcomes:
        return "Nothing was measured.\n"
    positions = sorted({each.trial.position for each in outcomes})
    header = (
        "found, planted at",
        *(f"{position:.2f}" for position in positions),
        "named by a window",
        "prompt tokens",
        "seconds",
    )
    kinds = dict.fromkeys((each.trial.strategy, each.trial.length) for each in outcomes)
    rows = [
        _row([each for each in outcomes if (each.trial.strategy, each.trial.length) == kind])
        for kind in kinds
    ]
    return f"{grid([header, *rows])}\nTokens and seconds are the median question's.\n"


def outcome_line(outcome: Outcome) -> str:
    """`late_fee at 0.50 of 8,192 tokens, sweep: not found, 41 s`."""
    trial = outcome.trial
    found = "found" if outcome.found else "not found"
    return (
        f"{trial.bug} at {trial.position:.2f} of {trial.length:,} tokens, {trial.strategy}: "
        f"{found}, {outcome.seconds:.0f} s"
    )


def _row(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    trial = outcomes[0].trial
    positions = sorted({each.trial.position for each in outcomes})
    named = [each.named for each in outcomes if each.named is not None]
    return (
        f"{trial.strategy}, {trial.length:,}",
        *(_share([o.found for o in outcomes if o.trial.position == each]) for each in positions),
        _share(named) if named else "-",
        f"{median(each.tokens for each in outcomes):,.0f}",
        f"{median(each.seconds for each in outcomes):.0f}",
    )


def _share(found: Sequence[bool]) -> str:
    return f"{sum(found)} of {len(found)}"
