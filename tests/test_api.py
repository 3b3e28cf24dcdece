"""The Python interface: what it gives is what the command line prints."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import ANSWER, QUESTION, ROOT, SHOP, repoqa, write_profile
from conftest import RepositoryMaker, git

from repoqa import Options, RepoqaError, ask, open_repository, pack
from repoqa.answers.suspects import suspects
from repoqa.errors import BudgetError, RepositoryError, UsageError
from repoqa.formats.json import encode, pack_report

LOG = 'Traceback (most recent call last):\n  File "shop/service.py", line 13, in log_in\nKeyError\n'


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    write_profile("reciter", ANSWER)
    return make_repository(SHOP)


def printed(command: str, *arguments: str, where: Path, log: str = "") -> Any:
    """What a command prints as JSON, but for how long it took."""
    done = repoqa(command, "--json", *arguments, where=where, stdin=log.encode() or None)
    assert done.code == 0, done.stderr
    return without_run(json.loads(done.stdout))


def without_run(report: Any) -> Any:
    return {key: value for key, value in report.items() if key != "run"}


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ([], Options()),
        (["--budget", "1k"], Options(budget="1k")),
        (["--budget", "1000", "--model", "reciter"], Options(budget=1000, model="reciter")),
        (["--exclude", "README.md"], Options(exclude=["README.md"])),
        (["--include", "shop/*.py"], Options(include=["shop/*.py"])),
        (["--path", "total"], Options(paths=["total"])),
        (["--diff"], Options(diff=True)),
        (["--diff-range", "HEAD~1..HEAD"], Options(diff_range="HEAD~1..HEAD")),
        (["--no-redact"], Options(redact=False)),
    ],
)
def test_pack_is_the_command_with_each_option(
    shop: Path, arguments: list[str], options: Options
) -> None:
    (shop / "shop" / "basket.py").write_text('TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"\n')
    git(shop, "commit", "--quiet", "--all", "--message=Second")
    (shop / "shop" / "basket.py").write_text("def total(prices):\n    return max(prices)\n")
    packed = pack(QUESTION, open_repository(shop), options=options)
    assert without_run(json.loads(encode(pack_report(packed)))) == printed(
        "pack", QUESTION, *arguments, where=shop
    )


def test_a_log_and_a_revision(shop: Path) -> None:
    first = git(shop, "rev-parse", "HEAD")
    (shop / "shop" / "service.py").unlink()
    packed = pack(QUESTION, open_repository(shop, revision=first), options=Options(log=LOG))
    command = printed("pack", QUESTION, "--rev", first, where=shop, log=LOG)
    assert without_run(json.loads(encode(pack_report(packed)))) == command
    assert packed.snapshot.revision == first
    assert packed.question.frames[0].line == 13


def test_ask_is_the_command(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop / "shop")
    diagnosis = ask(QUESTION, options=Options(model="reciter"))
    assert diagnosis.suspects == suspects(diagnosis.preparation.ranking)
    assert "".join(diagnosis.stream()) == ANSWER.strip()
    answer = diagnosis.answer()
    command = printed("ask", QUESTION, "--model", "reciter", where=shop)
    assert command["answer"] == answer.text
    assert [(c["text"], c["valid"]) for c in command["citations"]] == [
        (citation.text, citation.valid) for citation in answer.citations
    ]
    assert [suspect["path"] for suspect in command["suspects"]] == [
        suspect.path for suspect in diagnosis.suspects
    ]
    assert [c.valid for c in diagnosis.check("see shop/service.py:1, not :900").citations] == [True]


def test_the_notes_of_the_command_line_are_told(shop: Path) -> None:
    notes: list[str] = []
    pack(QUESTION, open_repository(shop), options=Options(budget="5k"), note=notes.append)
    done = repoqa("pack", QUESTION, "--budget", "5k", where=shop)
    assert notes
    assert done.stderr == "".join(f"repoqa: {note}\n" for note in notes)


def test_nothing_is_printed(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ask(QUESTION, open_repository(shop), options=Options(model="reciter", budget="5k")).answer()
    assert capfd.readouterr() == ("", "")


def test_errors_are_the_command_lines(shop: Path, tmp_path: Path) -> None:
    repository = open_repository(shop)
    with pytest.raises(RepositoryError):
        open_repository(tmp_path / "absent")
    with pytest.raises(RepositoryError, match="v9"):
        open_repository(shop, revision="v9")
    with pytest.raises(BudgetError):
        ask(QUESTION, repository, options=Options(budget="200k"))
    with pytest.raises(UsageError, match="there is no question"):
        pack("  ", repository)
    with pytest.raises(UsageError, match="'lots' is not a number"):
        pack(QUESTION, repository, options=Options(budget="lots"))
    with pytest.raises(RepoqaError, match="'smolm'"):
        pack(QUESTION, repository, options=Options(model="smolm"))


def test_importing_loads_nothing_until_a_name_is_used() -> None:
    code = """
import sys
before = set(sys.modules)
import repoqa
assert {name for name in sys.modules if name.startswith("repoqa")} == {"repoqa"}
assert set(repoqa.__all__) <= set(dir(repoqa))
assert not {"git", "torch", "msgspec", "numpy", "tree_sitter"} & (set(sys.modules) - before)
repoqa.pack
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_an_unknown_name_is_an_attribute_error() -> None:
    import repoqa as package

    with pytest.raises(AttributeError, match="'aks'"):
        package.aks  # noqa: B018
