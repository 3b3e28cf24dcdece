"""Runs of rising numbers as the gaps between them, in few bytes: seven bits to a byte, the lowest
first, and the eighth bit says that more follow (LEB128). No loop runs over the numbers."""

import numpy as np
from numpy.typing import NDArray

BITS = 7
MORE = 1 << BITS
# Numbers that are packed at a time; what that takes beside them is some tens of megabytes.
AT_A_TIME = 1 << 20
Numbers = NDArray[np.int64]
Bytes = NDArray[np.uint8]


def pack_runs(numbers: NDArray[np.integer], starts: Numbers) -> tuple[Bytes, Numbers]:
    """The bytes of runs, the first of which starts at 0; and where those of each run start, with
    the end of the last. Each run rises from 0 at least."""
    parts: list[Bytes] = [np.zeros(0, np.uint8)]
    sizes = np.empty(len(numbers), np.uint8)
    for first in range(0, len(numbers), AT_A_TIME):
        some = numbers[first : first + AT_A_TIME].astype(np.int64)
        before = np.concatenate(([numbers[first - 1] if first else 0], some[:-1]))
        begins = starts[np.searchsorted(starts, first) :] - first
        before[begins[begins < len(some)]] = 0
        packed, sizes[first : first + len(some)] = _packed(some - before)
        parts.append(packed)
    ends = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
    return np.concatenate(parts), ends[np.append(starts, len(numbers))]


def unpack_run(packed: Bytes) -> Numbers:
    """The numbers of one run."""
    ends = np.flatnonzero(packed < MORE)
    starts = np.concatenate(([0], ends[:-1] + 1))
    if len(ends) == len(packed):  # small gaps alone, as those of common terms are
        return np.cumsum(packed, dtype=np.int64)
    places = np.arange(len(packed)) - np.repeat(starts, ends + 1 - starts)
    bits = (packed & (MORE - 1)).astype(np.int64) << (BITS * places)
    return np.cumsum(np.add.reduceat(bits, starts))


def _packed(values: Numbers) -> tuple[Bytes, Bytes]:
    """The bytes of some numbers, and how many each takes."""
    sizes = np.ones(len(values), np.uint8)
    longest = 1
    while (longer := values >= 1 << BITS * longest).any():
        sizes += longer
        longest += 1
    places = np.cumsum(sizes, dtype=np.int64) - sizes
    packed = np.empty(int(sizes.sum()), np.uint8)
    for byte in range(longest):
        held = np.flatnonzero(sizes > byte)
        bits = (values[held] >> BITS * byte) & (MORE - 1)
        packed[places[held] + byte] = bits + MORE * (sizes[held] > byte + 1)
    return packed, sizes
