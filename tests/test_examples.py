"""The examples are real: their tests run, and fail only for the planted bug."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import environment, repoqa, write_profile
from conftest import git

from repoqa.models.profile import load_profile
from repoqa.settings import profile_directory

EXAMPLES = Path(__file__).parent.parent / "examples"
LOGIN = EXAMPLES / "login"
INVOICES = EXAMPLES / "invoices"
BROKEN = "replace(stored, salt=salt, digest="
MENDED = "replace(stored, rounds=policy.rounds, salt=salt, digest="


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    """A copy of the example's project."""
    return Path(shutil.copytree(LOGIN / "accounts", tmp_path / "accounts"))


def run_its_tests(project: Path) -> subprocess.CompletedProcess[str]:
    # pytest prints more where it believes to be in CI.
    given = {
        name: value for name, value in os.environ.items() if name not in ("CI", "BUILD_NUMBER")
    }
    plain = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "COLUMNS": "80"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=project,
        env={**given, **plain, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )


def comparable(output: str) -> str:
    """What pytest printed, without addresses, times, versions and folders."""
    failures = output.partition("FAILURES")[2]
    return re.sub(r"0x[0-9a-f]+|\d+\.\d+s", "…", failures).replace("=", "")


def test_the_kept_failure_is_what_its_tests_print(accounts: Path) -> None:
    done = run_its_tests(accounts)
    assert done.returncode == 1
    assert "1 failed, 11 passed" in done.stdout
    kept = (LOGIN / "failure.txt").read_text(encoding="utf-8")
    assert comparable(done.stdout) == comparable(kept)


def test_the_fix_that_the_readme_names_mends_it(accounts: Path) -> None:
    module = accounts / "accounts" / "passwords.py"
    source = module.read_text(encoding="utf-8")
    assert source.count(BROKEN) == 1
    module.write_text(source.replace(BROKEN, MENDED), encoding="utf-8")
    assert run_its_tests(accounts).returncode == 0
    assert "rounds=policy.rounds" in (LOGIN / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def own_models() -> Path:
    """The folder of the user's own profiles, with those of the examples in it."""
    return Path(shutil.copytree(EXAMPLES / "models", profile_directory()))


def test_the_script_asks_with_the_profile_that_recites(accounts: Path, own_models: Path) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "ask_from_python.py", accounts, "log in fails", "rehearsed"],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    suspects, _, answer = done.stdout.partition("\n\n")
    assert "accounts/service.py:45-56  AccountService.log_in: " in suspects
    text, _, verdict = answer.rpartition("\n\n")
    assert text == (own_models / "rehearsed.txt").read_text(encoding="utf-8").strip()
    assert verdict == "2 of 2 places named exist\n"


def test_the_script_tells_what_is_wrong(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "ask_from_python.py", tmp_path / "absent", "why"],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "there is no folder" in done.stderr


def test_the_profile_of_a_server_is_one(accounts: Path, own_models: Path) -> None:
    profile = load_profile("team-server", directories=(own_models,))
    assert (profile.engine, profile.reliable_window, profile.maximum) == ("server", 16_000, 32_000)
    told = repoqa("doctor", "--repo", str(accounts), where=accounts)
    assert re.search(r"^ok  model team-server +asks http://localhost:8000/v1$", told.stdout, re.M)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with the TypeScript example."""
    root = Path(shutil.copytree(INVOICES / "shop", tmp_path / "shop"))
    git(root, "init", "--quiet")
    return root


def test_the_kept_trace_fits_the_typescript_project(shop: Path) -> None:
    trace = (INVOICES / "failure.txt").read_text(encoding="utf-8")
    frames = re.findall(r"at (?:new )?([\w.]+|<anonymous>) \(/app/([\w/.]+):(\d+):(\d+)\)", trace)
    assert [path for _, path, _, _ in frames] == [
        "src/money.ts",
        "src/pricing.ts",
        "src/invoice.ts",
        "src/main.ts",
        "src/main.ts",
    ]
    called = ["new NegativeAmountError", "minus(", "discounted(", "new Invoice(", "main("]
    for (_, path, line, column), text in zip(frames, called, strict=True):
        source = (shop / path).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        assert source[int(column) - 1 :].startswith(text)


def test_the_cause_that_the_trace_does_not_name_is_packed(shop: Path) -> None:
    trace = (INVOICES / "failure.txt").read_bytes()
    done = repoqa("pack", "--json", where=shop, stdin=trace)
    assert done.code == 0, done.stderr
    report = json.loads(done.stdout)
    source = (shop / "src" / "coupons.ts").read_text(encoding="utf-8").splitlines()
    cause = 1 + next(n for n, line in enumerate(source) if "Number(value.slice(0, -1))" in line)
    assert any(
        excerpt["path"] == "src/coupons.ts" and excerpt["start"] <= cause <= excerpt["end"]
        for excerpt in report["excerpts"]
        if excerpt["form"] == "full"
    )
    assert [file["path"] for file in report["files"][:2]] == ["src/money.ts", "src/pricing.ts"]


def test_asking_with_the_trace_alone(shop: Path) -> None:
    answer = "`readCoupon` (src/coupons.ts:15-26) keeps 15 for 15%, see src/pricing.ts:23.\n"
    write_profile("reciter", answer)
    trace = (INVOICES / "failure.txt").read_bytes()
    done = repoqa("ask", "--model", "reciter", where=shop, stdin=trace)
    assert done.code == 0
    suspects, _, told = done.stdout.partition("\n\n")
    assert "src/money.ts" in suspects
    assert told == answer
    assert "2 places named, all in this code" in done.stderr
