"""Measures an adapter on held-out examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from repoqa.models.adapter import adapter_of, attached
from repoqa.models.checkpoint import read_config
from repoqa.models.device import choose_device
from repoqa.models.load import load_trainable
from repoqa.protocols import Progress
from repoqa.tuning.evaluate import Compared, compare
from repoqa.tuning.examples import KINDS, Example, kind_of
from repoqa.tuning.run import Base, encoded_examples, form_of


@dataclass(frozen=True, slots=True)
class Held:
    """How long held-out examples may be, in tokens, and at most how many of a kind are taken."""

    length: int
    limit: int


def measured(
    base: Base,
    adapter: Path,
    examples: Sequence[Example],
    *,
    task: Held,
    note: Callable[[str], None],
    progress: Progress,
) -> Compared:
    """Compare the base model with the adapted one on held-out examples.

    Raises ModelError, and UsageError where none fits.
    """
    profile = replace(base.profile, adapter=str(adapter.absolute()))
    adapter_of(profile, base.checkpoint)
    first = tuple(
        example
        for kind in KINDS
        for example in [each for each in examples if kind_of(each) == kind][: task.limit]
    )
    form = form_of(base, task.length)
    encoded = encoded_examples(first, form, note=note)
    config = read_config(base.profile, base.checkpoint)
    device = choose_device(stored=config.stored, wanted=base.profile.dtype)
    progress.start(f"Loading {base.profile.name}")
    try:
        model = attached(load_trainable(base.checkpoint, config, device), adapter)
    finally:
        progress.finish()
    return compare(model, encoded, form, progress=progress)
