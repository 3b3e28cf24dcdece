"""`repoqa doctor`: what it finds in good and in bare surroundings, and what it never says."""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import ROOT, SHOP, Done, environment, repoqa, repoqa_process, write_profile
from conftest import RepositoryMaker, Unprivileged, git

from repoqa.checkup.places import why_not_writable
from repoqa.errors import RepositoryError
from repoqa.models.hardware import cards, torch_build
from repoqa.models.profile import profile_names
from repoqa.repository.snapshot import open_snapshot
from repoqa.settings import config_path, profile_directory

WITHOUT_TORCH = """
import sys
from repoqa.cli.app import run
from repoqa.terminal.output import standard_output
status = run(["doctor"], standard_output())
assert "torch" not in sys.modules
sys.exit(status)
"""
SUBJECTS = ("Python", "git", "grammars", "repository", "settings", "cache", "state", "device")


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    return make_repository(SHOP)


def marks(done: Done) -> dict[str, str]:
    """The mark of each check that was printed, by its subject."""
    assert "Traceback" not in done.stderr
    return {
        subject.strip(): mark
        for mark, subject in re.findall(r"^(ok|--|NO)  (.*?)  ", done.stdout, re.MULTILINE)
    }


def advice(done: Done, subject: str) -> tuple[str, str, str]:
    """What was found for a subject, what it costs, and what mends it."""
    found = re.search(
        rf"^(?:--|NO)  {re.escape(subject)} +(.*)\n +cost  (.*)\n +mend  (.*)$",
        done.stdout,
        re.MULTILINE,
    )
    assert found, done.stdout
    return found[1], found[2], found[3]


def test_with_a_model_everything_is_told_and_fine(shop: Path, own_environment: Path) -> None:
    write_profile("parrot", "It works.")
    config_path().write_text('model = "parrot"\n', encoding="utf-8")
    done = repoqa("doctor", where=shop)
    assert done.code == 0
    told = marks(done)
    assert [subject for subject in SUBJECTS if told[subject] != "ok"] in ([], ["device"])
    assert (told["model parrot"], told["server"]) == ("ok", "ok")
    assert sys.executable in done.stdout
    assert "4 files" in done.stdout
    assert str(own_environment / ".cache" / "repoqa") in done.stdout
    assert done.stdout.endswith("`repoqa ask` can answer here.\n")
    assert repoqa("ask", "why", where=shop).code == 0


def test_without_a_model_it_fails_and_says_how_to_get_one(shop: Path) -> None:
    done = repoqa("doctor", where=shop)
    assert done.code == 3
    found, cost, remedy = advice(done, "model smollm2-135m")
    assert "not on this machine" in found
    assert "93 MB" in cost
    assert "repoqa ask --model smollm2-135m" in remedy
    more = re.search(r"^ok  models +(\d+) more, .*: repoqa models list$", done.stdout, re.MULTILINE)
    assert more
    assert int(more[1]) == len(profile_names()) - 1  # also a server's, which nobody named
    assert "cannot answer here" in done.stdout


def test_weights_of_the_hub_are_pulled_by_repoqa_itself(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPOQA_MODEL", "codellama-7b-instruct")
    remedy = advice(repoqa("doctor", where=shop), "model codellama-7b-instruct")[2]
    assert remedy == "repoqa models pull codellama-7b-instruct"


def test_another_model_that_is_here_is_offered(shop: Path) -> None:
    write_profile("parrot", "It works.")
    done = repoqa("doctor", where=shop)
    assert done.code == 0
    assert marks(done)["model smollm2-135m"] == "--"
    assert advice(done, "model smollm2-135m")[2].endswith("or export REPOQA_MODEL=parrot")


def test_a_server_is_named_but_neither_asked_nor_its_secrets_shown(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPOQA_SERVER_URL", "http://ada:hunter2@model.invalid:8000/v1")
    monkeypatch.setenv("REPOQA_API_KEY", "sk-secret")
    done = repoqa("doctor", where=shop)
    assert done.code == 0
    assert "http://model.invalid:8000/v1, with a key" in done.stdout
    told = repoqa("doctor", "--settings", where=shop)
    assert told.code == 0
    for secret in ("hunter2", "sk-secret"):
        assert secret not in done.stdout + told.stdout


def test_wrong_settings_are_told_with_everything_else(shop: Path) -> None:
    (shop / ".repoqa.toml").write_text('[server]\nurl = "http://evil.example"\n')
    done = repoqa("doctor", where=shop)
    assert done.code == 3
    found, _, remedy = advice(done, "settings")
    assert "`server.url`" in found
    assert "not trusted" in found
    assert "Remove it" in remedy
    assert set(SUBJECTS) <= set(marks(done))


def test_a_profile_that_is_none_is_told(shop: Path) -> None:
    write_profile("parrot", "It works.")
    (profile_directory() / "broken.toml").write_text("engine = 3\n")
    done = repoqa("doctor", where=shop)
    assert done.code == 0
    assert "broken.toml" in advice(done, "model broken")[0]


def test_an_unknown_model_is_told_with_the_nearest(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPOQA_MODEL", "smolm")
    done = repoqa("doctor", where=shop)
    assert done.code == 3
    assert "smollm2-135m" in advice(done, "model smolm")[2]


def test_outside_a_repository_the_machine_is_still_examined(tmp_path: Path) -> None:
    write_profile("parrot", "It works.")
    done = repoqa("doctor", where=tmp_path)
    assert done.code == 0
    assert "--repo DIR" in advice(done, "repository")[2]


def test_a_repository_of_another_owner(shop: Path) -> None:
    write_profile("parrot", "It works.")
    for path in (shop, *shop.rglob("*")):
        os.chown(path, 12345, 12345, follow_symlinks=False)
    done = repoqa("doctor", where=shop)
    assert done.code == 3
    command = re.search(r"git (config --global --add safe\.directory .*)", done.stdout)
    assert command
    git(shop, *command[1].split())
    assert repoqa("doctor", where=shop).code == 0


def test_without_git(shop: Path, tmp_path: Path) -> None:
    write_profile("parrot", "It works.")
    done = repoqa_process("doctor", where=shop, PATH=str(tmp_path))
    assert done.code == 3
    assert advice(done, "git")[0] == "git was not found"
    assert "Traceback" not in done.stderr


def test_a_grammar_that_does_not_load_and_that_torch_is_not_imported(
    shop: Path, tmp_path: Path
) -> None:
    write_profile("parrot", "It works.")
    (tmp_path / "tree_sitter_kotlin.py").write_text("raise ImportError('built for another')\n")
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH],
        cwd=shop,
        env=environment(PYTHONPATH=path),
        capture_output=True,
        text=True,
    )
    done = Done(ran.returncode, ran.stdout, ran.stderr)
    assert done.code == 0, done.stderr  # a grammar is no reason to fail
    found, _, remedy = advice(done, "grammars")
    assert "1 of 16" in found
    assert "kotlin (built for another)" in found
    assert remedy.endswith("pip install --force-reinstall tree-sitter-kotlin")


def test_a_bare_surrounding(
    open_folder: Path, unprivileged: Unprivileged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No model, no repository, a home that cannot be written: no traceback, and advice on all."""
    home = open_folder / "home"
    (home / "sub").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "REPOQA_CACHE_DIR"):
        monkeypatch.delenv(name)

    def examined() -> Done:
        home.chmod(0o500)
        return repoqa("doctor", where=open_folder)

    done = unprivileged(open_folder, examined)
    assert done.code == 3
    for subject in ("repository", "cache", "state", "model smollm2-135m"):
        found, cost, remedy = advice(done, subject)
        assert found
        assert cost
        assert remedy
    assert "permission denied" in advice(done, "cache")[0]
    assert "REPOQA_CACHE_DIR" in advice(done, "cache")[2]


def test_no_home_at_all(
    open_folder: Path, unprivileged: Unprivileged, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "REPOQA_CACHE_DIR"):
        monkeypatch.delenv(name)
    done = unprivileged(open_folder, lambda: repoqa("doctor", where=open_folder))
    assert done.code == 3
    assert "there is no home folder" in advice(done, "cache")[0]
    assert list(open_folder.iterdir()) == []


def test_nothing_is_written(shop: Path, own_environment: Path) -> None:
    before = sorted(own_environment.rglob("*"))
    assert repoqa("doctor", where=shop).code == 3
    assert sorted(own_environment.rglob("*")) == before
    assert git(shop, "status", "--porcelain") == ""


def test_each_setting_with_its_source(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_path().parent.mkdir(parents=True)
    config_path().write_text("answer = 700\n", encoding="utf-8")
    (shop / ".repoqa.toml").write_text('ignore = ["*.min.js", "vendor/"]\n')
    monkeypatch.setenv("REPOQA_SERVER_MODEL", "code\x1b[31m")
    done = repoqa("doctor", "--settings", where=shop)
    rows = [re.split(r" {2,}", line) for line in done.stdout.splitlines()]
    assert rows == [
        ["model", "smollm2-135m", "default"],
        ["budget", "4,096", "the profile smollm2-135m"],
        ["answer", "700", str(config_path())],
        ["server.url", "-", "default"],
        ["server.model", "code\\x1b[31m", "REPOQA_SERVER_MODEL"],
        ["api_key", "-", "default"],
        ["cache_dir", os.environ["REPOQA_CACHE_DIR"], "REPOQA_CACHE_DIR"],
        ["cache_limit", "2,147,483,648", "default"],
        ["prefix_cache", "0", "default"],
        ["rope", "auto", "default"],
        ["rope_factor", "-", "default"],
        ["ignore", "*.min.js vendor/", ".repoqa.toml"],
    ]
    assert (done.code, done.stderr) == (0, "")


def test_wrong_settings_have_no_sources_to_show(shop: Path) -> None:
    (shop / ".repoqa.toml").write_text("budget = true\n")
    done = repoqa("doctor", "--settings", where=shop)
    assert (done.code, done.stdout) == (2, "")
    assert ".repoqa.toml" in done.stderr


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = repoqa("doctor", "--repo", "x", where=tmp_path)
    assert done.code == 3
    assert "there is no folder" in advice(done, "repository")[0]


def test_the_current_folder_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    with contextlib.chdir(gone):
        gone.rmdir()
        with pytest.raises(RepositoryError, match="the current folder is gone"):
            open_snapshot(Path())


def test_a_full_or_read_only_place_is_not_writable(tmp_path: Path) -> None:
    assert why_not_writable(tmp_path / "not" / "yet" / "there") == ""
    assert why_not_writable(Path("/proc/self/repoqa")) != ""
    (tmp_path / "file").touch()
    assert why_not_writable(tmp_path / "file" / "below") == "not a directory"


def test_what_is_told_of_torch_is_what_torch_tells() -> None:
    import torch

    build = torch_build()
    assert build is not None
    assert torch.__version__.startswith(build.version.partition("+")[0])
    assert build.runtime == (f"CUDA {torch.version.cuda}" if torch.version.cuda else "")


def test_cards_are_read_from_what_the_driver_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 81559, 80994'\necho 'Old, [N/A], x'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    first, second = cards()
    assert (first.name, first.total, first.free) == (
        "NVIDIA H100 80GB HBM3",
        81559 * 2**20,
        80994 * 2**20,
    )
    assert (second.name, second.total, second.free) == ("Old", None, None)
