"""What memory there is, what this process has taken of it, and how large weights are; in bytes."""

import os
import re
from collections.abc import Iterable
from math import prod
from pathlib import Path

import msgspec

from repoqa.errors import ModelError

GIB = 2**30
_KIB = 2**10
_HEADER_SIZE = 8  # a safetensors file begins with its header's length
_MEMINFO = Path("/proc/meminfo")
_STATUS = Path("/proc/self/status")
_STATM = Path("/proc/self/statm")
_CGROUP = Path("/sys/fs/cgroup")


def parameters(files: Iterable[Path]) -> int:
    """The numbers in a checkpoint's safetensors files."""
    return sum(map(_parameters, files))


def available_to_cpu() -> int | None:
    """The memory this process may still take without swapping; None where that is not told."""
    known = [size for size in (_free_in_machine(), _free_in_container()) if size is not None]
    return min(known, default=None)


def taken() -> int:
    """What this process holds of the machine's memory now; 0 where that is not told."""
    try:
        pages = int(_STATM.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def most_taken() -> int:
    """The most that this process has held at once; 0 where that is not told."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
    except OSError:
        return 0
    return int(found[1]) * _KIB if found else 0


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
        header = file.read(length)
    try:
        tensors = msgspec.json.decode(header, type=dict[str, dict[str, object]])
    except msgspec.DecodeError as error:
        raise ModelError(
            f"{path} is no safetensors file: {error}", remedy="Download the model's files again."
        ) from error
    shapes = (tensor.get("shape") for tensor in tensors.values())
    return sum(prod(msgspec.convert(shape, list[int])) for shape in shapes if shape is not None)


def gib(size: int) -> str:
    """`7.9 GiB`."""
    return f"{size / GIB:.1f} GiB"
