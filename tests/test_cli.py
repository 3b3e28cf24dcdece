"""What every command does alike: bad input, exit codes, pipes and interrupts."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from commands import QUESTION, ROOT, SHOP, command, environment, repoqa, repoqa_process
from conftest import RepositoryMaker, git

from repoqa import __version__
from repoqa.cli.job import LONG_WAIT_SECONDS


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    return make_repository(SHOP)


def refused(*arguments: str, where: Path, code: int, **options: object) -> tuple[str, str]:
    """What went wrong and what to do, of a command that prints nothing else."""
    done = repoqa(*arguments, where=where, **options)  # type: ignore[arg-type]
    assert (done.code, done.stdout) == (code, ""), done
    message, remedy, *more = done.stderr.splitlines()
    assert more == []
    assert message.startswith("repoqa: ")
    return message.removeprefix("repoqa: "), remedy


def running_git() -> int:
    """How many git processes this one has started that have not ended."""
    listed = subprocess.run(["ps", "-A", "-o", "ppid=,comm="], stdout=subprocess.PIPE, check=True)
    rows = (line.split() for line in listed.stdout.decode().splitlines())
    return sum(row[:2] == [str(os.getpid()), "git"] for row in rows)


def test_an_error_leaves_nothing_running(shop: Path) -> None:
    """Git looks through the repository while the settings are read."""
    before, threads = dict(os.environ), threading.active_count()
    for _ in range(5):
        refused("pack", "--budget=much", QUESTION, where=shop, code=2)
        assert dict(os.environ) == before
        assert threading.active_count() == threads
        assert running_git() == 0


def test_a_folder_without_a_repository_is_told_before_a_log_is_waited_for(tmp_path: Path) -> None:
    reader, writer = os.pipe()  # nothing is ever written
    done = subprocess.run(
        command("pack", "-"),
        cwd=tmp_path,
        env=environment(),
        stdin=reader,
        capture_output=True,
        timeout=30,
    )
    os.close(reader)
    os.close(writer)
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.startswith(b"repoqa: no git repository at or above ")


def test_version(tmp_path: Path) -> None:
    done = repoqa("--version", where=tmp_path)
    assert (done.code, done.stderr) == (0, "")
    match = re.fullmatch(rf"repoqa {re.escape(__version__)}( \(([0-9a-f]{{10}})\))?\n", done.stdout)
    assert match
    if (ROOT / ".git").exists():
        assert git(ROOT, "rev-parse", "HEAD").startswith(match[2])


def test_no_command_is_a_call_for_help(tmp_path: Path) -> None:
    assert repoqa(where=tmp_path) == repoqa("--help", where=tmp_path)


def test_a_process_of_its_own_behaves_the_same(shop: Path) -> None:
    for arguments in (["pack", QUESTION], ["pack", QUESTION, "--rev", "v9"], ["asj"]):
        assert repoqa_process(*arguments, where=shop) == repoqa(*arguments, where=shop)


@pytest.mark.parametrize(
    ("arguments", "message", "remedy"),
    [
        (["aks"], "Did you mean 'ask'?", "repoqa --help"),
        (["ask", "--bugdet", "4k"], "--budget", "repoqa ask --help"),
        (["pack", QUESTION, "--budget", "lots"], "--budget: 'lots' is not a number", "13k"),
        (["pack", QUESTION, "--budget", "0"], "--budget: 0 tokens", "4k"),
        (["pack", QUESTION, "--model", "smolm"], "'smolm'", "smollm2-135m"),
        (["pack", QUESTION, "--budget", "10"], "10 tokens is too small", "--budget"),
        (["pack", QUESTION, "--log", "missing.txt"], "missing.txt cannot be read", "--log"),
        (["pack", "-", "--no-stdin"], "--no-stdin", "Leave out"),
        (["ask", QUESTION, "--budget", "200k"], "more than the", "smaller --budget"),
        (["ask"], "there is no question", "repoqa ask"),
        (["ask", "  "], "there is no question", "repoqa ask"),
    ],
)
def test_wrong_usage_is_told_in_two_lines(
    shop: Path, arguments: list[str], *, message: str, remedy: str
) -> None:
    said, advice = refused(*arguments, where=shop, code=2)
    assert message in said
    assert remedy in advice


def test_an_empty_pipe_is_no_question(shop: Path) -> None:
    said, _ = refused("ask", where=shop, code=2, stdin=b" \n")
    assert said == "there is no question"


def test_an_empty_question_on_a_terminal_does_not_wait(shop: Path) -> None:
    leader, follower = os.openpty()
    done = subprocess.run(
        command("ask"), cwd=shop, env=environment(), stdin=follower, capture_output=True, timeout=60
    )
    os.close(leader)
    os.close(follower)
    assert done.returncode == 2
    assert b"there is no question" in done.stderr


def test_a_binary_log_is_refused(shop: Path) -> None:
    said, _ = refused("pack", where=shop, code=2, stdin=b"\x7fELF\x00\x00\x01")
    assert "binary" in said


@pytest.mark.parametrize("name", ["ask", "pack"])
def test_outside_a_repository(tmp_path: Path, name: str) -> None:
    said, advice = refused(name, QUESTION, where=tmp_path, code=3)
    assert "no git repository" in said
    assert "--repo" in advice


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    said, _ = refused("pack", QUESTION, "--repo", "gone", where=tmp_path, code=3)
    assert "gone" in said


def test_an_empty_repository(make_repository: RepositoryMaker) -> None:
    root = make_repository({})
    assert refused("pack", QUESTION, where=root, code=3) == (
        f"nothing to read in {root}: it has no files",
        "Add files, or name another folder: --repo DIR",
    )


def test_a_repository_without_a_commit_is_read(make_repository: RepositoryMaker) -> None:
    root = make_repository({})
    (root / "login.py").write_text("def login():\n    return 1\n")
    done = repoqa("pack", "login", where=root)
    assert done.code == 0
    assert "def login" in done.stdout


def test_an_unknown_revision(shop: Path) -> None:
    said, _ = refused("pack", QUESTION, "--rev", "v9", where=shop, code=3)
    assert "v9" in said


def test_a_repository_of_another_owner(shop: Path) -> None:
    for path in (shop, *shop.rglob("*")):
        os.chown(path, 12345, 12345)
    said, advice = refused("pack", QUESTION, where=shop, code=3)
    assert "belongs to another user" in said
    assert "safe.directory" in advice


def test_unreadable_and_undecodable_files_are_listed_and_the_rest_is_read(shop: Path) -> None:
    (shop / "logo.png").write_bytes(b"\x89PNG\x00\x00")
    (shop / "latin.py").write_bytes(b"# caf\xe9\ndef login():\n    return 1\n")
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "--message=More")
    (shop / "shop" / "basket.py").unlink()
    done = repoqa("pack", "--json", "login", where=shop)
    assert done.code == 0
    assert '"path": "latin.py"' in done.stdout
    assert '"path": "logo.png"' in done.stdout.partition('"files_skipped"')[2]
    assert '"path": "shop/basket.py"' in done.stdout.partition('"files_skipped"')[2]


def test_a_closed_pipe_ends_quietly(shop: Path) -> None:
    for arguments in (["pack", QUESTION], ["pack", "--json", QUESTION], ["--help"]):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            command(*arguments),
            cwd=shop,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.PIPE,
        )
        os.close(writer)
        assert (done.returncode, done.stderr) == (0, b""), arguments


def waiting_for_input(where: Path) -> "subprocess.Popen[bytes]":
    """A process that has said that it waits for the rest of the question."""
    process = subprocess.Popen(
        command("pack", "-"),
        cwd=where,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr
    assert process.stderr.readline().startswith(b"repoqa: waiting")
    return process


def test_an_interrupt_while_waiting_for_input(shop: Path) -> None:
    process = waiting_for_input(shop)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout, stderr) == (130, b"", b"")


def test_an_edit_while_a_log_is_waited_for_is_seen(shop: Path) -> None:
    process = waiting_for_input(shop)
    (shop / "edited.py").write_text("def renewed():\n    return 'since then'\n")
    time.sleep(LONG_WAIT_SECONDS)
    stdout, _ = process.communicate(b"where is renewed defined?", timeout=30)
    assert process.returncode == 0
    assert b"since then" in stdout


def test_a_bug_leaves_a_log_and_says_where(shop: Path, own_environment: Path) -> None:
    script = (
        "import sys\n"
        "from repoqa.cli import app\n"
        "from repoqa.terminal.output import standard_output\n"
        "@app.app.command()\n"
        "def broken() -> None:\n"
        "    raise KeyError('surprise')\n"
        "sys.exit(app.run(['broken'], standard_output()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=shop, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 4
    message, advice = done.stderr.splitlines()
    assert message == "repoqa: this is a bug in repoqa, sorry"
    log = Path(advice.partition(": ")[2])
    assert log.parent == own_environment / ".local" / "state" / "repoqa"
    content = log.read_text()
    assert "KeyError: 'surprise'" in content
    assert __version__ in content
    assert "['broken']" in content


def test_a_command_that_cannot_be_imported_is_a_bug_and_not_an_unknown_name(shop: Path) -> None:
    script = (
        "import sys\n"
        "from repoqa.cli.app import run\n"
        "from repoqa.terminal.output import standard_output\n"
        "class Broken:\n"
        "    @staticmethod\n"
        "    def find_spec(name, *_):\n"
        "        if name == 'repoqa.cli.doctor':\n"
        "            raise KeyError(name)\n"
        "sys.meta_path.insert(0, Broken)\n"
        "sys.exit(run(['doctor'], standard_output()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=shop, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 4
    assert done.stderr.startswith("repoqa: this is a bug in repoqa, sorry\n")


def test_a_bug_is_logged_even_where_the_state_directory_cannot_be_written(
    shop: Path, own_environment: Path
) -> None:
    (own_environment / ".local").write_text("a file is in the way")
    script = (
        "import sys\n"
        "from repoqa.cli import app\n"
        "from repoqa.terminal.output import standard_output\n"
        "@app.app.command()\n"
        "def broken() -> None:\n"
        "    raise KeyError('surprise')\n"
        "sys.exit(app.run(['broken'], standard_output()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=shop,
        env=environment(TMPDIR=str(own_environment)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 4
    assert "KeyError" in Path(done.stderr.splitlines()[1].partition(": ")[2]).read_text()
