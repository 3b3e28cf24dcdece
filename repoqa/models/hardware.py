"""What a model could run on here, told without importing torch, which takes seconds.

Which device a model does run on is decided in `models/device.py`, by torch itself.
"""

import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from repoqa.models.profile import Dtype

_DRIVER_SECONDS = 10  # a driver that hangs is no reason for the caller to hang
_MIB = 2**20
_QUERY = ("--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits")
_CPUS = Path("/proc/cpuinfo")
_KERNEL_CARDS = Path("/proc/driver/nvidia/gpus")
_RUNTIMES = {"cuda": "CUDA", "hip": "ROCm"}


@dataclass(frozen=True, slots=True)
class Card:
    """A graphics card; its memory in bytes, None where only the driver's tool could tell."""

    name: str
    total: int | None = None
    free: int | None = None


@dataclass(frozen=True, slots=True)
class Torch:
    """The installed PyTorch. `runtime` is what its build drives cards with, "" for nothing."""

    version: str
    runtime: str


def cards() -> tuple[Card, ...]:
    """The NVIDIA cards that the driver tells of."""
    return tuple(_asked()) or tuple(_listed_by_kernel())


def multiplies_bf16() -> bool:
    """Whether this CPU multiplies bf16 numbers itself, as far as Linux tells."""
    return bool({"avx512_bf16", "amx_bf16"} & _cpu_words())


def unpacks_half() -> bool:
    """Whether this CPU can keep weights in fp16 and compute in fp32, as far as Linux tells."""
    return {"avx2", "fma", "f16c"} <= _cpu_words()


def cpu_numbers(stored: str, wanted: Dtype, *, multiplies: bool) -> Dtype:
    """The type of number that a CPU computes in, for weights that are `stored` as that type.

    bf16 only where the CPU `multiplies` it itself: without, it reads 16 times slower than fp32.
    """
    if wanted != "auto":
        return wanted
    return "bfloat16" if multiplies and stored.endswith("16") else "float32"


def _cpu_words() -> set[str]:
    try:
        return set(_CPUS.read_text(errors="replace").split())
    except OSError:
        return set()


def has_apple_gpu() -> bool:
    """Whether this is a Mac whose GPU torch can use."""
    return platform.system() == "Darwin" and platform.machine() == "arm64"


def installed(package: str) -> str:
    """The version of an installed Python package, "" where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def torch_build() -> Torch | None:
    """The installed PyTorch, from the file that every build of it carries."""
    found = find_spec("torch")
    if found is None or found.origin is None:
        return None
    try:
        text = (Path(found.origin).parent / "version.py").read_text(encoding="utf-8")
    except OSError:
        text = ""
    runtimes = re.findall(r"^(cuda|hip)\b[^=]*= '([^']+)'", text, re.MULTILINE)
    return Torch(installed("torch"), " ".join(f"{_RUNTIMES[kind]} {v}" for kind, v in runtimes))


def _asked() -> Iterator[Card]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return
    try:
        done = subprocess.run(
            [tool, *_QUERY], capture_output=True, timeout=_DRIVER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    for line in done.stdout.decode("utf-8", "replace").splitlines() if not done.returncode else ():
        name, *sizes = (part.strip() for part in line.split(","))
        total, free = (
            int(size) * _MIB if size.isdigit() else None for size in (*sizes, "", "")[:2]
        )
        yield Card(name, total, free)


def _listed_by_kernel() -> Iterator[Card]:
    for path in sorted(_KERNEL_CARDS.glob("*/information")):
        try:
            found = re.search(r"^Model:\s*(.+)$", path.read_text(errors="replace"), re.MULTILINE)
        except OSError:
            continue
        if found:
            yield Card(found[1].strip())
