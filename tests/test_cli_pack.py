"""`repoqa pack`, run as its users run it."""

import json
import re
import string
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from commands import QUESTION, SHOP, command, environment, repoqa, repoqa_process, write_profile
from conftest import RepositoryMaker, git
from schemas import validator


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    return make_repository(SHOP)


def packed(*arguments: str, where: Path, **options: Any) -> dict[str, Any]:
    """The report of `pack --json`, valid by its schema."""
    done = repoqa("pack", "--json", *arguments, where=where, **options)
    assert done.code == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    validator("pack").validate(report)
    return report


def without_run(report: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in report.items() if key != "run"}


def test_the_whole_report(shop: Path) -> None:
    report = packed(QUESTION, where=shop)
    assert report["repo"] == "repository"
    assert report["revision"] is None
    assert report["question"] == QUESTION
    assert report["model"] == "smollm2-135m"
    assert report["budget"]["limit"] == 4096
    assert 0 < report["budget"]["used"] <= 4096
    assert {file["path"] for file in report["files"][:2]} == {
        "shop/passwords.py",
        "shop/service.py",
    }
    assert ("shop/passwords.py", "strengthen", "function", 11, 13) in [
        (s["path"], s["name"], s["kind"], s["start"], s["end"]) for s in report["symbols"]
    ]
    assert report["left_out"] == {"symbols": 0, "files_skipped": []}
    assert report["run"]["parsed"] == len(SHOP)
    for ranked in (*report["files"], *report["symbols"]):
        assert sum(ranked["reasons"].values()) == pytest.approx(ranked["score"], abs=1e-6)
    scores = [file["score"] for file in report["files"]]
    assert scores == sorted(scores, reverse=True)


def test_a_second_question_parses_nothing(shop: Path) -> None:
    packed(QUESTION, where=shop)
    again = packed("what is in a basket", where=shop)
    assert again["run"]["parsed"] == 0
    assert again["run"]["reused"] == len(SHOP)


def test_a_corrupted_cache_is_rebuilt_and_the_answer_still_comes(
    shop: Path, own_environment: Path
) -> None:
    before = packed(QUESTION, where=shop)
    files = [path for path in (own_environment / ".cache").rglob("*") if path.is_file()]
    assert files
    for path in files:
        path.write_bytes(b"\x00garbage" * 100)
    after = packed(QUESTION, where=shop)
    assert without_run(after) == without_run(before)
    assert after["run"]["parsed"] == len(SHOP)


def test_the_same_bytes_under_any_hash_seed(shop: Path) -> None:
    def packed_with(seed: str) -> str:
        done = repoqa_process("pack", "--json", QUESTION, where=shop, PYTHONHASHSEED=seed)
        assert done.code == 0
        return done.stdout.partition('"run"')[0]

    assert packed_with("1") == packed_with("4242")


def test_markdown_to_paste_elsewhere(shop: Path) -> None:
    done = repoqa("pack", QUESTION, where=shop, stdin=b"PermissionError: wrong password\n")
    assert done.code == 0
    assert done.stderr == ""
    assert done.stdout.startswith(f"# Question\n\n{QUESTION}\n\n# Code from repository\n\n## ")
    assert "## shop/passwords.py:1-13\n\n```python\n1 " in done.stdout
    assert done.stdout.endswith("# Log\n\n```\nPermissionError: wrong password\n```\n")


def test_any_folder_of_the_repository_works_and_nothing_is_written_there(shop: Path) -> None:
    before = git(shop, "status", "--porcelain", "--ignored")
    inside = packed(QUESTION, where=shop / "shop")
    outside = packed(QUESTION, "--repo", str(shop / "shop"), where=Path("/"))
    assert without_run(inside) == without_run(outside)
    assert "README.md" in {file["path"] for file in inside["files"]}
    assert git(shop, "status", "--porcelain", "--ignored") == before == ""


def test_a_bare_clone_gives_what_a_checkout_gives(shop: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), str(tmp_path / "bare" / "repository"))
    checkout = packed(QUESTION, "--rev", "HEAD", where=shop)
    bare = packed(
        QUESTION, "--rev", "main", "--repo", str(tmp_path / "bare" / "repository"), where=tmp_path
    )
    assert checkout["revision"] == git(shop, "rev-parse", "HEAD")
    assert without_run(bare) == without_run(checkout)


def test_a_log_is_read_from_a_file_too(shop: Path, tmp_path: Path) -> None:
    log = tmp_path / "failure.txt"
    log.write_text('File "/app/shop/basket.py", line 6, in total\nTypeError: bad operand\n')
    report = packed("--log", str(log), where=shop)
    assert report["question"] == ""
    assert report["files"][0]["path"] == "shop/basket.py"
    assert packed(where=shop, stdin=log.read_bytes())["files"] == report["files"]


def test_the_question_itself_comes_through_a_pipe(shop: Path) -> None:
    report = packed("-", where=shop, stdin=f"{QUESTION}\n\nIt was fine in May.\n".encode())
    assert report["question"] == f"{QUESTION}\n\nIt was fine in May."


def test_standard_input_is_left_alone_when_told_so(shop: Path) -> None:
    piped = packed(QUESTION, where=shop, stdin=b"ValueError in shop/basket.py:6\n")
    left = packed(QUESTION, "--no-stdin", where=shop, stdin=b"ValueError in shop/basket.py:6\n")
    assert left["files"] == packed(QUESTION, where=shop)["files"] != piped["files"]


def test_a_pipe_that_sends_nothing_is_mentioned(shop: Path) -> None:
    process = subprocess.Popen(
        command("pack", QUESTION),
        cwd=shop,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stderr
    said = process.stderr.readline().decode()
    assert said == "repoqa: waiting for standard input (--no-stdin leaves it unread)\n"
    stdout, _ = process.communicate()
    assert process.returncode == 0
    assert b"# Code from" in stdout


def test_the_repositorys_settings_are_followed_as_far_as_they_go(shop: Path) -> None:
    (shop / ".repoqa.toml").write_text('budget = "1k"\nignore = ["shop/passwords.py"]\n')
    report = packed(QUESTION, where=shop)
    assert report["budget"]["limit"] == 1000
    assert "shop/passwords.py" not in {file["path"] for file in report["files"]}
    (shop / ".repoqa.toml").write_text('[server]\nurl = "http://evil.example"\n')
    done = repoqa("pack", QUESTION, where=shop)
    assert done.code == 2
    assert "not trusted" in done.stderr


def test_a_budget_over_the_models_is_packed_with_a_word_about_it(shop: Path) -> None:
    write_profile("small", "x", reliable_window=2000, maximum=3000)
    done = repoqa("pack", "--model", "small", "--budget", "5k", "--json", QUESTION, where=shop)
    assert done.code == 0
    assert json.loads(done.stdout)["budget"]["limit"] == 5000
    assert "more than the 3,000" in done.stderr


def test_file_names_of_any_bytes_are_printed_readably(make_repository: RepositoryMaker) -> None:
    root = make_repository({})
    name = b"caf\xe9\x1b[31m.py"
    with open(bytes(root) + b"/" + name, "wb") as file:  # noqa: PTH123
        file.write(b"def login():\n    return 1\n")
    assert "caf\\xe9\x1b[31m.py" in {file["path"] for file in packed("login", where=root)["files"]}
    done = repoqa("pack", "login", where=root)
    assert done.code == 0
    assert "\x1b" not in done.stdout


def test_torch_is_never_imported(shop: Path) -> None:
    script = (
        "import sys\n"
        "from repoqa.cli.app import run\n"
        "from repoqa.terminal.output import standard_output\n"
        "code = run(sys.argv[1:], standard_output())\n"
        "heavy = {'torch', 'transformers'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "sys.exit(code)\n"
    )
    for arguments in (["--help"], ["ask", "--help"], ["pack", QUESTION]):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            cwd=shop,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()


def test_help_starts_nothing_heavy(shop: Path) -> None:
    script = (
        "import sys\n"
        "from repoqa.cli.app import run\n"
        "from repoqa.terminal.output import standard_output\n"
        "assert run(['--help'], standard_output()) == 0\n"
        "heavy = {'torch', 'transformers', 'git', 'rich', 'numpy', 'tiktoken', 'tree_sitter'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], env=environment(), check=True, cwd=shop)


@pytest.mark.parametrize("command", [["pack", "--no-stdin", QUESTION], ["index"]])
def test_the_next_question_does_not_have_git_list_what_it_tracks(
    shop: Path, command: list[str]
) -> None:
    script = (
        "import sys\n"
        "from repoqa.cli.app import run\n"
        "from repoqa.terminal.output import standard_output\n"
        "listed = []\n"
        "def heard(event, details):\n"
        "    if event == 'subprocess.Popen':\n"
        "        listed.append('--stage' in details[1])\n"
        "sys.addaudithook(heard)\n"
        "question = ['pack', '--no-stdin', 'log in']\n"
        "for command in (sys.argv[1:], question):\n"
        "    assert run(command, standard_output()) == 0\n"
        "    print(sum(listed), file=sys.stderr)\n"
    )
    call = [sys.executable, "-c", script, *command]
    done = subprocess.run(call, env=environment(), check=True, cwd=shop, capture_output=True)
    assert done.stderr.decode().split()[-2:] == ["1", "1"]


def test_a_command_imports_none_of_the_others(shop: Path) -> None:
    script = (
        "import sys\n"
        "from repoqa.cli.app import run\n"
        "from repoqa.cli.commands import MODULES\n"
        "from repoqa.terminal.output import standard_output\n"
        "assert run(['pack', '--no-stdin', 'log in'], standard_output()) == 0\n"
        "imported = [n for n in MODULES if f'repoqa.cli.{MODULES[n]}' in sys.modules]\n"
        "assert imported == ['pack'], imported\n"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        check=True,
        cwd=shop,
        stdout=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("command", [["pack"], ["ask", "--dry-run"]])
def test_git_begins_to_look_before_the_rest_is_loaded(shop: Path, command: list[str]) -> None:
    script = (
        "import sys\n"
        "from repoqa.cli.app import run\n"
        "from repoqa.terminal.output import standard_output\n"
        "loaded = []\n"
        "def heard(event, details):\n"
        "    if event == 'subprocess.Popen' and '--others' in details[1]:\n"
        "        loaded.append({'numpy', 'repoqa.models.tokens'} & set(sys.modules))\n"
        "sys.addaudithook(heard)\n"
        "assert run(sys.argv[1:], standard_output()) == 0\n"
        "assert loaded == [set()], loaded\n"
    )
    call = [sys.executable, "-c", script, *command, "--no-stdin", QUESTION]
    subprocess.run(call, env=environment(), check=True, cwd=shop, stdout=subprocess.DEVNULL)


def paths(report: dict[str, Any]) -> set[str]:
    return {file["path"] for file in report["files"]}


def test_globs_choose_the_files_that_are_read(shop: Path) -> None:
    everything = paths(packed(QUESTION, where=shop))
    assert {"shop/passwords.py", "shop/service.py", "README.md"} <= everything
    code = packed("--include", "*.py", "--include", "*.js", QUESTION, where=shop)
    assert paths(code) == everything - {"README.md"}
    assert paths(packed("--exclude", "/shop/pass*", QUESTION, where=shop)) == everything - {
        "shop/passwords.py"
    }
    both = packed("--include", "./shop", "--exclude", "service.py", QUESTION, where=shop / "shop")
    assert paths(both) == everything - {"README.md", "shop/service.py"}


def test_what_globs_leave_out_is_not_listed_as_skipped(shop: Path) -> None:
    (shop / "logo.bin").write_bytes(b"\x00\x01\x02")
    assert "logo.bin" in str(packed(QUESTION, where=shop)["left_out"])
    assert "logo.bin" not in str(packed("--include", "*.py", QUESTION, where=shop)["left_out"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--include", "*.rs"], "--include and --exclude leave none of the 4 files"),
        (["--exclude", "*"], "--include and --exclude leave none of the 4 files"),
        (["--include", "!"], "--include '!' is not a glob"),
    ],
)
def test_globs_that_choose_nothing_are_an_error(shop: Path, options: list[str], said: str) -> None:
    done = repoqa("pack", *options, QUESTION, where=shop)
    assert (done.code, done.stdout) == (2, "")
    assert said in done.stderr
    assert "as in .gitignore" in done.stderr


def test_what_is_pinned_is_shown_whole_and_first_in_rank(shop: Path) -> None:
    place = "shop/basket.py"
    tight = packed("--budget", "400", QUESTION, where=shop)
    assert place not in {excerpt["path"] for excerpt in tight["excerpts"]}
    for pin in ("basket.py", "total", f"{place}:6"):
        where = shop / "shop" if pin == "basket.py" else shop
        report = packed("--budget", "400", "--path", pin, QUESTION, where=where)
        assert report["files"][0]["path"] == place
        assert report["files"][0]["reasons"]["pinned"] == 100
        shown = next(e for e in report["excerpts"] if e["path"] == place)
        assert "return sum(prices)" in shown["text"]
        assert report["budget"]["used"] <= 400


def test_a_file_in_the_folder_one_stands_in_is_the_one_pinned(
    make_repository: RepositoryMaker,
) -> None:
    root = make_repository({"a/main.py": "A = 1\n", "b/main.py": "B = 1\n"})
    assert packed("--path", "main.py:1", "why", where=root / "b")["files"][0]["path"] == "b/main.py"
    done = repoqa("pack", "--path", "main.py", "why", where=root)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == (
        "repoqa: --path main.py may mean 2 things\nName one of them: a/main.py, b/main.py\n"
    )


def test_the_working_trees_diff_is_evidence(shop: Path) -> None:
    basket = shop / "shop" / "basket.py"
    basket.write_text(basket.read_text().replace("sum(prices)", "sum(prices) + 1"))
    question = "why is it a cent too much"
    report = packed("--diff", question, where=shop)
    assert report["files"][0]["path"] == "shop/basket.py"
    assert report["symbols"][0]["name"] == "total"
    assert report["symbols"][0]["reasons"]["diff"] > 0
    text = repoqa("pack", "--diff", question, where=shop).stdout
    assert text.partition("# Diff\n\n")[2].startswith("```diff\ndiff --git a/shop/basket.py ")
    assert "+    return sum(prices) + 1\n```\n" in text
    git(shop, "commit", "--quiet", "--all", "--message", "a cent")
    past = packed("--diff-range", "HEAD~1..HEAD", question, where=shop)
    assert past["symbols"] == report["symbols"]


def test_a_long_diff_takes_at_most_a_quarter(shop: Path) -> None:
    (shop / "shop" / "long.py").write_text("".join(f"VALUE_{n} = {n}\n" for n in range(3000)))
    git(shop, "add", "shop/long.py")
    done = repoqa("ask", "--dry-run", "--diff", "--budget", "2k", QUESTION, where=shop)
    assert done.code == 0
    diff = done.stdout.partition("\nDiff:\n")[2].partition("\nQuestion:")[0]
    assert "lines left out]" in diff
    assert 100 < len(diff) < 3000
    assert "def strengthen" in done.stdout


def test_a_diff_of_nothing_is_mentioned_and_two_are_too_many(shop: Path) -> None:
    done = repoqa("pack", "--diff", QUESTION, where=shop)
    assert (done.code, done.stderr) == (
        0,
        "repoqa: the diff is empty: nothing is changed since HEAD\n",
    )
    assert "# Diff" not in done.stdout
    done = repoqa("pack", "--diff", "--diff-range", "HEAD..HEAD", QUESTION, where=shop)
    assert done.code == 2
    assert "each name a diff" in done.stderr
    done = repoqa("pack", "--diff-range", "HEAD..nowhere", QUESTION, where=shop)
    assert done.code == 3
    assert "nowhere" in done.stderr
    done = repoqa("pack", "--diff-range", "HEAD", QUESTION, where=shop)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == "repoqa: 'HEAD' is not a range of revisions\nWrite it as A..B or A...B.\n"


def test_a_diff_is_a_question_by_itself(shop: Path) -> None:
    basket = shop / "shop" / "basket.py"
    basket.write_text(basket.read_text().replace("sum(prices)", "sum(prices) + 1"))
    report = packed("--diff", where=shop)
    assert (report["question"], report["symbols"][0]["name"]) == ("", "total")
    git(shop, "commit", "--quiet", "--all", "--message", "a cent")
    assert packed("--diff-range", "HEAD~1..HEAD", where=shop)["symbols"] == report["symbols"]
    done = repoqa("pack", "--diff", where=shop)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.splitlines()[:2] == [
        "repoqa: the diff is empty: nothing is changed since HEAD",
        "repoqa: there is no question",
    ]


def rows_of(table: str) -> dict[str, tuple[int, str]]:
    """The rows of `--explain`: what, its tokens and why."""
    found = re.findall(r"^(\S+) +([\d,]+)  (.+)$", table, re.MULTILINE)
    return {what: (int(tokens.replace(",", "")), why) for what, tokens, why in found}


def test_a_table_of_what_was_chosen_and_why(shop: Path) -> None:
    done = repoqa("pack", "--explain", "--path", "shop/basket.py", QUESTION, where=shop)
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].split() == ["what", "tokens", "why"]
    assert done.stdout.endswith(
        "\nLeft out: 0 of 9 ranked symbols, which did not fit; 0 files, which --json lists.\n"
    )
    report = packed("--path", "shop/basket.py", QUESTION, where=shop)
    rows = rows_of(done.stdout)
    all_tokens, limit = rows.pop("all")
    assert all_tokens == report["budget"]["used"] == sum(tokens for tokens, _ in rows.values())
    assert limit == f"of 4,096 ({report['budget']['tokenizer']}, an upper bound)"
    names = ["instructions", *(f"{e['path']}:{e['start']}-{e['end']}" for e in report["excerpts"])]
    assert list(rows) == [*names, "question"]
    assert "(and 1 more): pinned by the user" in rows["shop/basket.py:1-6"][1]
    assert "log_in" in str(rows)


def test_a_long_log_is_cut_to_a_quarter_and_the_table_says_so(shop: Path) -> None:
    lines = [f"{n} all is well" for n in range(20_000)]
    lines[500] = "PermissionError: wrong password"
    log = "\n".join(lines).encode()
    done = repoqa("pack", "--explain", QUESTION, where=shop, stdin=log)
    tokens, said = rows_of(done.stdout)["log"]
    assert 500 < tokens <= 1024
    left_out = re.fullmatch(r"given, cut to a quarter: ([\d,]+) of 20,000 lines left out", said)
    assert left_out
    text = repoqa("pack", QUESTION, where=shop, stdin=log).stdout.partition("# Log")[2]
    kept = [line for line in text.splitlines() if "all is well" in line or "Error" in line]
    assert 20_000 - len(kept) == int(left_out[1].replace(",", ""))
    assert "PermissionError: wrong password" in kept
    assert "lines left out]" in text


def test_a_table_cannot_be_json(shop: Path) -> None:
    done = repoqa("pack", "--explain", "--json", QUESTION, where=shop)
    assert (done.code, done.stdout) == (2, "")


def test_secrets_are_redacted_and_counted_unless_they_are_to_stay(shop: Path) -> None:
    token = "ghp_" + "".join(Random(1).choices(string.ascii_letters + string.digits, k=36))
    service = shop / "shop" / "service.py"
    service.write_text(service.read_text() + f'\nTOKEN = "{token}"\n')
    log = f"PermissionError: {token} was refused\n".encode()
    done = repoqa("pack", QUESTION, where=shop, stdin=log)
    assert token not in done.stdout
    assert "PermissionError: [redacted" in done.stdout
    assert done.stderr == (
        "repoqa: 2 secrets are redacted in the prompt (--no-redact leaves them in)\n"
    )
    assert token not in repoqa("pack", "--json", QUESTION, where=shop, stdin=log).stdout
    kept = repoqa("pack", "--no-redact", QUESTION, where=shop, stdin=log)
    assert kept.stdout.count(token) == 2
    assert kept.stderr == ""
