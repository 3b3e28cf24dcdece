"""How many processors this process may use: fewer than the machine has where it is bound to some
of them, and in most containers. A worker for each of the others would only take memory."""

import os
import sys
from collections.abc import Iterator
from math import ceil
from pathlib import Path

# Where Linux tells a container's share: of the second version of control groups, and the first.
CONTROL_GROUPS = Path("/sys/fs/cgroup")


def usable_processors(groups: Path = CONTROL_GROUPS) -> int:
    """Those that this process may run on, and at most the share of its control group, rounded up.

    `groups` is the folder of the control groups.
    """
    if sys.platform == "linux":
        bound = len(os.sched_getaffinity(0))
    else:
        bound = os.cpu_count() or 1
    return min([bound, *_shares(groups)])


def _shares(groups: Path) -> Iterator[int]:
    """Each limit that there is, in processors."""
    whole = [groups / "cpu.max"]
    apart = [groups / "cpu" / name for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")]
    for files in (whole, apart):
        try:
            quota, period = " ".join(file.read_text() for file in files).split()
            if int(quota) > 0:
                yield ceil(int(quota) / int(period))
        except (OSError, ValueError):  # no such groups; "max" is no limit, and -1
            continue
