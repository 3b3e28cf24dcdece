"""How a model is tuned: all that the result depends on, besides the weights and the examples."""

import random
from collections.abc import Iterator

import msgspec

WARM_UP = 0.1
"""The part of the steps in which the rate rises to its full height; then it falls to 0."""


class Recipe(msgspec.Struct, frozen=True):
    """The settings of a run; `examples` is the digest of the data, `steps` the most steps taken
    (0: all epochs). `length` is in tokens, `batch` in examples. The adapter's matrices have `rank`
    columns and weigh `alpha / rank`."""

    model: str
    examples: str
    rank: int = 8
    alpha: int = 16
    epochs: int = 3
    rate: float = 2e-4
    length: int = 1024
    batch: int = 4
    seed: int = 0
    steps: int = 0


def step_count(recipe: Recipe, count: int) -> int:
    """How many steps the recipe takes with so many examples."""
    whole = recipe.epochs * -(-count // recipe.batch)
    return min(whole, recipe.steps) if recipe.steps else whole


def batches(recipe: Recipe, count: int) -> Iterator[list[int]]:
    """The numbers of the examples of each step: every epoch all of them, in an order of its own
    that follows from the seed. The last batch of an epoch may be smaller."""
    for epoch in range(recipe.epochs):
        order = list(range(count))
        random.Random(f"{recipe.seed}:{epoch}").shuffle(order)
        for start in range(0, count, recipe.batch):
            yield order[start : start + recipe.batch]


def rate_at(recipe: Recipe, step: int, total: int) -> float:
    """The learning rate of a step, counted from 0."""
    warm = max(round(total * WARM_UP), 1)
    if step < warm:
        return recipe.rate * (step + 1) / warm
    return recipe.rate * (total - step) / max(total - warm, 1)
