"""Which device a model runs on here, and in which numbers."""

from dataclasses import dataclass

import torch

from repoqa.models.half_linear import is_possible
from repoqa.models.hardware import cpu_numbers
from repoqa.models.memory import available_to_cpu
from repoqa.models.plan import ACCELERATOR_CHUNK, CPU_CHUNK, Bits, Place
from repoqa.models.profile import Dtype

_FULL_BYTES = 4


@dataclass(frozen=True, slots=True)
class Device:
    """A device as torch names it, `words` for messages, and the type of number to compute in.

    `keeps_half`: weights are kept in fp16 there all the same. `bits` are 8 or 4 for weights that
    are kept in fewer than that.
    """

    name: str
    words: str
    dtype: torch.dtype
    keeps_half: bool = False
    bits: Bits = 16

    @property
    def stored(self) -> torch.dtype:
        """The type of number that weights are loaded in."""
        return torch.float16 if self.keeps_half else self.dtype

    def free_memory(self) -> int | None:
        """Its free bytes; None where it shares the machine's."""
        if self.name != "cuda":
            return None
        free: int = torch.cuda.mem_get_info()[0]
        return free


def choose_device(*, stored: str, wanted: Dtype = "auto", packs: bool = False) -> Device:
    """The fastest device here, for weights that are `stored` as that type (`bfloat16`).

    `wanted` is the type of number to compute in, `auto` for the best that the device has. `packs`:
    the weights are not to be changed, and may be packed for it.
    """
    asked: torch.dtype | None = None if wanted == "auto" else getattr(torch, wanted)
    if torch.cuda.is_available():
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return Device("cuda", "the GPU", asked or dtype)
    if torch.backends.mps.is_available():
        return Device("mps", "this machine", asked or torch.float16)
    multiplies = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    numbers: torch.dtype = getattr(torch, cpu_numbers(stored, wanted, multiplies=multiplies))
    # A profile that asks for fp32 gets all of it.
    keeps_half = packs and asked is None and numbers == torch.float32 and is_possible()
    return Device("cpu", "this machine", numbers, keeps_half=keeps_half)


def place_of(device: Device) -> Place:
    """The device as memory is planned for it."""
    free = device.free_memory()
    return Place(
        device.words,
        free=available_to_cpu() if free is None else free,
        chunk=chunk_for(device.name),
        bits=32 if device.dtype.itemsize == _FULL_BYTES else 16,
        host_free=None if free is None else available_to_cpu(),
        keeps_half=device.keeps_half,
        is_cpu=device.name == "cpu",
    )


def chunk_for(device: str) -> int:
    """How many tokens of a prompt are read at once on a device of that name."""
    return CPU_CHUNK if device == "cpu" else ACCELERATOR_CHUNK
