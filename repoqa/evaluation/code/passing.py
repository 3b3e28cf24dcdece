"""pass@k: how likely at least one of k samples passes (Chen et al. 2021, arXiv 2107.03374, eq. 1).

For a task of whose n samples c pass, the estimate without bias is 1 - C(n-c, k) / C(n, k).
"""

from collections.abc import Iterable
from math import comb
from statistics import mean


def pass_at(k: int, *, samples: int, passed: int) -> float:
    """A task's estimate. `k` is at most the number of samples."""
    return 1 - comb(samples - passed, k) / comb(samples, k)


def mean_pass_at(k: int, counts: Iterable[tuple[int, int]]) -> float | None:
    """The mean over tasks, each given as its samples and those that passed; None where no task has
    so many samples."""
    enough = [each for each in counts if each[0] >= k]
    return mean(pass_at(k, samples=n, passed=c) for n, c in enough) if enough else None
