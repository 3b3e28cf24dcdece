"""Runs programs that nobody trusts, each in a jail of its own. A script of its own.

It reads one request a line from standard input and answers each with a line: programs run one after
the other, in processes forked from this one, which has loaded nothing but what it needs and never
runs a program itself. A jailed program sits below two processes: the keeper, which enters new
namespaces, and the keeper's child, which is the first process there, makes the file system, waits,
and takes everything with it when it ends (pid_namespaces(7), pivot_root(2)).
"""

import contextlib
import json
import os
import secrets
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from repoqa.evaluation.jail import linux, watch
else:  # a script's folder is where its modules are
    import linux
    import watch

GRACE_SECONDS = 2.0  # after the wall limit, for the jail itself
REPORT_BYTES = 65536


def serve() -> None:
    """Answer requests until there are none."""
    linux.adopt_orphans()
    requests = sys.stdin.buffer
    while line := requests.readline():
        report = contain(json.loads(line), requests.fileno())
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()


def contain(request: dict[str, Any], requests: int) -> dict[str, Any]:
    """Run one program and tell what became of it; `requests` closes when nobody waits any more."""
    folder = tempfile.mkdtemp(prefix="repoqa-jail-")
    report, told = os.pipe()
    keeper = os.fork()
    if keeper == 0:
        os.close(report)
        _never_returning(keep, request, folder, told)
    os.close(told)
    try:
        content = _read(report, requests, seconds=request["wall_seconds"] + GRACE_SECONDS)
    finally:
        os.close(report)
        os.kill(keeper, signal.SIGKILL)  # not waited for yet, so the number is still its own
        if not request["namespaces"]:  # else all go with the first process
            watch.kill_rest(linux.free_user(request["slot"]))
        _wait_for_all()
        shutil.rmtree(folder, ignore_errors=True)
    if content is None:
        return {"reason": watch.TIME}
    return json.loads(content) if content else {"reason": watch.ENDED}


def _read(report: int, requests: int, *, seconds: float) -> bytes | None:
    """What the jail tells, until it closes the pipe; None where time is up."""
    content, ends = b"", time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        ready, _, _ = select.select([report, requests], [], [], left)
        if requests in ready:  # nothing is asked while a program runs: it is closed
            return None
        if report in ready:
            chunk = os.read(report, REPORT_BYTES)
            if not chunk:
                return content
            content += chunk
    return None


def _wait_for_all() -> None:
    """Wait until the jail is empty: its first process ends after all others, and then is ours."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _never_returning(work: Callable[..., None], *arguments: Any) -> None:
    """Run a forked process's work; whatever goes wrong, it must not go on as its parent would."""
    try:
        work(*arguments)
    finally:
        os._exit(1)


def keep(request: dict[str, Any], folder: str, told: int) -> None:
    """Enter new namespaces and wait for the first process in them."""
    os.setsid()
    linux.die_with_parent()
    try:
        if request["namespaces"]:
            linux.enter_namespaces()
    except (OSError, AttributeError) as error:
        _tell(told, {"setup": str(error)})
        return
    first = os.fork()
    if first == 0:
        linux.die_with_parent()
        _never_returning(supervise, request, folder, told)
    os.close(told)
    os.waitpid(first, 0)


def supervise(request: dict[str, Any], folder: str, told: int) -> None:
    """Prepare the jail, run the program, and tell how it ended."""
    user = linux.free_user(request["slot"])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # the first process of a namespace does not hear them
    try:
        unlimited = [linux.TOGETHER, linux.SHARED]
        if request["namespaces"]:
            unlimited = linux.make_file_system(folder, request["folder_bytes"], user)
        else:
            os.chdir(folder)
            if user is not None:
                os.chown(folder, user, linux.NOBODY)
    except (OSError, AttributeError) as error:
        _tell(told, {"setup": str(error)})
        return
    # A program that knew it could call itself passed: a random one has to be looked for.
    token = secrets.token_hex(16)
    verdict, said = os.pipe()
    os.set_blocking(verdict, False)
    program = os.fork()
    if program == 0:
        _never_returning(watch.run, request, user, (said, token, told))
    most_memory = None if linux.TOGETHER in unlimited else request["memory_bytes"]
    status = watch.watch(program, time.monotonic() + request["wall_seconds"], most_memory)
    reason = status if isinstance(status, str) else watch.judged(status, verdict, token)
    _tell(told, {"reason": reason, "unlimited": unlimited})


def _tell(told: int, report: dict[str, Any]) -> None:
    os.write(told, json.dumps(report).encode())
    os.close(told)


if __name__ == "__main__":
    serve()
