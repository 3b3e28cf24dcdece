"""What training takes of a device's memory, before anything is loaded.

The base weights; for each number of the adapter itself, its gradient and two moments; and what the
layers keep of each token until its gradient is known. An estimate: docs/tuning.md has it beside
what was measured.
"""

from repoqa.errors import ModelError
from repoqa.models.memory import gib
from repoqa.models.plan import Place
from repoqa.models.shape import Shape
from repoqa.tuning.recipe import Recipe

_FULL = 4  # bytes of a 32-bit number
_COPIES_OF_WEIGHT = 4  # the adapter's number, its gradient and the optimizer's two moments
# Kept of a token in each layer: the norms, the inputs of seven adapters with their dropout, the
# attention's parts; the gate's and their product's inner numbers.
_HIDDEN, _INNER = 18, 7
_LOGITS = 3  # as the model says them, their logarithms, and their gradient
# The libraries, and what of the weights' file is in memory while it is read: with it, SmolLM2 135M
# is said to take 2.2 GiB at 320 tokens and took 2.3 (docs/tuning.md).
_RUNTIME = 800 * 2**20


def training_bytes(shape: Shape, parameters: int, recipe: Recipe, *, bits: int) -> int:
    """The bytes that training a model of so many parameters takes, in numbers of that width."""
    width = bits // 8
    hidden, inner = shape.hidden_size, shape.intermediate_size
    heads = shape.head_size * (shape.num_attention_heads + shape.key_value_heads)
    layers = shape.num_hidden_layers
    # Query and output, key and value; gate, up and down: each from one size to another.
    ends = 4 * hidden + 2 * heads + 3 * (hidden + inner)
    adapter = layers * recipe.rank * ends * _FULL * _COPIES_OF_WEIGHT
    kept = layers * (_HIDDEN * hidden + _INNER * inner) * width
    logits = shape.vocab_size * _FULL * _LOGITS // 2  # of half a length: the rest is the prompt
    return parameters * width + adapter + recipe.length * (kept + logits) + _RUNTIME


def refuse_too_large(shape: Shape, parameters: int, recipe: Recipe, *, place: Place) -> str:
    """What training takes, in words. Raises ModelError where the place has less."""
    needed = training_bytes(shape, parameters, recipe, bits=place.bits)
    if place.free is not None and needed > place.free:
        raise ModelError(
            f"training {recipe.model} with {recipe.length:,} tokens an example takes about "
            f"{gib(needed)} of memory, {place.words} has {gib(place.free)} free",
            remedy="Train with a smaller --length, a smaller model, or on a larger machine.",
        )
    return f"training takes about {gib(needed)} of memory on {place.words}"
