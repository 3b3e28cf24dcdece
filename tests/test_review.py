"""`repoqa review`, run as its users run it, with a model that recites."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from commands import Done, repoqa, write_profile
from conftest import RepositoryMaker, git, write_files
from jsonschema import Draft202012Validator
from review_code import PYTHON
from schemas import validator

from repoqa.diagnosis.prepare import Setup
from repoqa.index.store import Store
from repoqa.models.profile import load_profile
from repoqa.models.tokens import tokenizer_for
from repoqa.protocols import Silent
from repoqa.repository.plumbing import open_git
from repoqa.review.ask import prompts_for
from repoqa.review.chosen import Wanted, choose
from repoqa.review.review import reach

FINDINGS = """\
Here is what I found:
1. **shop/passwords.py:2**: Error: many rounds repeat the salt as well (confidence: 80%)
- `passwords.py:2`: warning - many rounds repeat the salt as well
shop/ghost.py:3: error: this file reads what is not there
README.md:1: info: the shop is not described well enough
shop/passwords.py:99: note: `derive` does not hash what it is given
"""
LEFT = (
    "shop/admin.py:5: error: derive no longer fits: it takes 3 arguments "
    "(password, salt, rounds), this gives 1 argument and salt=",
    "shop/login.py:5: error: derive no longer fits: it takes 3 arguments "
    "(password, salt, rounds), this gives 2 arguments",
)


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    """A repository whose second commit changes a signature and leaves two callers behind."""
    write_profile("reviewer", FINDINGS)
    root = make_repository({**PYTHON.files, "README.md": "# Shop\n"})
    write_files(root, PYTHON.now)
    git(root, "commit", "--quiet", "--all", "--message=Second")
    return root


def review(*arguments: str, where: Path, stdin: bytes | None = None) -> Done:
    return repoqa("review", *arguments, where=where, stdin=stdin)


def reported(*arguments: str, where: Path, code: int = 0) -> dict[str, Any]:
    """The report of `review --json`, valid by its schema."""
    done = review("--json", *arguments, where=where)
    assert done.code == code, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    validator("review").validate(report)
    return report


def test_what_a_person_sees(shop: Path) -> None:
    done = review("HEAD~1..HEAD", "--model", "reviewer", where=shop)
    assert done.code == 0
    *findings, _ = done.stdout.splitlines()[4:]
    assert done.stdout.splitlines()[:4] == [
        "1 symbol changes in 1 file",
        "  shop/passwords.py:1-2  derive: signature; 2 uses elsewhere, 2 do not fit; "
        "1 test reaches it",
        *LEFT,
    ]
    assert findings[0].startswith(
        "shop/passwords.py:2: error: many rounds repeat the salt as well ["
    )
    assert findings[1].startswith(
        "shop/passwords.py:1: info: derive does not hash what it is given ["
    )
    assert findings[2] == "  dropped: 1 of no such file, 1 outside the diff, 1 repeated"
    assert done.stderr == ""


def test_the_report_for_programs(shop: Path) -> None:
    report = reported("HEAD~1..HEAD", "--model", "reviewer", where=shop)
    assert report["range"]["kind"] == "range"
    assert report["range"]["new"] == git(shop, "rev-parse", "HEAD")
    (change,) = report["impact"]
    assert (change["change"], change["symbol"]) == ("signature", "derive")
    assert [(c["path"], c["line"], c["fits"]) for c in change["callers"]] == [
        ("shop/admin.py", 5, False),
        ("shop/login.py", 5, False),
    ]
    assert change["tests"] == [
        {"path": "tests/test_login.py", "line": 5, "symbol": "test_log_in", "hops": 2}
    ]
    assert [(f["severity"], f["confidence"]) for f in report["findings"]] == [
        ("error", 0.8),
        ("info", 0.5),
    ]
    assert report["dropped"] == {"of no such file": 1, "outside the diff": 1, "repeated": 1}
    assert report["run"]["model"] == "reviewer"


def test_the_same_bytes_each_time(shop: Path) -> None:
    first = reported("HEAD~1..HEAD", "--model", "reviewer", where=shop)
    again = reported("HEAD~1..HEAD", "--model", "reviewer", where=shop)
    assert {**first, "run": None} == {**again, "run": None}


@pytest.mark.parametrize(
    "arguments", [("HEAD~1..HEAD",), ("HEAD~1...HEAD",), ("HEAD~1",), ("HEAD~1..",)]
)
def test_ranges(shop: Path, arguments: tuple[str, ...]) -> None:
    assert LEFT[0] in review(*arguments, "--no-model", where=shop).stdout


def test_what_is_not_committed(shop: Path) -> None:
    git(shop, "reset", "--quiet", "--soft", "HEAD~1")
    for option in ("--staged", "--worktree"):
        assert LEFT[0] in review(option, "--no-model", where=shop).stdout
    git(shop, "reset", "--quiet")
    assert LEFT[0] in review("--worktree", "--no-model", where=shop).stdout
    staged = review("--staged", "--no-model", where=shop)
    assert staged.stdout == "No function, type or value changes.\n"


def test_what_is_staged_is_read_as_it_was_staged(shop: Path) -> None:
    git(shop, "reset", "--quiet", "--soft", "HEAD~1")
    write_files(shop, PYTHON.updated)
    assert LEFT[0] in review("--staged", "--no-model", where=shop).stdout
    assert "error" not in review("--worktree", "--no-model", where=shop).stdout


def test_the_default_is_what_a_push_would_send(shop: Path) -> None:
    done = review("--no-model", where=shop)
    assert done.code == 3
    assert "there is no remote" in done.stderr
    git(shop, "init", "--quiet", "--bare", "../remote.git")
    git(shop, "remote", "add", "origin", "../remote.git")
    git(shop, "push", "--quiet", "origin", "HEAD~1:refs/heads/main")
    assert LEFT[0] in review("--no-model", where=shop).stdout
    git(shop, "push", "--quiet", "--set-upstream", "origin", "main")
    done = review("--no-model", where=shop)
    assert (done.code, done.stdout) == (0, "No function, type or value changes.\n")


@pytest.mark.parametrize("arguments", [("-",), ()])
@pytest.mark.parametrize("is_applied", [True, False])
def test_a_patch_from_standard_input(
    shop: Path, *, arguments: tuple[str, ...], is_applied: bool
) -> None:
    patch = git(shop, "diff", "HEAD~1", "HEAD")
    if not is_applied:
        git(shop, "reset", "--quiet", "--hard", "HEAD~1")
    done = review(*arguments, "--no-model", where=shop, stdin=f"{patch}\n".encode())
    assert done.code == 0, done.stderr
    assert LEFT[0] in done.stdout


def test_a_patch_that_does_not_apply_is_told(shop: Path) -> None:
    patch = git(shop, "diff", "HEAD~1", "HEAD")
    write_files(shop, {"shop/passwords.py": "x = 1\n"})
    done = review("-", "--no-model", where=shop, stdin=f"{patch}\n".encode())
    assert "shop/passwords.py: the patch does not fit the working tree at line 1" in done.stdout


def test_what_is_no_patch(shop: Path) -> None:
    done = review("-", where=shop, stdin=b"why does this fail\n")
    assert (done.code, done.stderr.splitlines()[0]) == (
        2,
        "repoqa: what came from standard input is no patch",
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--block-on", "error"], 1),
        (["--block-on", "warning"], 1),
        ([], 0),
        (["--block-on", "error", "--exclude", "shop/login.py", "--exclude", "shop/admin.py"], 0),
    ],
)
def test_the_exit_code_says_no_only_where_it_is_asked_to(
    shop: Path, arguments: list[str], code: int
) -> None:
    assert review("HEAD~1..HEAD", "--no-model", *arguments, where=shop).code == code


def test_a_changed_file_that_is_excluded_is_not_reviewed(shop: Path) -> None:
    report = reported("HEAD~1..HEAD", "--no-model", "--exclude", "shop/passwords.py", where=shop)
    assert report["impact"] == []
    assert [one["path"] for one in report["not_reviewed"]] == ["shop/passwords.py"]


def test_a_finding_that_was_dismissed_stays_away(shop: Path) -> None:
    range_ = ("HEAD~1..HEAD", "--model", "reviewer")
    (first, second) = reported(*range_, where=shop)["findings"]
    done = review("--dismiss", first["id"][:6], where=shop)
    assert done.code == 0
    assert "many rounds repeat the salt" in done.stderr
    report = reported(*range_, where=shop)
    assert [finding["id"] for finding in report["findings"]] == [second["id"]]
    assert report["dropped"]["dismissed before"] == 2
    assert git(shop, "status", "--porcelain") == ""
    unknown = review("--dismiss", "ffffffffff", where=shop)
    assert (unknown.code, "no finding shown here" in unknown.stderr) == (2, True)


def test_an_answer_is_kept_so_that_asking_again_is_instant(shop: Path) -> None:
    range_ = ("HEAD~1..HEAD", "--model", "reviewer")
    first = reported(*range_, where=shop)
    write_profile("reviewer", "NONE\n")
    assert reported(*range_, where=shop)["findings"] == first["findings"]
    write_profile("reviewer", "NONE\n", maximum=9000)
    assert reported(*range_, where=shop)["findings"] == []


def test_a_model_that_fails_leaves_the_impact(shop: Path) -> None:
    write_profile("missing", "", weights="./gone.txt")
    report = reported("HEAD~1..HEAD", "--model", "missing", where=shop, code=3)
    assert report["run"]["problem"].startswith("the model gave no findings: ")
    assert report["impact"]
    done = review("HEAD~1..HEAD", "--model", "missing", where=shop)
    assert (done.code, LEFT[0] in done.stdout) == (3, True)


def test_the_model_that_nobody_chose_is_not_asked(shop: Path) -> None:
    done = review("HEAD~1..HEAD", where=shop)
    assert done.code == 0
    assert "too small to review code" in done.stderr
    assert LEFT[0] in done.stdout


def test_at_most_so_many_findings(make_repository: RepositoryMaker) -> None:
    root = make_repository({"a.py": "".join(f"x{n} = {n}\n" for n in range(9))})
    write_files(root, {"a.py": "".join(f"x{n} = -{n}\n" for n in range(9))})
    texts = ("negative by now", "wrong sign here", "breaks callers badly", "overflows soon enough")
    said = [f"a.py:{n + 1}: info: {text} {'very ' * n}much" for n, text in enumerate(texts)]
    write_profile("talker", "\n".join([*said, "a.py:9: error: this one is the gravest of all"]))
    report = reported("--worktree", "--model", "talker", where=root)
    assert [finding["line"] for finding in report["findings"]] == [9, 1, 2]
    assert report["dropped"] == {"over --max-findings": 2}
    none = reported("--worktree", "--model", "talker", "--max-findings", "0", where=root)
    assert none["findings"] == []


def test_a_large_diff_is_asked_about_in_parts(make_repository: RepositoryMaker) -> None:
    def code(sign: str) -> dict[str, str]:
        body = "".join(f"    value = {sign}value * {n} + offset\n" for n in range(12))
        return {f"f{n:02}.py": f"def f{n}(value, offset):\n{body}" for n in range(40)}

    root = make_repository(code(""))
    write_files(root, code("-"))
    write_profile("reviewer", "f03.py:2: error: the sign of the value is wrong\n")
    report = reported("--worktree", "--model", "reviewer", "--budget", "1200", where=root)
    assert len(report["findings"]) == 1
    assert report["dropped"]["repeated"] > 1, "one answer for each part"
    assert report["not_reviewed"]
    assert {one["why"] for one in report["not_reviewed"]} == {
        "over 8 prompts: the model was not asked about this part"
    }
    small = review("--worktree", "--model", "reviewer", "--budget", "100", where=root)
    assert (small.code, "--budget" in small.stderr) == (2, True)


@pytest.mark.parametrize("budget", [500, 2500])
def test_no_prompt_is_over_its_budget(make_repository: RepositoryMaker, budget: int) -> None:
    def code(sign: str) -> dict[str, str]:
        body = "".join(f"    value = {sign}value * {n} + offset\n" for n in range(9))
        calls = "".join(f"def use{n}():\n    return f1(1, 2)\n\n\n" for n in range(30))
        functions = {f"f{n}.py": f"def f{n}(value, offset):\n{body}" for n in range(9)}
        return {**functions, "uses.py": f"from f1 import f1\n\n\n{calls}"}

    root = make_repository(code(""))
    write_files(root, code("-"))
    git_of_root = open_git(root)
    assert git_of_root
    chosen = choose(git_of_root, Wanted(worktree=True))
    reached = reach(chosen, Store(None), progress=Silent())
    profile = load_profile("smollm2-135m")
    setup = Setup(profile, tokenizer_for(profile, cache=root.parent), budget, cache=None)
    asking = prompts_for(reached, setup, most=3)
    assert asking.prompts
    assert max(prompt.tokens for prompt in asking.prompts) <= budget
    shown = "".join(prompt.messages[1].content for prompt in asking.prompts)
    left_out = {one.path for one in asking.not_reviewed}
    for n in range(9):
        lines = [f"{line} +     value = -value * {line - 2} + offset" for line in range(2, 11)]
        assert f"f{n}.py" in left_out or all(line in shown for line in lines)
    assert "return f1(1, 2)" in shown, "the room that is left is for callers"


def test_secrets_are_kept_from_the_model(make_repository: RepositoryMaker) -> None:
    key = "AKIA" + "IOSFODNN7EXAMPLQ"
    root = make_repository({"a.py": "x = 1\n"})
    write_files(root, {"a.py": f'aws_access_key_id = "{key}"\n'})
    write_profile("reviewer", "NONE\n")
    done = review("--worktree", "--model", "reviewer", where=root)
    assert "1 secret is redacted in the prompt" in done.stderr


# What a reader of SARIF 2.1.0 needs of it; the whole schema was held against it by hand.
SARIF: Mapping[str, Any] = {
    "type": "object",
    "required": ["version", "runs", "$schema"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "tool": {"$ref": "#/$defs/tool"},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
                    "invocations": {"type": "array", "items": {"$ref": "#/$defs/invocation"}},
                },
            },
        },
    },
    "$defs": {
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": {
            "type": "object",
            "required": ["text"],
            "additionalProperties": False,
            "properties": {"text": {"type": "string"}},
        },
        "tool": {
            "type": "object",
            "required": ["driver"],
            "properties": {
                "driver": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "rules": {
                            "type": "array",
                            "uniqueItems": True,
                            "items": {"type": "object", "required": ["id"]},
                        }
                    },
                }
            },
        },
        "invocation": {
            "type": "object",
            "required": ["executionSuccessful"],
            "additionalProperties": False,
            "properties": {
                "executionSuccessful": {"type": "boolean"},
                "toolExecutionNotifications": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["message"],
                        "additionalProperties": False,
                        "properties": {
                            "level": {"$ref": "#/$defs/level"},
                            "message": {"$ref": "#/$defs/message"},
                        },
                    },
                },
            },
        },
        "result": {
            "type": "object",
            "required": ["message", "ruleId", "locations"],
            "additionalProperties": False,
            "properties": {
                "ruleId": {"enum": ["impact", "finding"]},
                "level": {"$ref": "#/$defs/level"},
                "message": {"$ref": "#/$defs/message"},
                "rank": {"type": "number", "minimum": 0, "maximum": 100},
                "partialFingerprints": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                },
                "locations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["physicalLocation"],
                        "additionalProperties": False,
                        "properties": {
                            "physicalLocation": {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": {
                                    "artifactLocation": {
                                        "type": "object",
                                        "additionalProperties": False,
                                        "properties": {
                                            "uri": {"type": "string", "format": "uri-reference"},
                                            "uriBaseId": {"type": "string"},
                                        },
                                    },
                                    "region": {
                                        "type": "object",
                                        "additionalProperties": False,
                                        "properties": {
                                            "startLine": {"type": "integer", "minimum": 1}
                                        },
                                    },
                                },
                            }
                        },
                    },
                },
            },
        },
    },
}


def test_sarif(shop: Path) -> None:
    write_files(shop, {"shop/a b%.bin": b"\0"})
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "--message=Third")
    done = review("HEAD~2..HEAD", "--model", "reviewer", "--sarif", where=shop)
    report = json.loads(done.stdout)
    Draft202012Validator(SARIF).validate(report)
    (run,) = report["runs"]
    places = [
        (
            result["level"],
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            result["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for result in run["results"]
    ]
    assert places == [
        ("error", "shop/admin.py", 5),
        ("error", "shop/login.py", 5),
        ("error", "shop/passwords.py", 2),
        ("note", "shop/passwords.py", 1),
    ]
    assert run["results"][2]["rank"] == 80.0
    told = run["invocations"][0]["toolExecutionNotifications"]
    assert told == [{"level": "note", "message": {"text": "shop/a b%.bin: binary"}}]
