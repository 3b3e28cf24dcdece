"""The sweep: the packed code in windows, each asked for its suspects, then one prompt with them."""

import json
import os
import re
import signal
import subprocess
import threading
from collections import Counter as Tally
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import Handler, Reply, event, list_of, reply_with, serving
from commands import command, environment, repoqa, write_profile
from conftest import RepositoryMaker
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_code import TOKENIZERS, Counter, tokenizer_named
from schemas import validator
from sweep_code import BANK, BANK_QUESTION, module

from repoqa.diagnosis.prepare import Preparation, Setup, prepare
from repoqa.diagnosis.sweep import WindowRead, after, found_by, read_windows
from repoqa.diagnosis.windows import cut, parts
from repoqa.errors import BudgetError, ServerError
from repoqa.evidence.question import read
from repoqa.models.profile import Profile
from repoqa.models.scripted import ScriptedModel
from repoqa.packing.render import draw
from repoqa.protocols import Progress, Silent
from repoqa.records import Excerpt, Prompt
from repoqa.repository.snapshot import open_snapshot

RELIABLE = 1200
BUDGET = 12_000
PROFILE = Profile("test", "scripted", "chatml", "", reliable_window=RELIABLE, maximum=20_000)
KEYS = {"reliable_window": RELIABLE, "maximum": 20_000}
NUMBER = re.compile(r"^(\d+) ")
STREAM_LINE = re.compile(r"window (\d+) of (\d+): (\d+|no) suspects?")


@pytest.fixture
def bank(make_repository: RepositoryMaker) -> Path:
    return make_repository(BANK)


@pytest.fixture
def prepared(bank: Path) -> Preparation:
    setup = Setup(PROFILE, Counter(), BUDGET, None)
    return prepare(read(BANK_QUESTION), open_snapshot(bank), setup, progress=Silent())


class Recorder(ScriptedModel):
    """A scripted model that keeps the prompts it was given."""

    def __init__(self, text: str) -> None:
        super().__init__("recorder", text)
        self.prompts: list[Prompt] = []

    def stream(self, prompt: Prompt, *, progress: Progress) -> Iterator[str]:
        self.prompts.append(prompt)
        return super().stream(prompt, progress=progress)


def lines_of(excerpts: tuple[Excerpt, ...]) -> Tally[tuple[str, int]]:
    """How often each written line is shown."""
    found: Tally[tuple[str, int]] = Tally()
    for excerpt in excerpts:
        for line in excerpt.text.split("\n")[1:]:
            if match := NUMBER.match(line):
                found[excerpt.path, int(match[1])] += 1
    return found


def swept(preparation: Preparation, model: ScriptedModel) -> list[WindowRead]:
    return list(read_windows(cut(preparation).windows, preparation, model, progress=Silent()))


# --- the windows --------------------------------------------------------------------------------


def test_every_packed_line_is_in_exactly_one_window(prepared: Preparation) -> None:
    windows = cut(prepared).windows
    assert len(windows) > 4
    packed = lines_of(prepared.context.excerpts)
    assert packed
    assert sum((lines_of(window.excerpts) for window in windows), Tally()) == packed


def test_no_window_is_longer_than_the_model_reads_reliably(prepared: Preparation) -> None:
    windows = cut(prepared).windows
    sizes = [window.prompt.tokens for window in windows]
    assert max(sizes) <= RELIABLE < prepared.prompt.tokens
    assert min(sizes[:-1]) > RELIABLE // 2, "windows are filled"
    assert [(window.number, window.of) for window in windows] == [
        (number, len(windows)) for number in range(1, len(windows) + 1)
    ]


def test_the_best_code_is_in_the_first_window(prepared: Preparation) -> None:
    assert cut(prepared).windows[0].excerpts[-1] == prepared.context.excerpts[-1]


def test_the_windows_share_their_beginning(prepared: Preparation) -> None:
    texts = [window.prompt.messages[-1].content for window in cut(prepared).windows]
    shared = os.path.commonprefix(texts)
    assert BANK_QUESTION in shared
    assert shared.endswith("Code, with line numbers:\nbank/rates")


def test_a_long_log_leaves_room_for_code_in_each_window(bank: Path) -> None:
    log = "".join(f"step {n} of the invoice run\nError: rate {n}\n" for n in range(800))
    setup = Setup(PROFILE, Counter(), BUDGET, None)
    question = read(BANK_QUESTION, log=log)
    preparation = prepare(question, open_snapshot(bank), setup, progress=Silent())
    windows = cut(preparation).windows
    assert max(window.prompt.tokens for window in windows) <= RELIABLE
    assert all("Log:\n" in window.prompt.messages[-1].content for window in windows)
    code = sum(excerpt.tokens for window in windows for excerpt in window.excerpts)
    assert code / len(windows) > RELIABLE // 3


def test_a_window_too_small_for_any_code_is_refused(bank: Path) -> None:
    small = Profile("small", "scripted", "chatml", "", reliable_window=220, maximum=9000)
    setup = Setup(small, Counter(), 8000, None)
    preparation = prepare(read("why " * 200), open_snapshot(bank), setup, progress=Silent())
    with pytest.raises(BudgetError, match="windows of 220 tokens are too small"):
        cut(preparation)


def test_a_line_longer_than_a_window_is_counted_not_sent(make_repository: RepositoryMaker) -> None:
    numbers = ",".join(str(number % 10) for number in range(900))
    wide = {"bank/wide.py": f"RATE = [{numbers}]\n{module(0)}", **BANK}
    setup = Setup(PROFILE, Counter(), 19_000, None)
    question = read(BANK_QUESTION, pins=("bank/wide.py",))
    root = make_repository(wide)
    preparation = prepare(question, open_snapshot(root), setup, progress=Silent())
    assert ("bank/wide.py", 1) in lines_of(preparation.context.excerpts)
    found = cut(preparation)
    assert found.too_long == 1
    assert max(window.prompt.tokens for window in found.windows) <= RELIABLE


@settings(deadline=None)
@given(
    lines=st.lists(
        st.sampled_from(["", "x = 1", "return compute(a, b, c)", "    " * 9]), min_size=1
    ),
    most=st.integers(8, 60),
    tokenizer=st.sampled_from(TOKENIZERS),
)
def test_a_split_excerpt_shows_the_same_lines(lines: list[str], most: int, tokenizer: str) -> None:
    counter = tokenizer_named(tokenizer)
    text = draw("a/b.py", range(1, len(lines) + 1), lines, form="full")
    whole = Excerpt("a/b.py", 1, len(lines), "full", counter.count(text), text)
    split = tuple(parts(whole, most, counter))
    assert sum((lines_of((part,)) for part in split), Tally()) == lines_of((whole,))
    for part in split:
        shown = sorted(number for _, number in lines_of((part,)))
        assert part.tokens == counter.count(part.text)
        if len(split) > 1:
            assert (part.start, part.end) == (shown[0], shown[-1])
            assert part.text.startswith(f"a/b.py:{part.start}-{part.end}\n")


# --- the answers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        "{place}: it divides\n",
        "1. `{place}`: it divides\n",
        "- **{place}** - it divides\n",
        "I think that the cause is {place}: it divides.\n",
        "```\n{place}: it divides\n```\n",
        "{place}: it divides",
        "bank/ghost.py:3: invented\n{place}: it divides\n",
    ],
)
def test_suspects_are_read_however_they_are_dressed_up(prepared: Preparation, answer: str) -> None:
    last = cut(prepared).windows[0].excerpts[-1]
    place = f"{last.path}:{last.end}"
    [suspect] = swept(prepared, ScriptedModel("s", answer.format(place=place)))[0].suspects
    assert suspect.path == last.path
    assert suspect.start <= last.end <= suspect.end
    assert suspect.name in {s.name for s in prepared.index.parsed(last.path).symbols}
    assert suspect.why == "it divides"


@pytest.mark.parametrize(
    "answer", ["NONE", "**None.**\n", "", "All of it is fine.", "bank/ghost.py:3: x", "a\x1b[2Jb"]
)
def test_no_suspects(prepared: Preparation, answer: str) -> None:
    assert found_by(swept(prepared, ScriptedModel("s", answer))) == ()


def test_code_that_the_window_does_not_show_is_no_suspect(prepared: Preparation) -> None:
    first, *_, last = cut(prepared).windows
    place = f"{first.excerpts[-1].path}:{first.excerpts[-1].end}"
    reads = swept(prepared, ScriptedModel("s", f"{place}: it divides\n"))
    assert [len(each.suspects) for each in reads] == [1] + [0] * (last.number - 1)


def test_a_window_names_at_most_three_and_then_the_model_is_stopped(
    prepared: Preparation,
) -> None:
    window = cut(prepared).windows[:1]
    shown = [f"{each.path}:{each.end}" for each in window[0].excerpts]
    taken: list[str] = []

    class Endless(ScriptedModel):
        def stream(self, prompt: Prompt, *, progress: Progress) -> Iterator[str]:
            for place in shown * 100:
                taken.append(f"{place}: it divides\n")
                yield taken[-1]

    [each] = read_windows(window, prepared, Endless("e", ""), progress=Silent())
    assert len(each.suspects) == 3
    assert len(taken) < len(shown)


def test_the_last_prompt_has_the_suspects_what_they_call_and_what_calls_them(
    prepared: Preparation,
) -> None:
    script = "bank/rates5.py:6: it divides\n"
    model = Recorder(script)
    last = after(prepared, swept(prepared, model))
    text = last.prompt.messages[-1].content
    for name in ("rate_5_0", "rate_4_0", "rate_6_0"):
        assert f"def {name}(" in text
    assert "def rate_9_3(" not in text
    assert last.prompt.tokens <= RELIABLE
    assert max(prompt.tokens for prompt in model.prompts) <= RELIABLE


def test_without_suspects_the_last_prompt_has_the_best_code(prepared: Preparation) -> None:
    last = after(prepared, swept(prepared, ScriptedModel("s", "NONE")))
    assert last.prompt.tokens <= RELIABLE
    assert last.context.excerpts[-1].path == prepared.context.excerpts[-1].path
    assert BANK_QUESTION in last.prompt.messages[-1].content


# --- the command --------------------------------------------------------------------------------


def ask(*arguments: str, where: Path, model: str = "sweeper") -> Any:
    return repoqa(
        "ask", "--model", model, "--budget", "12k", *arguments, BANK_QUESTION, where=where
    )


@pytest.fixture
def place(bank: Path) -> str:
    """A place of the first window."""
    write_profile("sweeper", "NONE", **KEYS)
    report = json.loads(ask("--dry-run", "--json", where=bank).stdout)
    validator("ask").validate(report)
    excerpt = report["windows"][0]["excerpts"][-1]
    assert BANK_QUESTION in report["messages"][-1]["content"]
    return f"{excerpt['path']}:{excerpt['end']}"


def test_a_budget_over_the_reliable_window_is_swept(bank: Path, place: str) -> None:
    write_profile("sweeper", f"{place}: it divides\n\fNONE\n\fThe cause is {place}.\n", **KEYS)
    done = ask(where=bank)
    assert done.code == 0, done.stderr
    assert done.stdout.endswith(f"The cause is {place}.\n")
    told = STREAM_LINE.findall(done.stderr)
    assert told[:2] == [("1", told[0][1], "1"), ("2", told[0][1], "no")]
    assert len(told) == int(told[0][1]) > 4
    assert "reads 1,200 tokens reliably: the code is read in" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "is_swept"),
    [
        (["--budget", "12k"], True),
        (["--budget", "12k", "--strategy", "auto"], True),
        (["--budget", "12k", "--strategy", "single"], False),
        (["--budget", "1200"], False),
        (["--budget", "1200", "--strategy", "sweep"], True),
        (["--budget", "30k", "--strategy", "sweep"], True),
        (["--budget", "12k", "--include", "bank/rates0.py"], False),
    ],
)
def test_which_strategy_is_taken(bank: Path, *, arguments: list[str], is_swept: bool) -> None:
    write_profile("sweeper", "NONE", **KEYS)
    done = repoqa("ask", "--model", "sweeper", *arguments, BANK_QUESTION, where=bank)
    assert done.code == 0, done.stderr
    assert ("window 1 of" in done.stderr) is is_swept


def test_a_prompt_that_the_model_cannot_read_is_refused_with_the_way_out(bank: Path) -> None:
    write_profile("sweeper", "NONE", **KEYS)
    done = repoqa("ask", "--model", "sweeper", "--budget", "30k", BANK_QUESTION, where=bank)
    assert done.code == 2
    assert "--strategy sweep" in done.stderr
    unknown = repoqa("ask", "--strategy", "swep", BANK_QUESTION, where=bank)
    assert unknown.code == 2
    assert "auto, single, sweep" in unknown.stderr


def test_where_nothing_is_found_the_best_code_is_asked_about(bank: Path) -> None:
    write_profile("sweeper", "NONE", **KEYS)
    done = ask(where=bank)
    assert "no window named a suspect: answering from the best code" in done.stderr
    assert done.stdout.endswith("NONE\n")


def test_the_report_has_each_windows_suspects(bank: Path, place: str) -> None:
    write_profile("sweeper", f"{place}: it divides\n\fNONE\n", **KEYS)
    report = json.loads(ask("--json", where=bank).stdout)
    validator("ask").validate(report)
    windows = report["windows"]
    assert [window["window"] for window in windows] == list(range(1, windows[0]["of"] + 1))
    assert [len(window["suspects"]) for window in windows] == [1] + [0] * (len(windows) - 1)
    assert windows[0]["suspects"][0]["why"] == "it divides"
    assert max(window["tokens"] for window in windows) <= RELIABLE
    assert report["usage"]["prompt"] > sum(window["tokens"] for window in windows)
    single = json.loads(ask("--json", "--strategy", "single", where=bank).stdout)
    assert "windows" not in single


def test_the_events_have_the_windows_before_the_tokens(bank: Path, place: str) -> None:
    write_profile("sweeper", f"{place}: it divides\n\fNONE\n\fNONE\n", **KEYS)
    events = [
        json.loads(line) for line in ask("--json", "--stream", where=bank).stdout.splitlines()
    ]
    for each in events:
        validator("ask-events").validate(each)
    names = [each["event"] for each in events]
    windows = [each for each in events if each["event"] == "window"]
    assert names == ["context", "suspects", *["window"] * len(windows), "token", "done"]
    assert [len(each["suspects"]) for each in windows] == [1] + [0] * (len(windows) - 1)


# --- a server -----------------------------------------------------------------------------------


def profile_of_server(url: str, at_once: int) -> None:
    write_profile(
        "sweeper",
        "",
        engine="server",
        format="messages",
        url=url,
        windows_at_once=at_once,
        **KEYS,
    )


def is_window(handler: Handler) -> bool:
    return "write NONE" in handler.server.asked[-1][2]["messages"][-1]["content"]


def said(text: str) -> Reply:
    return reply_with(event(text), event(finish="stop"), b"data: [DONE]\n\n")


def test_a_server_gets_the_windows_side_by_side_and_no_more_than_it_may(bank: Path) -> None:
    lock, both = threading.Lock(), threading.Barrier(2)
    now, most = 0, 0

    def reply(handler: Handler) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            first = len(handler.server.asked) <= 2 + 2
        if first:
            both.wait(10)
        with lock:
            now -= 1
        said("NONE")(handler)

    with serving(reply, listing=list_of("m")) as server:
        profile_of_server(server.url, 2)
        done = ask(where=bank)
    assert done.code == 0, done.stderr
    told = STREAM_LINE.findall(done.stderr)
    assert sorted(int(number) for number, _, _ in told) == list(range(1, int(told[0][1]) + 1))
    assert most == 2


def test_a_server_that_fails_in_a_window_is_told_with_what_was_found(
    bank: Path, place: str
) -> None:
    answers = iter([said(f"{place}: it divides\n"), said("NONE")])

    def reply(handler: Handler) -> None:
        found = next(answers, None)
        if found:
            found(handler)
        else:
            handler.whole(500, b"out of memory")

    with serving(reply, listing=list_of("m")) as server:
        profile_of_server(server.url, 1)
        done = ask(where=bank)
    assert done.code == 3
    assert "out of memory" in done.stderr
    assert "Suspects of the 2 of" in done.stdout
    assert f"- {place.partition(':')[0]}:" in done.stdout


def test_a_thread_that_fails_ends_the_sweep(prepared: Preparation) -> None:
    class Failing(ScriptedModel):
        def stream(self, prompt: Prompt, *, progress: Progress) -> Iterator[str]:
            raise ServerError("gone", remedy="look")

    windows = cut(prepared).windows
    with pytest.raises(ServerError, match="gone"):
        list(read_windows(windows, prepared, Failing("f", ""), progress=Silent(), at_once=3))


@pytest.mark.parametrize("at_once", [1, 4])
def test_an_interrupt_in_the_third_window_shows_the_suspects_so_far(
    bank: Path, place: str, at_once: int
) -> None:
    lock, release = threading.Lock(), threading.Event()
    count = 0

    def reply(handler: Handler) -> None:
        nonlocal count
        with lock:
            count += 1
            number = count
        if number > 2:
            release.wait(60)  # a prefill that takes its time
        said(f"{place}: it divides\n" if number == 1 else "NONE")(handler)

    with serving(reply, listing=list_of("m")) as server:
        profile_of_server(server.url, at_once)
        process = subprocess.Popen(
            command("ask", "--model", "sweeper", "--budget", "12k", BANK_QUESTION),
            cwd=bank,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        read_lines = 0
        while read_lines < 2:
            line = process.stderr.readline()
            assert line, "it ended before two windows were read"
            read_lines += bool(STREAM_LINE.search(line))
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
        release.set()
    assert process.returncode == 130
    assert "Suspects of the 2 of" in stdout
    assert "Traceback" not in stderr
    write_profile("reciter", "Then look there.\n")
    followed = repoqa("ask", "--model", "reciter", "-c", "--dry-run", "and", where=bank)
    assert "Earlier answer, not checked:\nSuspects of the 2 of" in followed.stdout
