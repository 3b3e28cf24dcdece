"""Which device a model runs on here, and in which numbers."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Device:
    """A device as torch names it, `words` for messages, and the type of number to compute in."""

    name: str
    words: str
    dtype: torch.dtype

    def free_memory(self) -> int | None:
        """Its free bytes; None where it shares the machine's."""
        if self.name != "cuda":
            return None
        free: int = torch.cuda.mem_get_info()[0]
        return free


def choose_device(*, stored: str) -> Device:
    """The fastest device here, for weights that are `stored` as that type (`bfloat16`)."""
    if torch.cuda.is_available():
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return Device("cuda", "the GPU", dtype)
    if torch.backends.mps.is_available():
        return Device("mps", "this machine", torch.float16)
    return Device("cpu", "this machine", _cpu_numbers(stored))


def _cpu_numbers(stored: str) -> torch.dtype:
    """bf16 only where the CPU multiplies it itself: without, it reads 16 times slower than fp32."""
    multiplies = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if multiplies and stored.endswith("16") else torch.float32
