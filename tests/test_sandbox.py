"""Hostile programs, run in the sandbox and nowhere else: each is contained."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Unprivileged

from repoqa.errors import JobError
from repoqa.evaluation.sandbox import MIB, Limits, Sandbox

# Little processor time, and wall time for a busy machine: who waits for it has a limit of its own.
LIMITS = Limits(
    cpu_seconds=1,
    wall_seconds=60,
    memory_bytes=256 * MIB,
    file_bytes=2 * MIB,
    folder_bytes=4 * MIB,
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(limits=LIMITS) as opened:
        if opened.is_weak:
            pytest.skip(f"this system does not allow {opened.missing}")
        yield opened


@pytest.fixture
def impatient(sandbox: Sandbox) -> Iterator[Sandbox]:
    """One that waits for a second."""
    with Sandbox(limits=replace(LIMITS, wall_seconds=1), slot=2) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a program did, the next one runs, and no process of its own is left."""
    yield
    if "sandbox" in request.fixturenames:
        sandbox = request.getfixturevalue("sandbox")
        assert sandbox.run("assert 1 + 1 == 2").passed
        assert strangers() == []


def strangers() -> list[str]:
    """The processes of the users that programs run as."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid >= 3_000_000_000:
                found.append((process / "cmdline").read_text())
        except OSError:
            continue
    return found


def reached(sandbox: Sandbox, program: str) -> Any:
    """What a program has in `result` at its end."""
    reason = sandbox.run(f"{program}\nraise Exception(repr(result))").reason
    assert reason.startswith("Exception: "), reason
    return eval(reason.removeprefix("Exception: "))


def test_a_program_that_ends_has_passed_and_one_that_fails_says_why(sandbox: Sandbox) -> None:
    for program, reason in (
        ("x = 1", ""),
        ("assert 1 == 2, 'not so'", "AssertionError: not so"),
        ("assert 1 == 2", "AssertionError"),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("print(unknown)", "NameError: name 'unknown' is not defined"),
        ("def f(): return f()\nf()", "RecursionError: maximum recursion depth exceeded"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("import os; os._exit(0)", "ended before its last test"),
        ("import os; os.abort()", "killed by SIGABRT"),
    ):
        assert sandbox.run(program).reason == reason, program


def test_a_program_runs_as_if_it_were_the_first(sandbox: Sandbox) -> None:
    sandbox.run("import json, builtins; json.dumps = None; builtins.len = None; open('left', 'w')")
    assert sandbox.run("import json, os; json.dumps(len(os.listdir())); assert not os.listdir()")


def test_an_endless_loop(sandbox: Sandbox) -> None:
    assert sandbox.run("while True: pass").reason == "out of time"


def test_endless_waiting(impatient: Sandbox) -> None:
    assert impatient.run("import time; time.sleep(1000)").reason == "out of time"


def test_a_fork_bomb(sandbox: Sandbox) -> None:
    assert not sandbox.run("import os\nwhile True:\n    os.fork()").passed
    count = "import os, time\nresult = 0\ntry:\n    while True:\n        if not os.fork():\n"
    count += "            time.sleep(100)\n        result += 1\nexcept BlockingIOError: pass"
    assert 10 < reached(sandbox, count) < LIMITS.processes


def test_a_bomb_of_threads(sandbox: Sandbox) -> None:
    program = "import threading, time\nwhile True:\n"
    program += "    threading.Thread(target=time.sleep, args=(100,)).start()"
    assert sandbox.run(program).reason == "RuntimeError: can't start new thread"


def test_ten_gigabytes_of_memory(sandbox: Sandbox) -> None:
    assert sandbox.run("x = bytearray(10 << 30)").reason == "out of memory"
    assert sandbox.run("x = []\nwhile True:\n    x.append('x' * 1000000)").reason == "out of memory"


def test_memory_in_many_processes(sandbox: Sandbox) -> None:
    """Each is below its limit; together they are not."""
    program = "import os, time\nfor _ in range(20):\n    if not os.fork():\n"
    program += "        x = b'x' * (60 << 20)\n        time.sleep(100)\ntime.sleep(100)"
    assert sandbox.run(program).reason == "out of memory"


def test_memory_that_no_process_counts(sandbox: Sandbox) -> None:
    program = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    program += "result = libc.shmget(0, 1 << 20, 0o1600)"
    assert reached(sandbox, program) == -1


def test_writing_outside_the_folder(sandbox: Sandbox, tmp_path: Path) -> None:
    places = ["/", "/usr", "/usr/lib", "/etc", "/dev", "/proc/sys/kernel/hostname", "/bin"]
    program = f"import os\nresult = []\nfor place in {places!r}:\n    try:\n"
    program += "        open(place + '/x' if os.path.isdir(place) else place, 'w')\n"
    program += "        result.append(place)\n    except OSError: pass"
    assert reached(sandbox, program) == []
    outside = tmp_path / "x"
    assert sandbox.run(f"open({str(outside)!r}, 'w')").reason.startswith("FileNotFoundError")
    assert not outside.exists()
    inside = "open('x', 'w').write('y'); open('/tmp/z', 'w'); import os; result = os.listdir()"
    assert sorted(reached(sandbox, inside)) == ["x", "z"]


def test_escaping_from_the_root(sandbox: Sandbox) -> None:
    program = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nresult = [\n"
    program += "    libc.mount(b'none', b'/', None, 32 | 4096, None),\n"
    program += "    libc.umount2(b'/proc', 2), libc.chroot(b'/work'), libc.setuid(0),\n"
    program += "    libc.unshare(0x20000), libc.ptrace(16, 1, 0, 0)]"
    assert reached(sandbox, program) == [-1] * 6
    up = "import os\nos.chdir('/' + '../' * 20)\nresult = os.getcwd()"
    assert reached(sandbox, up) == "/"


def test_reading_the_home_folder(sandbox: Sandbox) -> None:
    real = os.path.expanduser("~root")  # noqa: PTH111
    program = "import os\nresult = []\n"
    program += f"for place in ({real!r}, '/home', {os.environ['HOME']!r}, {str(Path.cwd())!r}):\n"
    program += "    for folder, inner, names in os.walk(place):\n"
    program += "        result += [os.path.join(folder, name) for name in names]\n"
    # This Python's own folder may be there, and nothing else.
    program += f"        inner[:] = [] if folder == {sys.base_prefix!r} else inner\n"
    program += f"result = [name for name in result if not name.startswith({sys.base_prefix!r})]"
    assert reached(sandbox, program) == []
    for file in ("/etc/passwd", "/etc/shadow", "/var", "/root/.ssh", "/sys", "/run"):
        assert sandbox.run(f"import os; assert not os.path.exists({file!r})").passed, file


def test_the_environment_is_empty(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPOQA_API_KEY", "secret")
    with Sandbox(limits=LIMITS, slot=7) as other:
        program = "import os\ntry:\n    started_with = open('/proc/self/environ').read()\n"
        program += (
            "except OSError:\n    started_with = ''\nresult = [dict(os.environ), started_with]"
        )
        environment, started_with = reached(other, program)
    assert set(environment) <= {"LC_CTYPE"}
    assert started_with == ""


def test_opening_a_socket(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        program = f"import socket; socket.create_connection(('127.0.0.1', {port}), timeout=1)"
        assert sandbox.run(program).reason.startswith("OSError: [Errno ")
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    for address in ("192.0.2.1", "8.8.8.8"):
        program = f"import socket; socket.create_connection(({address!r}, 53), timeout=1)"
        assert sandbox.run(program).reason == "OSError: [Errno 101] Network is unreachable"


def test_killing_its_parent(sandbox: Sandbox) -> None:
    kill = "import os, signal\nresult = []\nfor process in (os.getppid(), 1, -1):\n    try:\n"
    kill += "        os.kill(process, signal.SIGKILL)\n        result.append(process)\n"
    kill += "    except OSError: pass"
    assert set(reached(sandbox, kill)) <= {-1, 1}  # sent, and not heard by the first process
    # Nothing but its own can be seen, so nothing else can be named.
    program = "import os\nresult = [name for name in os.listdir('/proc') if name.isdigit()]"
    assert reached(sandbox, program) == ["1", "2"]


def test_ignoring_signals(sandbox: Sandbox, impatient: Sandbox) -> None:
    program = "import signal, time\nfor number in range(1, 65):\n    try:\n"
    program += "        signal.signal(number, signal.SIG_IGN)\n    except (OSError, ValueError):\n"
    program += "        pass\nwhile True:\n    "
    assert impatient.run(f"{program}time.sleep(1)").reason == "out of time"
    assert not sandbox.run(f"{program}pass").passed


def test_filling_the_disk(sandbox: Sandbox) -> None:
    one = "f = open('x', 'wb')\nwhile True:\n    f.write(b'x' * 100000)"
    assert sandbox.run(one).reason == "OSError: [Errno 27] File too large"
    many = "n = 0\nwhile True:\n    n += 1\n    open(str(n), 'wb').write(b'x' * 1000000)"
    assert sandbox.run(many).reason == "OSError: [Errno 28] No space left on device"


def test_leaving_processes_behind(sandbox: Sandbox) -> None:
    """Daemons with sessions of their own, whose parents are gone: the program itself has passed."""
    program = "import os, time\nfor _ in range(3):\n    if not os.fork():\n        os.setsid()\n"
    program += (
        "        if not os.fork():\n            while True: time.sleep(1)\n        os._exit(0)\n"
    )
    began = time.monotonic()
    assert sandbox.run(program).passed
    assert time.monotonic() - began < LIMITS.wall_seconds


def test_closing_its_output(sandbox: Sandbox) -> None:
    program = "import os, sys\nsys.stdout.close(); sys.stderr.close()\nos.closerange(0, 3)\n"
    assert sandbox.run(f"{program}assert True").passed
    everything = "import os\nos.closerange(0, 1000)\n"
    assert not sandbox.run(f"{everything}assert False").passed


def test_huge_output(sandbox: Sandbox) -> None:
    assert sandbox.run("print('x' * 100_000_000)\nprint('y' * 100_000_000)").passed
    assert len(sandbox.run("raise Exception('x' * 1_000_000)").reason) < 1000


def test_claiming_to_have_passed(sandbox: Sandbox) -> None:
    """What a program writes into whatever it finds open is not taken for its verdict."""
    program = "import os\nfor number in range(64):\n    try:\n"
    program += (
        '        os.write(number, b\'{"reason": ""}\\n\')\n    except OSError: pass\nos._exit(0)'
    )
    assert not sandbox.run(program).passed


def test_the_jail_goes_with_whoever_asked() -> None:
    """A program still runs when the process that waits for it is killed."""
    code = "from repoqa.evaluation.sandbox import Sandbox\nsandbox = Sandbox(slot=9)\n"
    code += "print(1, flush=True)\nsandbox.run('import time; time.sleep(1000)')"
    asking = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert asking.stdout is not None
    assert asking.stdout.read(1) == b"1"
    time.sleep(0.2)
    asking.kill()
    asking.communicate()
    until = time.monotonic() + 20
    while strangers() and time.monotonic() < until:
        time.sleep(0.05)
    assert strangers() == []


def test_sandboxes_run_side_by_side(sandbox: Sandbox) -> None:
    with Sandbox(limits=LIMITS, slot=1) as other:
        program = "import os\nresult = os.getuid()"
        if os.geteuid() == 0:
            assert reached(sandbox, program) != reached(other, program)


PROGRAMS: list[tuple[str, Callable[[str], bool]]] = [
    ("assert True", lambda reason: reason == ""),
    ("while True: pass", lambda reason: reason == "out of time"),
    ("x = bytearray(10 << 30)", lambda reason: reason == "out of memory"),
    ("import os\nwhile True: os.fork()", lambda reason: reason != ""),
    ("open('/usr/x', 'w')", lambda reason: "Error" in reason),
    ("open('x', 'w')", lambda reason: reason == ""),
]


def test_without_root_a_namespace_of_users_does_it(
    unprivileged: Unprivileged, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:  # whose own Python may lie where no other user gets to
        if not Path("/usr/bin/python3").exists():
            pytest.skip("there is no Python for other users")
        monkeypatch.setattr(sys, "_base_executable", "/usr/bin/python3")

    def reasons() -> tuple[tuple[str, ...], list[str]]:
        with Sandbox(limits=LIMITS) as own:
            programs = [
                *(program for program, _ in PROGRAMS),
                "import os; raise OSError(os.getuid())",
            ]
            return own.missing, [own.run(program).reason for program in programs]

    missing, found = unprivileged(open_folder, reasons)
    if any(each.startswith("namespaces") for each in missing):
        pytest.skip(f"this system does not allow {missing}")
    for (program, expected), reason in zip(PROGRAMS, found, strict=False):
        assert expected(reason), (program, reason)
    assert found[-1] == "OSError: 65534"


def test_what_is_not_enforced_is_told() -> None:
    """Without namespaces the limits hold, and nothing is left, but more can be seen."""
    with Sandbox(limits=LIMITS, namespaces=False, slot=11) as weak:
        first, *rest = weak.missing
        assert first.startswith("namespaces (they are switched off): programs reach the network")
        kinds = ("all processes together", "System V shared memory")
        assert rest == [f"a limit on the memory of {kind}" for kind in kinds]
        for program, expected in PROGRAMS:
            reason = weak.run(program).reason
            assert expected(reason), (program, reason)
        left = "import os, time\nif not os.fork():\n    os.setsid()\n    time.sleep(1000)"
        assert weak.run(left).passed
        assert strangers() == []


def test_a_jail_that_is_gone_is_told() -> None:
    broken = Sandbox(limits=LIMITS, slot=12)
    broken._jail.kill()
    broken._jail.wait()
    with pytest.raises(JobError, match="has ended"):
        broken.run("x = 1")
    broken.close()
    assert broken._jail.stdin is not None
    assert broken._jail.stdin.closed
