"""Follow-ups: what is kept of an answer, and what `-c` makes of it."""

import json
import os
import resource
import shutil
import signal
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

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
from conftest import RepositoryMaker, Unprivileged, git
from hypothesis import given
from hypothesis import strategies as st
from memory_code import MemoryCode

from repoqa import Options, open_repository, pack
from repoqa.diagnosis import kept as kept_answers
from repoqa.diagnosis.follow_up import following
from repoqa.diagnosis.kept import MOST_REPOSITORIES, Kept, Shown, keep, last
from repoqa.errors import UsageError
from repoqa.evidence import question as evidence
from repoqa.formats.json import encode, pack_report
from repoqa.models.profile import Profile
from repoqa.models.tokens import tokenizer_for
from repoqa.packing.budget import Room
from repoqa.packing.pack import pack as fill
from repoqa.prompts.evidence import fit, smallest_budget
from repoqa.prompts.neutralize import neutralize
from repoqa.prompts.render import earlier_sections, fixed_tokens
from repoqa.prompts.templates import CLOSING
from repoqa.records import Earlier, Lines, Question, RankedSymbol, Ranking
from repoqa.settings import log_directory

LOGIN = Path(__file__).parent.parent / "examples" / "login"
KEY = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
PROFILE = Profile(name="test", engine="scripted", format="chatml", summary="")
TOKENIZER = tokenizer_for(PROFILE, cache=Path(os.devnull))
EARLIER = Kept(
    repository="/shop",
    revision=None,
    question="why does log_in fail",
    log='  File "shop/service.py", line 12, in log_in\nPermissionError: wrong password',
    diff="",
    answer="Because of strengthen.",
    shown=(Shown("shop/a.py", 3, 9, "full"), Shown("shop/b.py", 1, 90, "outline")),
)
LINES = st.sampled_from(["", "a", "def total(prices):", "<|im_end|>", "é" * 300, " x" * 40])
TEXTS = st.builds(
    lambda lines, times: "\n".join(lines * times), st.lists(LINES), st.integers(1, 30)
)


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    write_profile("reciter", ANSWER)
    return make_repository(SHOP)


def kept_files() -> list[Path]:
    return sorted((log_directory() / "answers").glob("*"))


def ask(*arguments: str, where: Path, stdin: bytes | None = None) -> str:
    """Ask, and return what was noted on standard error but for the figures."""
    done = repoqa("ask", "--model", "reciter", *arguments, where=where, stdin=stdin)
    assert done.code == 0, done.stderr
    return "".join(
        line for line in done.stderr.splitlines(keepends=True) if "tokens read" not in line
    )


# The command


def test_a_follow_up_shows_what_was_shown_and_says_what_is_new(shop: Path) -> None:
    ask("--exclude", "basket.py", QUESTION, where=shop)
    done = repoqa("ask", "--model", "reciter", "-c", "is total wrong too", where=shop)
    assert done.code == 0
    assert done.stdout.endswith("nor in shop/ghost.py:3 [?: no such file].\n")
    follows, summary, _ = done.stderr.splitlines()
    assert follows == f'repoqa: follows "{QUESTION}"; new in the prompt: shop/basket.py'
    assert summary == "repoqa: 5 places named, 2 not in this code and marked [?: …]"
    prompt = repoqa("ask", "--model", "reciter", "-c", "--dry-run", "and", where=shop).stdout
    assert f"Earlier question:\n{QUESTION}\n\nis total wrong too\n" in prompt
    new = "More code, with line numbers:\nshop/basket.py:1-6\n"
    assert f"Earlier answer, not checked:\n{ANSWER.strip()}\n\n{new}" in prompt
    assert prompt.endswith(f"Question:\nand\n\n{CLOSING}\n")
    assert "def strengthen" in prompt
    assert "def total" in prompt


def test_on_the_example_it_adds_the_file_that_was_lacking(tmp_path: Path) -> None:
    write_profile("reciter", ANSWER)
    accounts = Path(shutil.copytree(LOGIN / "accounts", tmp_path / "accounts"))
    git(accounts, "init", "--quiet")
    why = "Why does the second login fail after the password hash is renewed?"
    small = ("--budget", "900", "--model", "reciter")
    first = json.loads(repoqa("ask", *small, "--json", why, where=accounts).stdout)
    then = "and how long does a session stay valid?"
    done = repoqa("ask", *small, "--json", "-c", then, where=accounts)
    second = json.loads(done.stdout)
    paths = [{excerpt["path"] for excerpt in each["excerpts"]} for each in (first, second)]
    lacking = "accounts/settings.py"
    assert lacking not in paths[0]
    assert lacking in paths[1]
    assert lacking in done.stderr.partition("new in the prompt: ")[2]
    assert "accounts/service.py" in paths[0] & paths[1]
    assert second["budget"]["used"] <= 900
    assert second["question"] == then
    assert second.keys() == first.keys()


def test_nothing_new_is_said_too(shop: Path) -> None:
    ask(QUESTION, where=shop)
    noted = ask("-c", "and how do I fix it?", where=shop)
    assert noted.startswith(f'repoqa: follows "{QUESTION}"; new in the prompt: no code\n')


def test_a_log_is_followed_and_replaced(shop: Path) -> None:
    log = b'Traceback:\n  File "shop/basket.py", line 6, in total\nTypeError: prices is None\n'
    assert "follows" not in ask(where=shop, stdin=log)
    assert ask("-c", "how do I fix it", where=shop).startswith("repoqa: follows the last log; ")
    command = ("pack", "-c", "--json", "and now")
    same = json.loads(repoqa(*command, where=shop).stdout)
    assert same["files"][0]["path"] == "shop/basket.py"
    assert "TypeError: prices is None" in repoqa("pack", "-c", "and now", where=shop).stdout
    other = repoqa("pack", "-c", "and now", where=shop, stdin=b"KeyError: 'rounds'\n").stdout
    assert "KeyError: 'rounds'" in other
    assert "TypeError" not in other


def test_pack_keeps_nothing_and_a_dry_run_neither(shop: Path) -> None:
    repoqa("pack", QUESTION, where=shop)
    repoqa("ask", "--model", "reciter", "--dry-run", QUESTION, where=shop)
    assert kept_files() == []
    ask("--json", QUESTION, where=shop)
    (file,) = kept_files()
    repoqa("pack", "-c", "another", where=shop)
    assert json.loads(file.read_text())["question"] == QUESTION
    ask("--json", "--stream", "a third", where=shop)
    assert json.loads(file.read_text())["question"] == "a third"


def test_pack_shows_what_came_before(shop: Path) -> None:
    ask(QUESTION, where=shop)
    shown = repoqa("pack", "-c", "and now", where=shop).stdout
    assert shown.startswith(f"# Earlier question\n\n```\n{QUESTION}\n```\n\n# Earlier answer\n")
    table = repoqa("pack", "-c", "--explain", "and now", where=shop).stdout
    assert [line.split()[:2] for line in table.splitlines() if line.startswith("earlier")] == [
        ["earlier", "question"],
        ["earlier", "answer"],
    ]


def test_another_revision_is_told(shop: Path) -> None:
    ask(QUESTION, where=shop)
    head = git(shop, "rev-parse", "HEAD")
    noted = ask("-c", "--rev", "HEAD", "and then", where=shop)
    assert "which was asked of the working tree; new" in noted
    assert f"which was asked of {head[:16]}; new" in ask("-c", "and now", where=shop)


def test_code_that_is_gone_or_shorter_is_no_hindrance(shop: Path) -> None:
    ask(QUESTION, where=shop)
    (shop / "shop" / "service.py").unlink()
    (shop / "shop" / "passwords.py").write_text("def strengthen():\n    pass\n")
    noted = ask("-c", "and how do I fix strengthen?", where=shop)
    assert "follows" in noted
    assert "service.py" not in noted


def test_the_python_interface_follows_as_the_command_does(shop: Path) -> None:
    ask(QUESTION, where=shop)
    packed = pack("and total?", open_repository(shop), options=Options(follow_up=True))
    report = json.loads(encode(pack_report(packed)))
    printed = json.loads(repoqa("pack", "--json", "-c", "and total?", where=shop).stdout)
    assert report | {"run": 0} == printed | {"run": 0}


# An answer that was cut off


def test_what_came_before_an_interrupt_is_followed_up(shop: Path) -> None:
    """A real Ctrl-C, in each way of showing an answer."""
    write_profile("endless", endless_answer())
    for flags in ((), ("--json", "--stream")):
        process = subprocess.Popen(
            command("ask", "--model", "endless", *flags, QUESTION),
            cwd=shop,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout
        piece = b'"token","text":" 3.' if flags else b"number 3."
        shown = next(line for line in process.stdout if piece in line)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
        assert (process.returncode, bool(shown)) == (130, True)
        assert stderr.decode().splitlines()[-1] == (
            'repoqa: stopped; to go on from what came so far: repoqa ask -c "…"'
        )
        (file,) = kept_files()
        came = last(shop, file.parent)
        assert came.cut_off
        assert came.answer.startswith("Word number 0.\n")
        file.write_text(json.dumps({**json.loads(file.read_text()), "answer": "Word one."}))
        noted = ask("-c", "--dry-run", "and then", where=shop)
        assert noted.startswith(f'repoqa: follows "{QUESTION}", whose answer was cut off; new')
        prompt = repoqa("ask", "--model", "reciter", "-c", "--dry-run", "on", where=shop).stdout
        assert "not checked:\nWord one.\n[the answer was cut off here]\n\nQuestion:" in prompt
        file.unlink()
    ask(QUESTION, where=shop)
    assert not last(shop, file.parent).cut_off


def test_an_answer_that_never_began_replaces_none(shop: Path) -> None:
    ask(QUESTION, where=shop)
    write_profile("nowhere", "", weights="./gone.txt")
    assert repoqa("ask", "--model", "nowhere", "another", where=shop).code == 3
    (file,) = kept_files()
    assert last(shop, file.parent).question == QUESTION


def test_a_reader_that_has_seen_enough_leaves_something_to_follow(shop: Path) -> None:
    write_profile("endless", endless_answer())
    done = subprocess.run(
        f"{' '.join(command('ask', '--model', 'endless', 'strengthen'))} | grep -m 1 'number 3'",
        shell=True,
        cwd=shop,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == (b"Word number 3.\n", b"")
    (file,) = kept_files()
    assert last(shop, file.parent).cut_off


# What is kept


@pytest.mark.parametrize("flags", [(), ("--no-redact",)])
def test_a_planted_key_is_never_kept(make_repository: RepositoryMaker, flags: list[str]) -> None:
    write_profile("reciter", f"The key {KEY} is wrong, and so is the password Xk9vR2qLw7.\n")
    code = {"shop/keys.py": f'KEY = "{KEY}"\nDB_PASSWORD = "Xk9vR2qLw7"\n'}
    root = make_repository({**SHOP, **code})
    log = f"KeyError: {KEY}\n".encode()
    ask(*flags, f"why is {KEY} refused by keys.py", where=root, stdin=log)
    ask(*flags, "-c", f"and {KEY}?", where=root)
    (file,) = kept_files()
    text = file.read_text()
    assert KEY not in text
    assert "Xk9vR2qLw7" not in text
    assert text.count("[redacted: ") >= 5
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_few_repositories_are_remembered(tmp_path: Path) -> None:
    for number in range(MOST_REPOSITORIES + 2):
        keep(replace(EARLIER, repository=f"/shop-{number}"), tmp_path)
        path = kept_answers._file(f"/shop-{number}", tmp_path)
        os.utime(path, (number, number))
    assert len(list(tmp_path.iterdir())) == MOST_REPOSITORIES
    with pytest.raises(UsageError, match="shop-1 has been answered"):
        last(Path("/shop-1"), tmp_path)
    assert last(Path("/shop-2"), tmp_path).answer == EARLIER.answer


def test_names_and_texts_that_are_no_utf8_are_kept(tmp_path: Path) -> None:
    odd = os.fsdecode(b"/sh\xffop")
    kept = replace(EARLIER, repository=odd, question=odd, shown=(Shown(odd, 1, 2, "full"),))
    keep(kept, tmp_path)
    assert last(Path(odd), tmp_path) == kept


# Bad input


def refused(where: Path) -> str:
    done = repoqa("ask", "--model", "reciter", "-c", "and now", where=where)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.splitlines()[1] == (
        'Ask without -c first, as in: repoqa ask "why does login fail"'
    )
    return done.stderr.splitlines()[0]


def test_there_is_no_earlier_question(shop: Path, make_repository: RepositoryMaker) -> None:
    none = "repoqa: -c: no question about repository has been answered yet"
    assert refused(shop) == none
    ask(QUESTION, where=make_repository({"a.py": "x = 1\n"}))
    assert refused(shop) == none, "another repository's answer is not this one's"


def test_what_is_damaged_is_as_if_absent(shop: Path) -> None:
    ask(QUESTION, where=shop)
    (file,) = kept_files()
    for content in (b"", b"{}", b"\xff", b"[" * 100_000, b'{"question": 1}'):
        file.write_bytes(content)
        assert refused(shop).endswith(
            "what was kept of the last answer about repository is damaged"
        )
    ask(QUESTION, where=shop)
    assert "follows" in ask("-c", "and now", where=shop)


def test_a_state_folder_that_cannot_be_written_costs_the_follow_up_alone(
    open_folder: Path, unprivileged: Unprivileged, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "REPOQA_CACHE_DIR"):
        monkeypatch.setenv(name, str(open_folder / name))
    state = open_folder / "state"
    state.mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    write_profile("reciter", ANSWER)
    code = open_folder / "shop"
    code.mkdir()
    (code / "shop.py").write_text(SHOP["shop/passwords.py"])

    def asked() -> tuple[int, str, str]:
        state.chmod(0o500)
        done = repoqa("ask", "--model", "reciter", "--repo", ".", "strengthen", where=code)
        return done.code, done.stdout, done.stderr

    status, answer, notes = unprivileged(open_folder, asked)
    assert status == 0
    assert "The cause is in `strengthen`" in answer
    assert notes.splitlines()[-1] == (
        f"repoqa: this answer cannot be continued with -c: {state}/repoqa/answers cannot be "
        "written (Permission denied)"
    )


def test_a_full_disk_costs_the_follow_up_alone(shop: Path) -> None:
    ask(QUESTION, where=shop)  # the index is cached now, and needs no more room
    before = kept_files()[0].read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    output_room = 1100  # what is printed here is shorter, what is kept is longer
    resource.setrlimit(resource.RLIMIT_FSIZE, (output_room, hard))
    try:
        done = repoqa("ask", "--model", "reciter", "total " * 400, where=shop)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert done.code == 0
    assert "The cause is in" in done.stdout
    note = done.stderr.splitlines()[-1]
    assert note.startswith("repoqa: this answer cannot be continued with -c: ")
    assert note.endswith("cannot be written (File too large)")
    assert [file.read_bytes() for file in kept_files()] == [before]


# Both questions as one


def test_both_questions_are_read() -> None:
    new = evidence.read("and `total` in shop/basket.py?\nsince today", log="KeyError: 'a'")
    both = following(new, EARLIER)
    assert both.text == new.text
    assert both.title == "and `total` in shop/basket.py?\nwhy does log_in fail"
    assert {"total", "log_in"} <= set(both.identifiers)
    assert both.log == "KeyError: 'a'"
    assert both.frames == (), "the old log is gone, and its frames with it"
    assert both.earlier == Earlier(
        "why does log_in fail", "Because of strengthen.", (Lines("shop/a.py", 3, 9),)
    )
    without_log = following(evidence.read("and now"), EARLIER)
    assert [frame.line for frame in without_log.frames] == [12]
    assert without_log.log == EARLIER.log


@given(st.tuples(TEXTS, TEXTS, TEXTS), st.integers(0, 800))
def test_what_came_before_takes_its_share_at_most(texts: tuple[str, str, str], more: int) -> None:
    text, question, answer = texts
    budget = smallest_budget(profile=PROFILE, tokenizer=TOKENIZER) + more
    asked = Question(text, "", log=answer, diff=question, earlier=Earlier(question, answer))
    shown = fit(asked, budget, profile=PROFILE, tokenizer=TOKENIZER)
    assert shown.earlier
    sections = earlier_sections(Earlier("", shown.earlier.answer))
    assert sum(map(TOKENIZER.count, sections)) <= budget // 8
    assert fixed_tokens(shown, profile=PROFILE, tokenizer=TOKENIZER) <= budget
    everything = (*earlier_sections(shown.earlier), neutralize(shown.text))
    assert sum(map(TOKENIZER.count, everything)) <= budget // 4
    cut = shown.earlier.answer
    assert cut in (answer, "") or "left out]" in cut


FUNCTION = "def {name}_{number}(first, second):\n    return first * {number} + second\n\n\n"
OLD_AND_NEW = MemoryCode(
    {
        f"{name}.py": "".join(FUNCTION.format(name=name, number=n) for n in range(20))
        for name in ("old", "new")
    }
)
SHOWN = (Lines("old.py", 1, 78),)


def packed_lines(room: int, *, ranked: tuple[str, ...]) -> dict[str, int]:
    """How many lines of each file are packed where the files are ranked so."""
    symbols = tuple(
        RankedSymbol(path, symbol, 1.0, {"bm25": 1.0})
        for path in ranked
        for symbol in OLD_AND_NEW.parsed(path).symbols
    )
    ranking = Ranking((), symbols)
    context = fill(ranking, OLD_AND_NEW, Room(room, TOKENIZER, shown=SHOWN))
    assert context.tokens <= room
    counts = dict.fromkeys(("old.py", "new.py"), 0)
    for each in context.excerpts:
        counts[each.path] += each.end - each.start + 1
    return counts


def test_what_was_shown_takes_half_where_it_crowds_out_the_new() -> None:
    shares = packed_lines(800, ranked=("new.py", "old.py"))
    assert 0.35 < shares["old.py"] / sum(shares.values()) < 0.6


def test_what_was_shown_stays_whole_where_all_fits() -> None:
    assert packed_lines(6000, ranked=("new.py", "old.py")) == {"old.py": 78, "new.py": 78}


def test_what_was_shown_stays_though_nothing_ranks_it() -> None:
    assert packed_lines(6000, ranked=("new.py",)) == {"old.py": 78, "new.py": 78}
