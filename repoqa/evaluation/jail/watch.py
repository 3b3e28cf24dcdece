"""The program of a jail: run in it, waited for, and judged by how it ended."""

import contextlib
import os
import resource
import signal
import sys
import time
import traceback
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from repoqa.evaluation.jail.linux import give_up_rights
else:  # a script's folder is where its modules are
    from linux import give_up_rights

OPEN_FILES = 64
# Seconds between two looks at a program: short ones end soon, long ones are not to cost anything.
FIRST_LOOK, LONGEST_LOOK = 0.001, 0.02
ERROR_CHARACTERS = 300
KIBI = 1024
PROPORTIONAL = 10  # the word of smaps_rollup (proc_pid_smaps(5)) that is `Pss`, in KiB
VERDICT_BYTES = 65536
PASSED, TIME, MEMORY, ENDED = "", "out of time", "out of memory", "ended before its last test"


def run(request: dict[str, Any], user: int | None, ends: tuple[int, str, int]) -> None:
    """Give up every right, run the program, and say that it came to its end."""
    said, token, told = ends
    os.close(told)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.closerange(3, said)
    os.closerange(said + 1, OPEN_FILES)
    _limit(request)
    give_up_rights(user)
    del sys.path[0]  # the jail's own
    module = types.ModuleType("program")
    sys.modules["program"] = module
    reason, own = PASSED, os.getpid()
    try:
        exec(compile(request["program"], "program.py", "exec"), module.__dict__)
    except MemoryError:
        reason = MEMORY
    except BaseException as error:
        lines = "".join(traceback.format_exception_only(error)).strip().splitlines()
        reason = lines[-1][:ERROR_CHARACTERS] if lines else type(error).__name__
    if os.getpid() == own:  # a process that it forked comes to this end as well
        os.write(said, f"{token}{reason}".encode(errors="replace"))
    os._exit(0)


def _limit(request: dict[str, Any]) -> None:
    cpu = request["cpu_seconds"]
    for name, limits in (
        ("RLIMIT_AS", (request["memory_bytes"],) * 2),
        ("RLIMIT_NPROC", (request["processes"],) * 2),
        ("RLIMIT_CPU", (cpu, cpu + 1)),
        ("RLIMIT_FSIZE", (request["file_bytes"],) * 2),
        ("RLIMIT_NOFILE", (OPEN_FILES,) * 2),
        ("RLIMIT_CORE", (0, 0)),
        ("RLIMIT_MSGQUEUE", (0, 0)),
        ("RLIMIT_MEMLOCK", (0, 0)),
    ):
        with contextlib.suppress(AttributeError, ValueError, OSError):  # not every system has all
            resource.setrlimit(getattr(resource, name), limits)


def watch(program: int, ends: float, most_memory: int | None) -> int | str:
    """Wait for the program: its exit status, or why it was not waited for any longer."""
    look = FIRST_LOOK
    while time.monotonic() < ends:
        finished, status = os.waitpid(-1, os.WNOHANG)
        if finished == program:
            return status
        if most_memory is not None and _takes_more(most_memory):
            return MEMORY
        if not finished:
            time.sleep(look)
            look = min(2 * look, LONGEST_LOOK)
    return TIME


def _takes_more(most: int) -> bool:
    """Whether the jail's processes, this one apart, have more than so many bytes in memory."""
    processes = [each for each in Path("/proc").glob("[0-9]*") if each.name != "1"]
    resident = sum(_number(each / "statm", 1) for each in processes)
    if resident * resource.getpagesize() <= most:
        return False
    # Forked processes share what none of them has changed, which counts once here.
    rollup = (each / "smaps_rollup" for each in processes)
    return KIBI * sum(_number(each, PROPORTIONAL) for each in rollup) > most


def _number(file: Path, place: int) -> int:
    """A number in a file of /proc by its place among the words; 0 for a process that is gone."""
    try:
        return int(file.read_text().split()[place])
    except (OSError, IndexError, ValueError):
        return 0


def judged(status: int, verdict: int, token: str) -> str:
    """Why an ended program has not passed; "" where it has."""
    said = b""
    with contextlib.suppress(BlockingIOError):
        said = os.read(verdict, VERDICT_BYTES)
    if said.startswith(token.encode()):
        return said.removeprefix(token.encode()).decode()
    if not os.WIFSIGNALED(status):
        return ENDED
    number = os.WTERMSIG(status)
    return TIME if number == signal.SIGXCPU else f"killed by {signal.Signals(number).name}"


def kill_rest(user: int | None) -> None:
    """End what a program without a namespace of its own has left behind."""
    if user is not None:
        killer = os.fork()
        if killer == 0:
            with contextlib.suppress(OSError):
                os.setresuid(user, user, user)
                os.kill(-1, signal.SIGKILL)  # all of that user's, but for the one that asks
            os._exit(0)
        os.waitpid(killer, 0)
        return
    while children := _children():
        for child in children:
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGKILL)
        for child in children:
            with contextlib.suppress(OSError):
                os.waitpid(child, 0)


def _children() -> list[int]:
    """Our own children: as a subreaper, all that a program started become so in the end."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            found += [int(process.name)] if int(parent) == os.getpid() else []
    return found
