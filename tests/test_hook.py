"""The pre-push hook, by real pushes: what it says, and that only what it may stop is stopped."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import environment, repoqa, write_profile
from conftest import RepositoryMaker, git, write_files
from hook_repositories import bare_remote, commit, install, push, tips
from review_code import LOGIN_CHANGED, PYTHON

from repoqa.review import hook

FINDINGS = "shop/passwords.py:2: error: the salt is repeated as well, so that digests differ\n"


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    """A repository with one commit on its remote and one, that changes a signature, not yet."""
    root = make_repository(PYTHON.files)
    bare_remote(root)
    write_files(root, PYTHON.now)
    commit(root)
    return root


def remote_of(root: Path) -> Path:
    return Path(git(root, "remote", "get-url", "origin"))


def is_pushed(root: Path) -> bool:
    return tips(remote_of(root))["refs/heads/main"] == git(root, "rev-parse", "HEAD")


def test_impact_and_findings_are_printed_and_the_push_goes_on(shop: Path) -> None:
    write_profile("reviewer", FINDINGS)
    install(shop, "--model", "reviewer")
    done = push(shop)
    assert done.code == 0
    assert is_pushed(shop)
    for line in (
        "1 symbol changes in 1 file",
        "  shop/passwords.py:1-2  derive: signature; 2 uses elsewhere, 2 do not fit; "
        "1 test reaches it",
        "shop/login.py:5: error: derive no longer fits: it takes 3 arguments "
        "(password, salt, rounds), this gives 2 arguments",
    ):
        assert line in done.stderr.splitlines()
    assert "shop/passwords.py:2: error: the salt is repeated as well" in done.stderr
    assert done.stdout == ""


def test_an_error_of_the_model_stops_the_push_where_the_user_says_so(
    make_repository: RepositoryMaker,
) -> None:
    root = make_repository(PYTHON.files)
    bare_remote(root)
    write_files(root, {"shop/passwords.py": "def derive(password, salt):\n    return salt\n"})
    commit(root)
    write_profile("reviewer", "shop/passwords.py:2: error: the password is not used any more\n")
    install(root, "--model", "reviewer", "--block-on", "error")
    before = tips(remote_of(root))
    done = push(root)
    assert done.code == 1
    assert tips(remote_of(root)) == before
    assert "repoqa: the push is stopped; to push all the same: REPOQA_SKIP=1 git push\n" in (
        done.stderr
    )
    assert push(root, REPOQA_SKIP="1").code == 0
    assert is_pushed(root)


def test_a_call_that_cannot_fit_stops_it_without_a_model(shop: Path) -> None:
    install(shop, "--no-model")
    git(shop, "config", "repoqa.blockOn", "error")
    assert push(shop).code == 1
    assert not is_pushed(shop)
    git(shop, "config", "repoqa.blockOn", "never")
    assert push(shop).code == 0


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"


@pytest.fixture
def closed_port() -> str:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"http://127.0.0.1:{port}/v1"


class TestItFailsOpen:
    def told(self, shop: Path, **variables: str) -> str:
        """What a push says that a review which fails would have stopped."""
        done = push(shop, **variables)
        assert done.code == 0, done.stderr
        assert is_pushed(shop)
        return done.stderr

    def test_without_the_model(self, shop: Path) -> None:
        write_profile("missing", "", weights="./gone.txt")
        install(shop, "--model", "missing")
        told = self.told(shop)
        assert "the model reviewed nothing: the script" in told
        assert "the push goes on\n" in told
        assert "2 do not fit" in told, "the impact needs no model"

    def test_without_such_a_model(self, shop: Path) -> None:
        install(shop, "--model", "nobody")
        assert "nothing was reviewed: there is no model" in self.told(shop)

    def test_with_the_server_down(self, shop: Path, closed_port: str) -> None:
        install(shop, "--model", "server")
        told = self.told(shop, REPOQA_SERVER_URL=closed_port)
        assert "the model reviewed nothing: " in told

    def test_with_a_server_that_hangs(self, shop: Path, silent_server: str) -> None:
        install(shop, "--model", "server", "--timeout", "4")
        began = time.monotonic()
        told = self.told(shop, REPOQA_SERVER_URL=silent_server)
        assert time.monotonic() - began < 30
        assert "it took over 4 s (git config repoqa.timeout)" in told

    def test_where_compiled_code_hangs(self, shop: Path, tmp_path: Path) -> None:
        # A sum holds the interpreter, so that no signal's handler can run.
        self.start_with(tmp_path, "sum(range(10**13))")
        install(shop, "--no-model", "--timeout", "0.5")
        told = self.told(shop, PYTHONPATH=self.path(tmp_path))
        assert "repoqa: it ended with status 1; the push goes on\n" in told

    def test_after_a_bug_of_ours(self, shop: Path, tmp_path: Path) -> None:
        self.start_with(tmp_path, "raise ZeroDivisionError")
        install(shop, "--no-model", "--block-on", "info")
        told = self.told(shop, PYTHONPATH=self.path(tmp_path))
        assert "nothing was reviewed: a bug in repoqa, sorry; please report it" in told

    def start_with(self, tmp_path: Path, line: str) -> None:
        """Make every Python that looks into `tmp_path` do this in place of a review."""
        code = (
            f"import repoqa.review.pushes as p\ndef fail(*_, **__):\n    {line}\np.pushed = fail\n"
        )
        write_files(tmp_path, {"start/sitecustomize.py": code})

    def path(self, tmp_path: Path) -> str:
        return os.pathsep.join((str(tmp_path / "start"), environment()["PYTHONPATH"]))

    def test_with_wrong_settings(self, shop: Path) -> None:
        install(shop, "--no-model")
        git(shop, "config", "repoqa.timeout", "soon")
        assert "git config: repoqa.timeout is 'soon', which is no number" in self.told(shop)

    @pytest.mark.parametrize("status", [1, 2, 139])
    def test_with_a_python_that_is_broken(self, shop: Path, tmp_path: Path, status: int) -> None:
        install(shop, "--block-on", "info")
        python = tmp_path / "python"
        python.write_text(f"#!/bin/sh\necho No module named repoqa >&2\nexit {status}\n")
        python.chmod(0o755)
        (shop / ".git/hooks/pre-push").write_bytes(hook.script(python))
        assert f"ended with status {status}; the push goes on" in self.told(shop)

    def test_with_a_python_that_is_gone(self, shop: Path, tmp_path: Path) -> None:
        install(shop)
        (shop / ".git/hooks/pre-push").write_bytes(hook.script(tmp_path / "gone"))
        told = self.told(shop)
        assert f"repoqa: nothing was reviewed: {tmp_path}/gone is gone; the push goes on\n" in told


def test_an_interrupt_is_git_s_to_decide(shop: Path, silent_server: str) -> None:
    install(shop, "--model", "server")
    process = subprocess.Popen(
        ["git", "push"],
        cwd=shop,
        env=environment(REPOQA_SERVER_URL=silent_server),
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stderr
    for line in process.stderr:
        if b"no longer fits" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) != 0
    process.stderr.close()
    assert not is_pushed(shop)


STRANGER = """\
#!/bin/sh
# as git-lfs: reads what is pushed from standard input
while read local_ref local_oid remote_ref remote_oid; do
    echo "$1 $local_ref $local_oid $remote_ref" >> stranger.txt
done
exit {}
"""


class TestAStrangersHook:
    def write(self, root: Path, status: int = 0) -> None:
        target = root / ".git/hooks/pre-push"
        target.parent.mkdir(exist_ok=True)
        target.write_text(STRANGER.format(status))
        target.chmod(0o755)

    def test_runs_before_ours_with_the_same_input(self, shop: Path) -> None:
        self.write(shop)
        done = install(shop, "--no-model")
        assert "the hook that was there runs before it" in done.stdout
        told = push(shop)
        assert told.code == 0
        head = git(shop, "rev-parse", "HEAD")
        seen = (shop / "stranger.txt").read_text()
        assert seen == f"origin refs/heads/main {head} refs/heads/main\n"
        assert "2 do not fit" in told.stderr

    def test_can_still_stop_a_push(self, shop: Path) -> None:
        self.write(shop, status=1)
        install(shop, "--no-model")
        done = push(shop)
        assert done.code != 0
        assert "symbol" not in done.stderr, "ours need not run then"
        assert not is_pushed(shop)

    def test_one_that_reads_nothing_is_no_harm(self, shop: Path) -> None:
        target = shop / ".git/hooks/pre-push"
        target.parent.mkdir(exist_ok=True)
        target.write_text("#!/bin/sh\nexit 0\n")
        target.chmod(0o755)
        install(shop, "--no-model")
        assert "2 do not fit" in push(shop).stderr

    def test_comes_back_when_ours_goes(self, shop: Path) -> None:
        self.write(shop)
        install(shop)
        install(shop, "--block-on", "error")
        assert "installed: " in repoqa("hook", "status", where=shop).stdout
        assert repoqa("hook", "uninstall", where=shop).stdout.startswith("removed: ")
        assert (shop / ".git/hooks/pre-push").read_text() == STRANGER.format(0)
        assert not (shop / ".git/hooks/pre-push.before-repoqa").exists()
        again = repoqa("hook", "uninstall", where=shop)
        assert (again.code, again.stdout[:14]) == (0, "not installed:")

    def test_two_of_them_are_not_overwritten(self, shop: Path) -> None:
        self.write(shop)
        install(shop)
        self.write(shop)
        done = repoqa("hook", "install", where=shop)
        assert done.code == 2
        assert "is kept from before" in done.stderr


class TestWhereHooksAre:
    def test_a_folder_of_the_user_s_is_honoured(self, shop: Path, own_environment: Path) -> None:
        git(shop, "config", "--global", "core.hooksPath", "~/hooks")
        done = install(shop, "--no-model")
        assert "core.hooksPath (global) says so" in done.stdout
        assert (own_environment / "hooks/pre-push").exists()
        assert not (shop / ".git/hooks/pre-push").exists()
        assert "2 do not fit" in push(shop).stderr

    def test_a_folder_among_the_files_is_refused(self, shop: Path) -> None:
        git(shop, "config", "core.hooksPath", ".husky")
        done = repoqa("hook", "install", where=shop)
        assert done.code == 2
        assert "writes nothing" in done.stderr
        assert 'repoqa hook run "$@"' in done.stderr
        assert not (shop / ".husky").exists()

    def test_the_line_to_add_there_works(self, shop: Path, tmp_path: Path) -> None:
        git(shop, "config", "core.hooksPath", ".husky")
        run = f'{sys.executable} -m repoqa hook run --no-model --block-on error "$@"'
        write_files(shop, {".husky/pre-push": f"#!/bin/sh\n{run}\n"})
        (shop / ".husky/pre-push").chmod(0o755)
        done = push(shop)
        assert done.code == 1
        assert "2 do not fit" in done.stderr

    def test_a_linked_worktree(self, shop: Path) -> None:
        install(shop, "--no-model")
        git(shop, "worktree", "add", "--quiet", "../tree", "-b", "side")
        tree = shop.parent / "tree"
        assert f"installed: {shop}/.git/hooks/pre-push" in (
            repoqa("hook", "status", where=tree).stdout
        )
        assert "2 do not fit" in push(tree, "origin", "side").stderr

    def test_a_submodule(self, shop: Path, make_repository: RepositoryMaker) -> None:
        git(shop, "push", "--quiet")
        outer = make_repository({"o.py": "o"})
        git(outer, "submodule", "--quiet", "add", str(remote_of(shop)), "lib/shop")
        inner = outer / "lib/shop"
        git(inner, "checkout", "--quiet", "main")
        install(inner, "--no-model")
        assert (outer / ".git/modules/lib/shop/hooks/pre-push").exists()
        write_files(inner, LOGIN_CHANGED)
        commit(inner)
        assert "tests/test_login.py:5: error: log_in no longer fits" in push(inner).stderr

    def test_a_path_with_spaces_and_quotes(self, shop: Path) -> None:
        odd = shop.parent / 'it\'s a "shop" $HOME'
        shutil.move(shop, odd)
        python = odd / "my python"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        install(odd)
        script = (odd / ".git/hooks/pre-push").read_bytes()
        assert b"hook run" in script
        (odd / ".git/hooks/pre-push").write_bytes(hook.script(python, ["--no-model"]))
        assert hook.script(python).count(b"'\"'\"'") == 1
        assert "2 do not fit" in push(odd).stderr

    def test_a_subfolder_and_git_c(self, shop: Path) -> None:
        install(shop, "--no-model")
        assert "2 do not fit" in push(shop / "shop").stderr


def test_status_where_nothing_is_installed(shop: Path) -> None:
    done = repoqa("hook", "status", where=shop)
    assert done.stdout == f"not installed: no hook is there: {shop}/.git/hooks/pre-push\n"


def test_the_pre_commit_framework_tells_by_variables(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "FROM_REF": git(shop, "rev-parse", "HEAD~1"),
        "TO_REF": git(shop, "rev-parse", "HEAD"),
        "LOCAL_BRANCH": "refs/heads/main",
        "REMOTE_BRANCH": "refs/heads/main",
        "REMOTE_NAME": "origin",
    }.items():
        monkeypatch.setenv(f"PRE_COMMIT_{name}", value)
    done = repoqa("hook", "run", "--no-model", where=shop)
    assert done.code == 0
    assert "2 do not fit" in done.stderr
    assert repoqa("hook", "run", "--no-model", "--block-on=error", where=shop).code == 1
    monkeypatch.setenv("REPOQA_SKIP", "1")
    assert repoqa("hook", "run", "--no-model", "--block-on=error", where=shop).code == 0


def test_the_settings_of_git_hold_where_no_flag_says_otherwise(shop: Path) -> None:
    git(shop, "config", "repoqa.timeout", "30")
    git(shop, "config", "--global", "repoqa.blockOn", "warning")
    install(shop)
    told = repoqa("hook", "status", where=shop).stdout
    assert "stops a push: at warning and above" in told
    assert "after: 30 s" in told
    git(shop, "config", "repoqa.blockIn", "warning")
    wrong = repoqa("hook", "status", where=shop)
    assert wrong.code == 2
    assert "Did you mean repoqa.blockOn?" in wrong.stderr
