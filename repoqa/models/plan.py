"""What a model takes of a device's memory, and the most faithful way to run it that fits.

Needed are the weights; for each token of prompt and answer a key and a value in every layer for
every key-value head; and what one chunk of the prompt takes while it is computed. All in bytes,
and all known before anything is loaded: what cannot fit is never started.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from repoqa.errors import ModelError
from repoqa.models.memory import gib
from repoqa.models.shape import Shape

Bits: TypeAlias = Literal[32, 16, 8, 4]
FEW: tuple[Bits, ...] = (8, 4)
"""So many bits are no type of number of their own: what they mean is kept beside them."""
_BYTE = 8
_HALF: Bits = 16
# Tokens of a prompt read at once. A CPU reads as fast with 256 as with 2048 (measured), and reports
# oftener; an accelerator needs more of them to be busy.
CPU_CHUNK = 256
ACCELERATOR_CHUNK = 2048
GROUP = 64
"""Numbers of 8 or 4 bits share a scale in groups of this many: two numbers of 16 bits."""
_SCALE_BITS = 32
# The hidden state, its norm, the residual, and query, key, value and output of one layer.
_HIDDEN_COPIES = 8
_INNER_COPIES = 3  # gate, up and their product
# While transformers makes a mask there are three of truth values, one byte each, and then one of
# numbers; and torch itself takes this much in its first passes (tests/test_models_long_prompt.py).
_TRUTH_BYTES = 3
_RUNTIME = 32 * 2**20
_LOGITS = 4  # fp32, of the last position alone


@dataclass(frozen=True, slots=True)
class Setting:
    """How many bits a number of the weights and of the keys and values has; `offloaded` keys and
    values stay in the machine's memory and visit the device layer by layer."""

    weights: Bits
    cache: Bits
    offloaded: bool = False

    @property
    def words(self) -> str:
        """`16-bit weights, 8-bit keys and values`."""
        where = " in the machine's memory" if self.offloaded else ""
        return f"{self.weights}-bit weights, {self.cache}-bit keys and values{where}"


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be run: a model, and the tokens of its prompt and of its answer together.

    `can_shrink` says that what runs it can hold weights, keys and values in 8 or 4 bits, and keys
    and values outside the device. `file` are the bytes of weights that are loaded as they lie in
    their file, as llama.cpp does, else 0.
    """

    shape: Shape
    parameters: int
    tokens: int
    can_shrink: bool = True
    file: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where to run it. `free` is None where that is not known; `chunk` is how many tokens of the
    prompt are read at once; `bits` are those of the numbers it computes with; `host_free` is the
    machine's memory, where the place is a device of its own. `keeps_half`: weights have 16 bits
    there, whatever is computed with. `is_cpu`: weights of fewer bits are multiplied as they are,
    and all chunks share one mask; elsewhere, one layer at a time is made whole."""

    words: str
    free: int | None
    chunk: int
    bits: Bits = 16
    host_free: int | None = None
    keeps_half: bool = False
    is_cpu: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """What the weights, the keys and values and the work itself take of the place; `host` is taken
    of the machine's memory beside it."""

    weights: int
    cache: int
    working: int
    host: int = 0

    @property
    def total(self) -> int:
        """All that the place gives."""
        return self.weights + self.cache + self.working


@dataclass(frozen=True, slots=True)
class Choice:
    """The setting taken, what it needs, and why: one line for the user."""

    setting: Setting
    need: Need
    reason: str


def stored(numbers: int, bits: Bits) -> int:
    """The bytes of so many numbers, their scales included."""
    scale = _SCALE_BITS / GROUP if bits < _HALF else 0
    return int(numbers * (bits + scale) / _BYTE)


def need(work: Work, setting: Setting, place: Place) -> Need:
    """What `work` takes at `place`."""
    shape = work.shape
    cache = stored(work.tokens * shape.numbers_per_token, setting.cache)
    width = place.bits // _BYTE
    layer = 2 * work.tokens * shape.key_value_heads * shape.head_size * width
    largest = shape.hidden_size * max(shape.intermediate_size, shape.vocab_size)
    working = _activations(shape, work.tokens, place, width=width)
    if setting.cache < place.bits or setting.offloaded:
        working += layer
    if setting.weights < place.bits and not place.is_cpu:
        working += largest * width
    return Need(
        weights=work.file or _weights(work, setting, place),
        cache=0 if setting.offloaded else cache,
        working=working,
        host=cache if setting.offloaded else 0,
    )


def _weights(work: Work, setting: Setting, place: Place) -> int:
    shape = work.shape
    if place.keeps_half and setting.weights == _HALF:
        return shape.packed_half
    # A vocabulary that is read from both sides has 8 bits at least.
    both = shape.vocab_size * shape.hidden_size if shape.tie_word_embeddings else 0
    wider: Bits = 8 if setting.weights < 8 else setting.weights
    return stored(work.parameters - both, setting.weights) + stored(both, wider)


def _activations(shape: Shape, tokens: int, place: Place, *, width: int) -> int:
    """What one chunk takes at the prompt's end, with an attention that keeps no scores.

    The mask has a value for each token of the chunk and of the prompt. Where query heads share
    keys and values, a masked attention copies them for each head.
    """
    chunk = min(place.chunk, tokens)
    shared = chunk * (tokens + chunk) * width
    mask = shared if place.is_cpu else chunk * tokens * (_TRUTH_BYTES + width)
    shares = shape.key_value_heads < shape.num_attention_heads
    repeated = 2 * tokens * shape.num_attention_heads * shape.head_size * width if shares else 0
    inner = _INNER_COPIES * shape.intermediate_size + _HIDDEN_COPIES * shape.hidden_size
    return _RUNTIME + mask + repeated + chunk * inner * width + shape.vocab_size * _LOGITS


def settings(work: Work, place: Place) -> Iterator[Setting]:
    """The settings that the engine can run there, the most faithful first.

    8 bits lose next to nothing, 4 bits a little, in the weights before in the keys and values.
    Keys and values outside the device lose nothing, but each token waits for all of them.
    """
    if work.file:
        bits = work.file * _BYTE / work.parameters
        nearest: Bits = min((16, 8, 4), key=lambda known: abs(known - bits))
        yield Setting(nearest, _HALF)
        return
    whole = place.bits
    weights_whole = _HALF if place.keeps_half else whole
    orders: tuple[tuple[Bits, Bits], ...] = (
        *((weights_whole, whole), (weights_whole, 8), (8, whole), (8, 8)),
        *((4, whole), (4, 8), (4, 4)),
    )
    for weights, cache in orders if work.can_shrink else orders[:1]:
        yield Setting(weights, cache)
    if place.host_free is not None and work.can_shrink:
        for weights in (weights_whole, 8, 4):
            yield Setting(weights, whole, offloaded=True)


def choose(work: Work, place: Place, *, running: Setting | None = None) -> Choice:
    """The setting that is `running` where it fits, else the most faithful one that does.

    Raises ModelError, with the numbers, where none does.
    """
    known = list(settings(work, place))
    first = need(work, known[0], place)
    for setting in known if running is None else (running, *known):
        needed = need(work, setting, place)
        if not _fits(needed, place):
            continue
        reason = f"{setting.words} need {gib(needed.total)}"
        if place.free is not None:
            reason += f" of the {gib(place.free)} that are free on {place.words}"
        if setting != known[0]:
            reason += f"; {known[0].words} would need {gib(first.total)}"
        return Choice(setting, needed, reason)
    raise _too_large(work, place, known)


def longest(work: Work, place: Place, *, most: int) -> int:
    """The most tokens, up to `most`, with which `work` fits the place; 0 where nothing does."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        smaller = replace(work, tokens=middle)
        if any(_fits(need(smaller, each, place), place) for each in settings(work, place)):
            low = middle
        else:
            high = middle - 1
    return low


def _fits(needed: Need, place: Place) -> bool:
    beside = needed.host == 0 or (place.host_free is not None and needed.host <= place.host_free)
    return beside and (place.free is None or needed.total <= place.free)


def _too_large(work: Work, place: Place, known: Sequence[Setting]) -> ModelError:
    needs = [need(work, setting, place) for setting in known]
    least = min(needs, key=lambda needed: needed.total)
    words = known[needs.index(least)].words
    free = place.free or 0
    tokens = longest(work, place, most=work.tokens)
    smaller = f"a --budget {work.tokens - tokens:,} tokens smaller fits" if tokens else ""
    return ModelError(
        f"the model needs {gib(least.total)} of memory ({gib(least.weights)} for its weights, "
        f"{gib(least.cache)} for the prompt, {gib(least.working)} to work) even with {words}; "
        f"{place.words} has {gib(free)} free",
        remedy=f"{_capital(smaller) or 'Use a smaller model'}; or free some memory, or name a "
        "server with the profile `server`.",
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
