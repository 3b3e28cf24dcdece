"""Whether and how the rotary positions (RoPE) of a model are scaled for a prompt.

Scaling lets a model read past the window it was trained on, and costs up to 5 % perplexity inside
it: so inside it nothing is ever scaled. The plan is made before the weights are loaded and holds
for the prompt and its answer. docs/benchmarks.md measures the kinds.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, get_args

from repoqa.errors import UsageError
from repoqa.models.profile import Rope

AUTO = "auto"
KINDS: tuple[Rope, ...] = get_args(Rope)
# Llama 3.1's own: wavelengths over the window are stretched, those under a quarter of it are not.
_LOW_FREQUENCY, _HIGH_FREQUENCY = 1.0, 4.0


@dataclass(frozen=True, slots=True)
class Trained:
    """What the weights were trained with: the window in tokens, the base, the numbers in a head.

    `scaling` are the checkpoint's own rope parameters where it has a scaling already.
    """

    window: int
    theta: float
    head_size: int
    scaling: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RopePlan:
    """`parameters` are transformers' `rope_parameters`; None leaves them as the checkpoint has
    them. `reason` is one line for the user, "" where there is nothing to say."""

    kind: Rope
    factor: float = 1.0
    parameters: Mapping[str, Any] | None = None
    reason: str = ""


def chosen_kind(name: str) -> Rope | None:
    """The kind of that name, None for `auto`. Raises UsageError, with the nearest, for others."""
    if name == AUTO:
        return None
    for kind in KINDS:
        if kind == name:
            return kind
    names = (AUTO, *KINDS)
    nearest = difflib.get_close_matches(name, names, n=1)
    raise UsageError(
        f"there is no RoPE scaling {name!r}",
        remedy=f"Did you mean {nearest[0]}?" if nearest else f"Known are {', '.join(names)}.",
    )


def plan(trained: Trained, tokens: int, *, kind: Rope, factor: float = 0.0) -> RopePlan:
    """How `tokens` (prompt and answer) are read by a model trained as told.

    `factor` 0 stretches as far as needed, by a whole number: a follow-up that is a little longer
    keeps the same positions. Raises UsageError for a factor that does not reach far enough.
    """
    if not trained.window or tokens <= trained.window:
        return RopePlan("none")
    past = f"{tokens:,} tokens are past the {trained.window:,} it was trained on"
    own = trained.scaling.get("rope_type", "default")
    if own == "dynamic":
        return _dynamic(trained, tokens, float(trained.scaling["factor"]), past=past)
    if own != "default":
        return RopePlan("none", reason=f"{past}: its own {own} scaling stays as it is")
    if kind == "none":
        return RopePlan("none", reason=f"{past}: positions are not scaled")
    factor = factor or float(ceil(tokens / trained.window))
    if kind == "dynamic":
        return _dynamic(trained, tokens, factor, past=past)
    if factor * trained.window < tokens:
        raise UsageError(
            f"a RoPE factor of {factor:g} reaches {factor * trained.window:,.0f} tokens, "
            f"prompt and answer have {tokens:,}",
            remedy="Give a smaller --budget or a larger --rope-factor, or leave the factor out.",
        )
    return RopePlan(
        kind,
        factor,
        _parameters(trained, kind, factor),
        f"{past}: positions are scaled by {kind}, factor {factor:g}",
    )


def _parameters(trained: Trained, kind: Rope, factor: float) -> dict[str, Any]:
    base = {"rope_theta": trained.theta}
    window = {"original_max_position_embeddings": trained.window}
    if kind == "theta":
        return _raised(trained, factor)
    if kind == "linear":
        return {"rope_type": "linear", "factor": factor, **base}
    if kind == "yarn":  # Peng et al. 2023, arXiv 2309.00071
        return {"rope_type": "yarn", "factor": factor, **window, **base}
    return {
        "rope_type": "llama3",
        "factor": factor,
        "low_freq_factor": _LOW_FREQUENCY,
        "high_freq_factor": _HIGH_FREQUENCY,
        **window,
        **base,
    }


def _dynamic(trained: Trained, tokens: int, factor: float, *, past: str) -> RopePlan:
    """Dynamic NTK as it is for the whole prompt, fixed before the first chunk.

    transformers recomputes it for each chunk; keys in the cache keep the positions of their own
    chunk then, and perplexity goes from 5 to 97.
    """
    stretch = factor * tokens / trained.window - (factor - 1)
    reason = f"{past}: positions are scaled by dynamic NTK, factor {factor:g}"
    return RopePlan("dynamic", factor, _raised(trained, stretch), reason)


def _raised(trained: Trained, stretch: float) -> dict[str, Any]:
    """The base raised so that the slowest of the rotations is stretched (NTK-aware scaling)."""
    exponent = trained.head_size / (trained.head_size - 2)
    return {"rope_type": "default", "rope_theta": trained.theta * stretch**exponent}
