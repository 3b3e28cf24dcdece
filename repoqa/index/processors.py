"""How many processors this process may use: fewer than the machine has where it is bound to some
of them, and in most containers. A worker for each of the others would only take memory."""

import os
import sys
from collections.abc import Iterator
from math import ceil
from pathlib import Path

# Where Linux tells the limits of control groups, and which group this process is in.
CONTROL_GROUPS = Path("/sys/fs/cgroup")
OWN_GROUP = Path("/proc/self/cgroup")


def usable_processors() -> int:
    """Those that this process may run on, and no more than its control groups allow."""
    if sys.version_info >= (3, 13):
        bound = os.process_cpu_count() or 1
    elif sys.platform == "linux":
        bound = len(os.sched_getaffinity(0))
    else:
        bound = os.cpu_count() or 1
    return min([bound, *limits(CONTROL_GROUPS, OWN_GROUP)])


def limits(groups: Path, own: Path) -> Iterator[int]:
    """Each limit of a control group that this process is in, in processors, rounded up.

    `groups` is the folder of all groups, `own` the file that tells the process's. Of the first
    version of control groups only the outermost is looked at, which is a container's own.
    """
    yield from _limit(groups / "cpu" / "cpu.cfs_quota_us", groups / "cpu" / "cpu.cfs_period_us")
    folder = groups / _own_group(own).strip("/")
    for group in (folder, *folder.parents):
        if group.is_relative_to(groups):
            yield from _limit(group / "cpu.max")


def _own_group(own: Path) -> str:
    """The process's group in the second version; "" where there is none."""
    try:
        lines = own.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    return next((line.removeprefix("0::") for line in lines if line.startswith("0::")), "")


def _limit(*files: Path) -> Iterator[int]:
    """What the files say, a quota and its period; nothing where there is no limit."""
    try:
        quota, period = " ".join(file.read_text() for file in files).split()
        if int(quota) > 0:
            yield ceil(int(quota) / int(period))
    except (OSError, ValueError, ZeroDivisionError):  # no such group, or "max"
        return
