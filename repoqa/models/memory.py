"""What a model needs in memory, and what there is; all in bytes.

Needed are the weights, and for each token of prompt and answer a key and a value in every layer
for every key-value head: 2 x layers x heads x head size x bytes a number.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from pathlib import Path

import msgspec

from repoqa.errors import ModelError
from repoqa.models.shape import Shape

_GIB = 2**30
_KIB = 2**10
_HEADER_SIZE = 8  # a safetensors file begins with its header's length
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Need:
    """What the weights and the key-value cache take."""

    weights: int
    cache: int


def need(shape: Shape, files: Iterable[Path], *, tokens: int, width: int) -> Need:
    """What a checkpoint's `files` and `tokens` take at `width` bytes a number."""
    parameters = sum(map(_parameters, files))
    return Need(weights=parameters * width, cache=tokens * shape.numbers_per_token * width)


def refuse_if_over(needed: Need, available: int | None, *, where: str) -> None:
    """Raise ModelError, with the numbers, where the need is over what is available (if known)."""
    total = needed.weights + needed.cache
    if available is None or total <= available:
        return
    smaller = "ask with a smaller --budget" if needed.weights < available else "use a smaller model"
    raise ModelError(
        f"the model needs {gib(total)} of memory ({gib(needed.weights)} for its weights, "
        f"{gib(needed.cache)} for the prompt); {where} has {gib(available)} free",
        remedy=f"Free some, {smaller}, or name a server with the profile `server`.",
    )


def available_to_cpu() -> int | None:
    """The memory this process may still take without swapping; None where that is not told."""
    known = [size for size in (_free_in_machine(), _free_in_container()) if size is not None]
    return min(known, default=None)


def _free_in_machine() -> int | None:
    try:
        found = re.search(r"MemAvailable:\s+(\d+) kB", _MEMINFO.read_text())
    except OSError:
        return None
    return int(found[1]) * _KIB if found else None


def _free_in_container() -> int | None:
    """What is left of a control group's limit (cgroup v2), its reclaimable file cache included."""
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        used = int((_CGROUP / "memory.current").read_text())
        cached = re.search(r"^inactive_file (\d+)$", (_CGROUP / "memory.stat").read_text(), re.M)
    except (OSError, ValueError):
        return None
    return int(limit) - used + int(cached[1] if cached else 0) if limit != "max" else None


def _parameters(path: Path) -> int:
    """The numbers in a safetensors file, from its header (the format's README)."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_HEADER_SIZE), "little")
        if length > os.fstat(file.fileno()).st_size:
            raise ModelError(f"{path} is cut short", remedy="Download the model's files again.")
        tensors = msgspec.json.decode(file.read(length), type=dict[str, dict[str, object]])
    shapes = (tensor.get("shape") for tensor in tensors.values())
    return sum(prod(msgspec.convert(shape, list[int])) for shape in shapes if shape is not None)


def gib(size: int) -> str:
    """`7.9 GiB`."""
    return f"{size / _GIB:.1f} GiB"
