"""A disk without room, and a log without end."""

import contextlib
import os
import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from commands import ANSWER, QUESTION, SHOP, command, environment, repoqa, write_profile
from conftest import RepositoryMaker

DISK = "size=64k,nr_inodes=64"


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    write_profile("reciter", ANSWER)
    return make_repository(SHOP)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Where `on_disk` mounts a small disk; skips where that is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    tried = on_disk(folder, "true", full=False)
    if tried.returncode:
        reason = tried.stderr.decode(errors="replace").strip() or "unshare failed"
        pytest.skip(f"a file system cannot be mounted here: {reason}")
    return folder


def on_disk(
    folder: Path, line: str, *, full: bool, where: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a shell line with a small disk at `folder`, which no other process sees."""
    mounted = f"mount -t tmpfs -o {DISK} none {shlex.quote(str(folder))}"
    filled = f"! head -c 1M /dev/zero 2>/dev/null >{shlex.quote(str(folder / 'filler'))}"
    script = " && ".join([mounted, *([filled] if full else []), line])
    with contextlib.suppress(FileNotFoundError):
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", script],
            cwd=where,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
    return subprocess.CompletedProcess([], 127, b"", b"there is no unshare command")


@pytest.mark.parametrize("full", [False, True])
def test_a_cache_without_room_costs_time_alone(shop: Path, disk: Path, full: bool) -> None:
    for number in range(60):  # more than the small disk holds
        body = "".join(f"def log_in_{number}_{n}():\n    return {n}\n" for n in range(40))
        (shop / f"module_{number}.py").write_text(body)
    usual = repoqa("pack", QUESTION, where=shop)
    line = shlex.join(command("pack", QUESTION))
    twice = f"{line} >/dev/null && {line}"
    done = on_disk(disk, twice, full=full, where=shop, REPOQA_CACHE_DIR=str(disk / "cache"))
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
    assert done.stdout.decode() == usual.stdout


def test_a_full_disk_costs_the_follow_up_and_the_user_is_told(shop: Path, disk: Path) -> None:
    line = shlex.join(command("ask", "--model", "reciter", QUESTION))
    done = on_disk(disk, line, full=True, where=shop, XDG_STATE_HOME=str(disk))
    assert done.returncode == 0, done.stderr
    assert b"The cause is in `strengthen`" in done.stdout
    told = done.stderr.decode().splitlines()[-1]
    assert told.startswith("repoqa: this answer cannot be continued with -c: ")
    assert told.endswith("cannot be written (No space left on device)")


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_output_that_finds_no_room_is_no_bug_of_ours(
    shop: Path, disk: Path, flags: tuple[str, ...]
) -> None:
    line = shlex.join(command("pack", QUESTION, *flags))
    file = shlex.quote(str(disk / "context.md"))
    done = on_disk(disk, f"{line} >{file}", full=True, where=shop)
    assert (done.returncode, done.stderr.decode()) == (
        3,
        "repoqa: the output cannot be written: No space left on device\n"
        "Make room, or write it elsewhere.\n",
    )


LOG_LINE = "2024-05-06 07:08:09 INFO  request {number} was answered in 12 ms by worker 3"
LOG_BYTES = 200_000_000
FAILURE = "PermissionError: wrong password"
# Reading 32 MB as bytes, as text and without escapes, and the command itself.
MOST_MEMORY = 700_000_000


@pytest.mark.slow
def test_a_log_of_200_megabytes(shop: Path) -> None:
    """Through a real pipe, which its writer can write to the end: the table, the log's share, what
    was cut; in bounded memory."""
    writer = (
        "import sys\n"
        f"print({FAILURE!r})\n"
        f"line = {LOG_LINE + chr(10)!r}\n"
        f"for number in range({LOG_BYTES} // len(line)):\n"
        "    sys.stdout.write(line.format(number=number))\n"
    )
    log = subprocess.Popen(
        [sys.executable, "-c", writer], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with log, pytest.MonkeyPatch.context() as patch:
        patch.chdir(shop)
        done = subprocess.run(
            command("pack", "--explain", QUESTION),
            env=environment(),
            stdin=log.stdout,
            capture_output=True,
            timeout=120,
            check=False,
            preexec_fn=_limit_memory,
        )
        assert log.stdout
        log.stdout.close()
    assert done.returncode == 0, done.stderr
    table = done.stdout.decode()
    row = re.search(
        r"^log +([\d,]+)  given, cut to a quarter: ([\d,]+) of ([\d,]+) lines", table, re.M
    )
    assert row, table
    tokens, cut, lines = (int(number.replace(",", "")) for number in row.groups())
    assert 500 < tokens <= 4096 // 4
    assert lines > 300_000
    assert lines - cut < 200
    assert b"only the first 32 MB of the input are read" in done.stderr


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
    os.nice(5)
