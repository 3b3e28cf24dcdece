"""What a repository, a disk and other processes can do to a question: the answer still comes.

docs/robustness.md lists every case with its test; most are tested beside the code that meets them.
"""

import ast
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands import QUESTION, ROOT, SHOP, command, environment, repoqa, repoqa_process
from conftest import RepositoryMaker, Unprivileged, git, write_files

from repoqa.errors import ExitCode
from repoqa.index.analysis import SMALL_FILE_BYTES
from repoqa.settings import profile_directory

PACK = ("pack", "--json", "--no-stdin", QUESTION)
CASES = ROOT / "docs" / "robustness.md"
# Enough for workers to be used.
COMMENT = "# a long comment\n" * (SMALL_FILE_BYTES // 10)


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    return make_repository(SHOP)


@pytest.fixture
def cache() -> Path:
    return Path(os.environ["REPOQA_CACHE_DIR"])


def answer(where: Path) -> dict[str, Any]:
    """The pack's report without its timings; nothing may go wrong."""
    done = repoqa(*PACK, where=where)
    assert (done.code, said(done.stderr)) == (0, "")
    return untimed(done.stdout)


def said(stderr: str) -> str:
    """What was said on standard error but for the progress, of which a slow machine sees more."""
    lines = stderr.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("repoqa: indexing: "))


def untimed(text: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(text)
    del report["run"]
    return report


def fresh_answer(where: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> dict[str, Any]:
    with monkeypatch.context() as patch:
        patch.setenv("REPOQA_CACHE_DIR", str(cache))
        return answer(where)


def test_all_kinds_of_files_at_once(shop: Path) -> None:
    names = [b"line\nbreak.py", b"quo\"te's.py", b"\xff\xfe.py", b"Login.py", b"LOGIN.py"]
    text = "def log_in():\n    return 'é'\n"
    write_files(
        shop,
        {
            **{os.fsdecode(name): text for name in names},
            "utf16.py": text.encode("utf-16"),
            "latin1.py": text.encode("latin-1"),
            "bom.py": b"\xef\xbb\xbf" + text.encode(),
            "crlf.py": text.replace("\n", "\r\n"),
            "nul.py": b"def log_in():\0\n",
            "deep.py": "x = " + "[\n" * 100_000,
            "app.min.js": "function log_in(){}" * 2000,
            "line.json": '"' + "x" * 3_000_000 + '"',
            "longest.txt": "x" * 5_000_000,
            "empty.py": "",
        },
    )
    with (shop / "huge.py").open("wb") as file:
        file.truncate(200_000_000)
    os.mkfifo(shop / "pipe.py")
    (shop / "loop").symlink_to("loop")
    (shop / "out").symlink_to(shop.parent)
    (shop / "shop" / "basket.py").unlink()
    done = repoqa("pack", "--json", "--no-stdin", "--budget", "50k", QUESTION, where=shop)
    assert done.code == 0
    assert done.stderr.splitlines()[-1] == (
        "repoqa: deep.py: brackets nested over 10,000 deep: read as line chunks"
    )
    report = json.loads(done.stdout)
    log_ins = {symbol["path"] for symbol in report["symbols"] if symbol["name"] == "log_in"}
    printed = ["line\nbreak.py", "quo\"te's.py", "\\xff\\xfe.py", "Login.py", "LOGIN.py"]
    assert log_ins == {*printed, "utf16.py", "latin1.py", "bom.py", "crlf.py"}
    skipped = {file["path"]: file["why"] for file in report["left_out"]["files_skipped"]}
    assert skipped == {
        "nul.py": "binary",
        "deep.py": "brackets nested over 10,000 deep: read as line chunks",
        "app.min.js": skipped["app.min.js"],
        "line.json": "a data file over 200 kB",
        "longest.txt": "too large (4.8 MB)",
        "huge.py": "too large (190.7 MB)",
        "loop": "a symbolic link",
        "out": "a symbolic link",
        "shop/basket.py": "deleted in the working tree",
    }
    assert "minified" in skipped["app.min.js"]


def in_own_mounts(script: str, *arguments: str, where: Path) -> "subprocess.CompletedProcess[str]":
    """Run a shell script that may mount things; they are gone when it ends."""
    options = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
    probe = ["unshare", *options, "true"]
    if shutil.which("unshare") is None or subprocess.run(probe, capture_output=True).returncode:
        pytest.skip("this machine allows no mount namespace of one's own")
    return subprocess.run(
        ["unshare", *options, "sh", "-ec", script, "sh", *arguments],
        cwd=where,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def test_a_repository_on_a_read_only_mount(shop: Path) -> None:
    write_files(shop, {"shop/basket.py": "edited = 1\n"})
    script = 'mount --bind . . && mount -o remount,bind,ro . && cd . && ! touch x && "$@"'
    done = in_own_mounts(script.replace("cd .", f'cd "{shop}"'), *command(*PACK), where=shop)
    assert done.returncode == 0, done.stderr
    assert untimed(done.stdout) == answer(shop)


@pytest.mark.parametrize("size", ["16k", "96k"])
def test_a_full_cache_folder(shop: Path, cache: Path, size: str) -> None:
    noise = random.Random(1)
    files = {
        f"m{number}.py": "".join(f"word{noise.random()} = 1\n" for _ in range(300))
        for number in range(40)
    }
    write_files(shop, {**files, "large.py": COMMENT})
    cache.mkdir(parents=True)
    script = f'mount -t tmpfs -o size={size} none "{cache}" && "$@"'
    done = in_own_mounts(script, *command(*PACK), where=shop)
    assert done.returncode == 0, done.stderr
    assert "full" in done.stderr
    assert "the next question indexes again" in done.stderr
    assert untimed(done.stdout) == answer(shop)


def test_a_cache_folder_that_became_read_only(
    unprivileged: Unprivileged, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, cache = open_folder / "shop", open_folder / "cache"
    write_files(root, SHOP)
    monkeypatch.setenv("REPOQA_CACHE_DIR", str(cache))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(open_folder / "config"))
    pack = (*PACK, "--repo", str(root))
    first = repoqa(*pack, where=open_folder)
    write_files(root, {"shop/service.py": SHOP["shop/service.py"] + "\n\nCHANGED = True\n"})
    expected = repoqa(*pack, where=open_folder, stdin=None)
    for path in [*cache.rglob("*"), cache]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    write_files(root, {"shop/new.py": "def log_in():\n    pass\n"})

    def look() -> tuple[int, str, str]:
        done = repoqa(*pack, where=open_folder)
        return done.code, done.stdout, done.stderr

    code, stdout, stderr = unprivileged(open_folder, look)
    assert code == 0
    assert "the index cache cannot be used" in stderr
    assert first.stdout != expected.stdout
    with monkeypatch.context() as patch:
        patch.setenv("REPOQA_CACHE_DIR", str(open_folder / "other"))
        assert untimed(stdout) == untimed(repoqa(*pack, where=open_folder).stdout)


def test_a_cache_folder_that_is_closed_to_the_user(
    unprivileged: Unprivileged, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, cache = open_folder / "shop", open_folder / "cache"
    write_files(root, SHOP)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(open_folder / "config"))
    commands = ((*PACK, "--repo", str(root)), ("models", "list"), ("index", "--status"))
    expected, *_ = [repoqa(*arguments, where=open_folder) for arguments in commands]
    cache.mkdir(mode=0)
    monkeypatch.setenv("REPOQA_CACHE_DIR", str(cache))

    def look() -> list[tuple[int, str, str]]:
        done = [repoqa(*arguments, where=open_folder) for arguments in commands]
        return [(each.code, each.stdout, each.stderr) for each in done]

    packed, listed, status = unprivileged(open_folder, look)
    assert (packed[0], listed[0], status[0]) == (0, 0, ExitCode.FAILED)
    assert "the index cache cannot be used" in packed[2]
    assert untimed(packed[1]) == untimed(expected.stdout)
    assert status[2].splitlines() == [
        f"repoqa: the index in {cache}/index cannot be read: Permission denied",
        f"Make it readable, or remove the folder yourself: {cache}/index",
    ]


def start(*arguments: str, where: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command(*arguments),
        cwd=where,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def test_two_processes_index_at_once(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(shop, {f"m{number}.py": COMMENT + f"x = {number}\n" for number in range(10)})
    running = [start(*PACK, where=shop) for _ in range(2)]
    outputs = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert [said(told.decode()) for _, told in outputs] == ["", ""]
    expected = fresh_answer(shop, monkeypatch, tmp_path / "other")
    assert [untimed(told.decode()) for told, _ in outputs] == [expected] * 2
    assert answer(shop) == expected


def test_killed_in_the_middle_of_indexing(
    shop: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(shop, {f"m{number}.py": COMMENT + f"x = {number}\n" for number in range(20)})
    running, chance = start(*PACK, where=shop), random.Random()
    records = cache / "index"
    while running.poll() is None and not list(records.glob("records-*")):
        time.sleep(0.001)
    time.sleep(chance.random() / 2)
    with contextlib.suppress(ProcessLookupError):  # it was faster
        os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    assert answer(shop) == fresh_answer(shop, monkeypatch, cache / "other")
    assert json.loads(repoqa(*PACK, where=shop).stdout)["run"]["parsed"] == 0


def broken_grammar(folder: Path, language: str, text: str) -> str:
    """A package that hides a language's grammar, and the PYTHONPATH to find it by."""
    folder.mkdir()
    (folder / f"tree_sitter_{language}.py").write_text(text)
    return os.pathsep.join((str(folder), str(ROOT)))


KOTLIN = {"shop/Login.kt": "fun logIn(): Int {\n    return strengthen()\n}\n", "large.py": COMMENT}


def test_a_file_that_crashes_its_parser_costs_that_file_and_is_named(
    shop: Path, tmp_path: Path
) -> None:
    write_files(shop, KOTLIN)
    path = broken_grammar(
        tmp_path / "p", "kotlin", "import os\n\ndef language():\n    os.abort()\n"
    )
    done = repoqa_process(*PACK, where=shop, PYTHONPATH=path)
    assert done.code == 0
    assert said(done.stderr) == "repoqa: shop/Login.kt: its parser crashed: read as line chunks\n"
    report = json.loads(done.stdout)
    assert {"path": "shop/Login.kt", "why": "its parser crashed: read as line chunks"} in report[
        "left_out"
    ]["files_skipped"]
    assert "strengthen" in {symbol["name"] for symbol in report["symbols"]}
    assert any(file["path"] == "shop/Login.kt" for file in report["files"])


def test_a_language_without_its_grammar_is_read_as_lines_until_it_is_there(
    shop: Path, tmp_path: Path
) -> None:
    write_files(shop, KOTLIN)
    path = broken_grammar(tmp_path / "p", "kotlin", "raise ImportError('built for another')\n")
    for _ in range(2):  # nothing of it is cached
        done = repoqa_process(*PACK, where=shop, PYTHONPATH=path)
        assert done.code == 0
        assert said(done.stderr) == (
            "repoqa: shop/Login.kt: the grammar does not load (kotlin: built for another): "
            "read as line chunks\n"
        )
        symbols = {symbol["name"] for symbol in json.loads(done.stdout)["symbols"]}
        assert "strengthen" in symbols
        assert "logIn" not in symbols
    mended = repoqa(*PACK, where=shop)
    assert said(mended.stderr) == ""
    report = json.loads(mended.stdout)
    assert report["run"]["parsed"] == 1
    assert "logIn" in {symbol["name"] for symbol in report["symbols"]}


def test_a_grammar_that_is_not_installed_at_all(shop: Path, tmp_path: Path) -> None:
    """As where its package was removed: the import and the look for its version both fail."""
    program = (
        "import sys, importlib.metadata as metadata\n"
        "class Without:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name == 'tree_sitter_kotlin':\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}')\n"
        "sys.meta_path.insert(0, Without)\n"
        "known = metadata.version\n"
        "def version(name):\n"
        "    if name == 'tree_sitter_kotlin':\n"
        "        raise metadata.PackageNotFoundError(name)\n"
        "    return known(name)\n"
        "metadata.version = version\n"
        "from repoqa.cli.app import main\n"
        "main()\n"
    )
    write_files(shop, {"shop/Login.kt": KOTLIN["shop/Login.kt"]})
    done = subprocess.run(
        [sys.executable, "-c", program, *PACK],
        cwd=shop,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "No module named 'tree_sitter_kotlin'): read as line chunks" in done.stderr


def test_a_profile_folder_that_cannot_be_read_is_told(
    unprivileged: Unprivileged, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(open_folder / "config"))
    root = open_folder / "shop"
    write_files(root, SHOP)
    folder = profile_directory()
    folder.mkdir(parents=True)
    folder.chmod(0)

    def look() -> tuple[int, str]:
        done = repoqa(*PACK, "--repo", str(root), where=open_folder)
        return done.code, done.stderr

    assert unprivileged(open_folder, look) == (
        ExitCode.USAGE,
        f"repoqa: the model profiles in {folder} cannot be read: Permission denied\n"
        "Make the folder readable, or move it away to go on with those shipped.\n",
    )


def test_a_bare_clone_whose_cache_is_flipped_and_cut(
    shop: Path, cache: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "shop.git")
    bare = tmp_path / "shop.git"
    note = "repoqa: shop.git has no working tree: reading HEAD\n"
    expected = repoqa(*PACK, where=bare)
    assert (expected.code, said(expected.stderr)) == (0, note)
    chooser = random.Random(5)
    for _ in range(5):
        for path in sorted(p for p in cache.rglob("*") if p.is_file() and p.stat().st_size):
            content = bytearray(path.read_bytes())
            content[chooser.randrange(len(content))] ^= 1 << chooser.randrange(8)
            path.write_bytes(content[: chooser.randrange(len(content)) + 1])
        done = repoqa(*PACK, where=bare)
        assert (done.code, untimed(done.stdout)) == (0, untimed(expected.stdout))


def named_tests() -> list[tuple[str, str]]:
    """The tests that the table names: (file, name)."""
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", CASES.read_text(encoding="utf-8"))


def test_every_case_names_a_test_that_is_there() -> None:
    named = named_tests()
    assert len(named) > 40
    defined = {
        (str(path.relative_to(ROOT)), node.name)
        for path in (ROOT / "tests").glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert [name for name in named if name not in defined] == []
    rows = [row for row in CASES.read_text(encoding="utf-8").splitlines() if row.startswith("| ")]
    cases = [row for row in rows if not row.startswith("| case |")]
    assert [row for row in cases if "::" not in row and "many_files.py" not in row] == []
