"""`repoqa ask`, run as its users run it, with a model that recites."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from commands import (
    ANSWER,
    QUESTION,
    SHOP,
    command,
    endless_answer,
    environment,
    repoqa,
    write_profile,
)
from conftest import RepositoryMaker, git
from schemas import validator


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    write_profile("reciter", ANSWER)
    return make_repository(SHOP)


def reported(*arguments: str, where: Path) -> dict[str, Any]:
    """The report of `ask --json`, valid by its schema."""
    done = repoqa("ask", "--model", "reciter", "--json", *arguments, where=where)
    assert done.code == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    validator("ask").validate(report)
    return report


def test_suspects_then_the_answer_with_what_does_not_exist_marked(shop: Path) -> None:
    done = repoqa("ask", "--model", "reciter", QUESTION, where=shop)
    assert done.code == 0
    suspects, _, answer = done.stdout.partition("\n\n")
    assert suspects.startswith("Suspects\n  1. shop/")
    assert "shop/passwords.py:11-13  strengthen\n" in suspects
    assert answer == (
        "The cause is in `strengthen`: see shop/passwords.py:11-13.\n"
        "\n"
        "It is called by `log_in()` (shop/service.py:9), not in shop/service.py:900 "
        "[?: the file has 14 lines] nor in shop/ghost.py:3 [?: no such file].\n"
    )
    summary, figures = done.stderr.splitlines()
    assert summary == "repoqa: 5 places named, 2 not in this code and marked [?: …]"
    assert figures.startswith("repoqa: reciter: ")
    assert "tokens read" in figures


def test_on_a_terminal_the_answer_is_rendered_below_the_suspects(shop: Path) -> None:
    write_profile("formatted", "# Cause\n\nIt is **here**: shop/ghost.py:3\n\n- one\n- two\n")
    leader, follower = os.openpty()
    process = subprocess.Popen(
        command("ask", "--model", "formatted", QUESTION),
        cwd=shop,
        env=environment(TERM="xterm-256color", COLUMNS="100", LINES="40"),
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    screen = b"".join(iter(lambda: _read(leader), b"")).decode()
    os.close(leader)
    assert process.wait(timeout=60) == 0
    assert "**" not in screen
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.rpartition("Cause")[2])
    assert "shop/ghost.py:3 [?: no such file]" in last
    assert "• two" in last
    assert "Suspects" in screen.partition("Cause")[0]
    assert screen.rindex("\x1b[?25h") > screen.rindex("\x1b[?25l"), "the cursor is shown again"


def _read(leader: int) -> bytes:
    """What the terminal receives next; nothing once its other end is closed."""
    try:
        return os.read(leader, 65536)
    except OSError:
        return b""


def test_the_answer_at_once_is_the_answer_streamed(shop: Path) -> None:
    streamed = repoqa("ask", "--model", "reciter", QUESTION, where=shop)
    at_once = repoqa("ask", "--model", "reciter", "--no-stream", QUESTION, where=shop)
    assert at_once.stdout == streamed.stdout


def test_the_report_for_other_programs(shop: Path) -> None:
    report = reported(QUESTION, where=shop)
    assert report["answer"].strip() == ANSWER.strip()
    assert [(c["text"], c["valid"]) for c in report["citations"]] == [
        ("shop/passwords.py:11-13", True),
        ("log_in()", True),
        ("shop/service.py:9", True),
        ("shop/service.py:900", False),
        ("shop/ghost.py:3", False),
    ]
    assert report["suspects"][0]["path"].startswith("shop/")
    assert report["usage"]["prompt"] == report["budget"]["used"]
    assert report["usage"]["answer"] > 0
    pack = json.loads(repoqa("pack", "--model", "reciter", "--json", QUESTION, where=shop).stdout)
    assert {key: report[key] for key in pack if key != "run"} == {
        key: pack[key] for key in pack if key != "run"
    }


def test_a_dry_run_shows_the_prompt_and_loads_no_model(shop: Path) -> None:
    write_profile("broken", "")
    (Path(os.environ["XDG_CONFIG_HOME"]) / "repoqa" / "models" / "broken.txt").unlink()
    done = repoqa("ask", "--model", "broken", "--dry-run", QUESTION, where=shop)
    assert (done.code, done.stderr) == (0, "")
    assert "## user\n" in done.stdout
    assert "def strengthen" in done.stdout
    report = reported("--dry-run", QUESTION, where=shop)
    assert QUESTION in report["messages"][-1]["content"]
    assert "answer" not in report


def test_a_models_escape_sequences_do_not_reach_the_output(shop: Path) -> None:
    write_profile("attacker", "Look \x1b]0;owned\x07here\x1b[2J\x9b31m and\rthere\n")
    done = repoqa("ask", "--model", "attacker", QUESTION, where=shop)
    assert done.code == 0
    answer = done.stdout.partition("\n\n")[2]
    assert not set(answer) & {"\x1b", "\x07", "\x9b", "\r"}
    assert answer.startswith("Look here")


def test_nothing_is_written_into_the_repository(shop: Path) -> None:
    repoqa("ask", "--model", "reciter", QUESTION, where=shop)
    assert git(shop, "status", "--porcelain", "--ignored") == ""


def test_a_question_that_matches_nothing_is_still_answered(shop: Path) -> None:
    done = repoqa("ask", "--model", "reciter", "zzyzx", where=shop)
    assert done.code == 0
    assert done.stdout.startswith("No code here matches the question.\n")
    assert "The cause is" in done.stdout


def test_a_model_without_its_weights_is_told_in_two_lines(shop: Path) -> None:
    write_profile("nowhere", "", weights="./gone.txt")
    done = repoqa("ask", "--model", "nowhere", QUESTION, where=shop)
    assert done.code == 3
    assert "Suspects" in done.stdout, "the suspects need no model"
    assert "Traceback" not in done.stderr
    assert "gone.txt" in done.stderr


def test_an_interrupt_stops_the_model_at_once(shop: Path) -> None:
    write_profile("endless", endless_answer())
    process = subprocess.Popen(
        command("ask", "--model", "endless", QUESTION),
        cwd=shop,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    for line in process.stdout:
        if line.startswith(b"Word number 3."):
            break
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - began < 5
    assert b"Traceback" not in stderr


def test_a_reader_that_has_seen_enough_ends_it_quietly(shop: Path) -> None:
    write_profile("endless", endless_answer())
    done = subprocess.run(
        f"{' '.join(command('ask', '--model', 'endless', QUESTION.split()[0]))} | head -n 1",
        shell=True,
        cwd=shop,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert done.stdout.count(b"\n") == 1
    assert b"Traceback" not in done.stderr
    assert b"Broken" not in done.stderr


def events(*arguments: str, where: Path, code: int = 0) -> list[dict[str, Any]]:
    """The lines of `ask --json --stream`, each valid by the schema."""
    done = repoqa("ask", "--json", "--stream", *arguments, where=where)
    assert done.code == code, done.stderr
    assert done.stdout.endswith("}\n")
    found: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    for event in found:
        validator("ask-events").validate(event)
    return found


def test_events_while_the_answer_is_generated(shop: Path) -> None:
    found = events("--model", "reciter", QUESTION, where=shop)
    report = reported(QUESTION, where=shop)
    context, suspects, *answer, done = found
    differs = ("event", "run", "answer", "suspects", "citations", "usage")
    assert {key: context[key] for key in context if key not in differs} == {
        key: report[key] for key in report if key not in differs
    }
    assert suspects == {"event": "suspects", "suspects": report["suspects"]}
    assert {event["event"] for event in answer} == {"token", "citation"}
    assert "".join(e["text"] for e in answer if e["event"] == "token") == report["answer"]
    assert [e for e in answer if e["event"] == "citation"] == [
        {"event": "citation", **citation} for citation in report["citations"]
    ]
    first = next(n for n, event in enumerate(answer) if event["event"] == "citation")
    told = "".join(e["text"] for e in answer[:first])
    assert "passwords.py:11-13.\n" in told
    assert "ghost" not in told, "a citation comes as soon as its line is whole"
    assert (done["event"], done["answer"]) == ("done", report["answer"])
    assert done["usage"]["prompt"] == report["usage"]["prompt"]


@pytest.mark.parametrize(
    ("arguments", "kinds", "code"),
    [
        (["--model", "nowhere"], ["context", "suspects", "error"], 3),
        (["--model", "reciter", "--path", "ghost.py"], ["error"], 2),
    ],
)
def test_a_stream_that_fails_ends_with_the_error(
    shop: Path, *, arguments: list[str], kinds: list[str], code: int
) -> None:
    write_profile("nowhere", "", weights="./gone.txt")
    found = events(*arguments, QUESTION, where=shop, code=code)
    assert [event["event"] for event in found] == kinds
    assert found[-1]["exit_code"] == code
    assert found[-1]["message"]
    assert found[-1]["remedy"]


def test_what_to_try_where_the_code_shown_does_not_explain_it(shop: Path) -> None:
    write_profile("honest", "The code shown doesn't explain the bug.\n")
    done = repoqa("ask", "--model", "honest", QUESTION, where=shop)
    assert done.stderr.splitlines()[0] == (
        "repoqa: the answer says that this code does not explain it; "
        "try --path with code that you suspect, or the log: --log FILE"
    )
    done = repoqa(
        "ask", "--model", "honest", "--budget", "400", QUESTION, where=shop, stdin=b"it failed\n"
    )
    assert "try a larger --budget, or --path with code that you suspect\n" in done.stderr
