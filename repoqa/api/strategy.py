"""How a budget is used: one prompt, or windows that are read one by one (`--strategy`)."""

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

from repoqa.diagnosis.prepare import Preparation
from repoqa.errors import BudgetError, UsageError
from repoqa.models.profile import Profile

Strategy: TypeAlias = Literal["single", "sweep"]
Wanted: TypeAlias = Literal["auto", "single", "sweep"]
NAMES: tuple[Wanted, ...] = get_args(Wanted)


def wanted_strategy(text: str) -> Wanted:
    """The strategy of that name. Raises UsageError for none."""
    for name in NAMES:
        if text == name:
            return name
    raise UsageError(
        f"there is no strategy {text!r}", remedy=f"--strategy takes {', '.join(NAMES)}."
    )


def chosen_strategy(wanted: Wanted, preparation: Preparation) -> Strategy:
    """`auto` sweeps what is longer than the model reads reliably, but what it has read already."""
    if wanted != "auto":
        return wanted
    if preparation.stem:
        return "single"
    reliable = preparation.setup.profile.reliable_window
    return "sweep" if preparation.prompt.tokens > reliable else "single"


def check_budget(
    budget: int, profile: Profile, *, wanted: Wanted | None, note: Callable[[str], None]
) -> None:
    """Say that a budget is longer than the model reads reliably, or at all; `wanted` is None where
    no model is to read it.

    Raises BudgetError for a prompt that the model cannot read: a sweep's are never longer than a
    window.
    """
    if budget > profile.maximum and wanted != "sweep":
        problem = (
            f"a budget of {budget:,} tokens is more than the {profile.maximum:,} "
            f"that {profile.name} reads"
        )
        if wanted is not None:
            remedy = "Give a smaller --budget, another --model, or --strategy sweep."
            raise BudgetError(problem, remedy=remedy)
        note(problem)
    elif budget > profile.reliable_window and wanted in (None, "single"):
        note(
            f"{profile.name} reads {profile.reliable_window:,} tokens reliably; of these "
            f"{budget:,}, the last ones hold the best code"
        )
