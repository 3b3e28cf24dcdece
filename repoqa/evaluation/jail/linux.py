"""What Linux has to keep a program apart: namespaces, a file system of its own, rights given up.

See namespaces(7), user_namespaces(7), mount_namespaces(7), pivot_root(2) and capabilities(7). On
other systems these calls are missing, which is an AttributeError.
"""

import contextlib
import ctypes
import os
import sys
from pathlib import Path
from typing import Any

# linux/sched.h, linux/mount.h, linux/prctl.h, linux/capability.h
NEW_MOUNTS, NEW_UTS, NEW_IPC, NEW_USER = 0x20000, 0x4000000, 0x8000000, 0x10000000
NEW_PIDS, NEW_NETWORK = 0x20000000, 0x40000000
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXECUTION = 1, 2, 4, 8
REMOUNT, BIND, RECURSIVE, PRIVATE = 32, 4096, 16384, 1 << 18
NO_ACCESS_TIMES, NO_FOLDER_ACCESS_TIMES = 1024, 2048
DETACH = 2
PARENT_DEATH, BOUNDING_DROP, SUBREAPER, NO_NEW_PRIVILEGES = 1, 24, 36, 38
LAST_CAPABILITY, CAPABILITY_VERSION = 63, 0x20080522
KILLED = 9
# No user has it, so its processes are counted apart; programs side by side have one each.
FIRST_USER = 3_000_000_000
NOBODY = 65534
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
WORK = "/work"
TOGETHER, SHARED = "all processes together", "System V shared memory"

libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> None:
    """A function of the C library that returns 0. Raises OSError, and AttributeError where there is
    none of that name."""
    given = [item.encode() if isinstance(item, str) else item for item in arguments]
    if getattr(libc, name)(*given) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def enter_namespaces() -> None:
    """New ones for mounts, processes, network and the rest; of users too where we are not root."""
    own = (os.geteuid(), os.getegid())
    flags = NEW_MOUNTS | NEW_PIDS | NEW_NETWORK | NEW_IPC | NEW_UTS
    if own[0] == 0:
        call("unshare", flags)
        return
    call("unshare", flags | NEW_USER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {own[0]} 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {own[1]} 1")


def make_file_system(folder: str, size: int, user: int | None) -> list[str]:
    """A root with the system's programs to read, an empty folder to write, and nothing else.

    Returns what of the memory then is without a limit.
    """
    root, safe = Path(folder), NO_SUID | NO_DEVICES
    call("mount", "none", "/", None, RECURSIVE | PRIVATE, None)
    call("mount", "tmpfs", folder, "tmpfs", safe, "size=1m,mode=755")
    prefix = Path(sys.base_prefix).resolve()
    known = any(prefix.is_relative_to(path) for path in SYSTEM)
    for path in (*SYSTEM, *DEVICES, *(() if known else (str(prefix),))):
        _show(Path(path), root)
    for name in (WORK, "/proc", "/old"):
        (root / name[1:]).mkdir()
    if not (root / "tmp").exists():  # else this Python is below it
        (root / "tmp").symlink_to(WORK)
    call("mount", "tmpfs", folder + WORK, "tmpfs", safe, f"size={size},mode=700")
    if user is not None:
        os.chown(folder + WORK, user, NOBODY)
    unlimited = []
    try:
        call("mount", "proc", f"{folder}/proc", "proc", safe | NO_EXECUTION, None)
    except OSError:  # where a container hides parts of its own, no other one may be mounted
        unlimited.append(TOGETHER)
    try:
        (root / "proc/sys/kernel/shmall").write_text("0")
    except OSError:  # older kernels let nobody but root do so
        unlimited.append(SHARED)
    call("pivot_root", folder, f"{folder}/old")
    os.chdir("/")
    call("umount2", "/old", DETACH)
    Path("/old").rmdir()
    call("mount", "none", "/", None, REMOUNT | BIND | READ_ONLY | safe, None)
    os.chdir(WORK)
    return unlimited


def _show(path: Path, root: Path) -> None:
    """Make a file or folder of the system readable below the new root."""
    target = root / path.relative_to("/")
    if path.is_symlink():
        target.symlink_to(path.readlink())
        return
    if not path.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    call("mount", str(path), str(target), None, BIND | RECURSIVE, None)
    # A mount that came from outside keeps what it was restricted to, and this has to be repeated.
    kept = NO_EXECUTION | NO_ACCESS_TIMES | NO_FOLDER_ACCESS_TIMES
    flags = os.statvfs(target).f_flag & kept
    devices = 0 if str(path) in DEVICES else NO_DEVICES
    how = REMOUNT | BIND | READ_ONLY | NO_SUID | devices | flags
    call("mount", "none", str(target), None, how, None)


def free_user(slot: int) -> int | None:
    """Who programs run as where we are root: a user of their own, or nobody where a container has
    not so many. None where we are not root."""
    if os.geteuid() != 0:
        return None
    try:
        lines = Path("/proc/self/uid_map").read_text().splitlines()
        mapped = sum(int(line.split()[2]) for line in lines)
    except OSError:
        mapped = 0
    return FIRST_USER + slot if mapped > FIRST_USER + slot else NOBODY


def give_up_rights(user: int | None) -> None:
    """Become that user, and never again anything more."""
    if user is not None:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(user, user, user)
    with contextlib.suppress(OSError, AttributeError):  # only Linux has these
        call("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        # Root in a namespace of users has every capability there.
        for capability in range(LAST_CAPABILITY + 1):
            libc.prctl(BOUNDING_DROP, capability, 0, 0, 0)
        header, none = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
        call("capset", header, none)


def die_with_parent() -> None:
    """End when the process that forked this one does."""
    with contextlib.suppress(OSError, AttributeError):
        call("prctl", PARENT_DEATH, KILLED, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of what a program leaves behind."""
    with contextlib.suppress(OSError, AttributeError):
        call("prctl", SUBREAPER, 1, 0, 0, 0)
