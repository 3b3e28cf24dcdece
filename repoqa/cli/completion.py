"""What the shell offers after Tab: names of profiles, signals, strategies and scalings.

The shell waits for this, so nothing is imported that parses, ranks or loads.
"""

import os
from collections.abc import Iterable

VARIABLE = "_REPOQA_COMPLETE"
STRATEGIES = ("auto", "single", "sweep")


def is_completing() -> bool:
    """Whether a shell asks what could follow, rather than for a command to be run."""
    return VARIABLE in os.environ


def profiles(incomplete: str) -> list[str]:
    """Models' profiles, the user's own among them."""
    from repoqa.models.profile import profile_names
    from repoqa.settings import profile_directory

    return _starting(profile_names(directories=(profile_directory(),)), incomplete)


def signals(incomplete: str) -> list[str]:
    """What the ranking adds up."""
    from repoqa.ranking.weights import FILE_WEIGHTS, UNIT_WEIGHTS

    return _starting(sorted({*UNIT_WEIGHTS, *FILE_WEIGHTS}), incomplete)


def strategies(incomplete: str) -> list[str]:
    """How a budget is used."""
    return _starting(STRATEGIES, incomplete)


def scalings(incomplete: str) -> list[str]:
    """How positions are scaled."""
    from repoqa.models.rope import AUTO, KINDS

    return _starting((AUTO, *KINDS), incomplete)


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
