"""Every kind of push, real ones to a bare repository: none is stopped, and each is told truly."""

import subprocess
from pathlib import Path

import pytest
from commands import Done, environment, repoqa
from conftest import RepositoryMaker, git, write_files
from hook_repositories import bare_remote, commit, install, push, tips
from review_code import LOGIN_CHANGED, PYTHON

LEFT_BEHIND = "shop/login.py:5: error: derive no longer fits"


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    """A repository whose one commit is on its remote, with the hook installed."""
    root = make_repository(PYTHON.files)
    bare_remote(root)
    install(root, "--no-model")
    return root


def change(root: Path) -> str:
    """Commit the change of a signature that leaves two callers behind."""
    write_files(root, PYTHON.now)
    return commit(root)


def pushed(root: Path, *arguments: str) -> Done:
    """A push that must go through."""
    done = push(root, *arguments)
    assert done.code == 0, done.stderr
    assert "bug" not in done.stderr
    assert "nothing was reviewed" not in done.stderr
    return done


def said(done: Done) -> list[str]:
    """What repoqa said, git's own lines left out."""
    return [line for line in done.stderr.splitlines() if line.startswith("repoqa: ")]


def test_an_empty_push(shop: Path) -> None:
    assert said(pushed(shop)) == []


def test_one_that_only_deletes(shop: Path) -> None:
    git(shop, "push", "--quiet", "--no-verify", "origin", "main:old")
    assert said(pushed(shop, "origin", ":old")) == [
        "repoqa: not reviewed: refs/heads/old: it is deleted"
    ]


def test_a_tag(shop: Path) -> None:
    git(shop, "tag", "-a", "v1", "--message=First")
    assert said(pushed(shop, "origin", "v1")) == ["repoqa: not reviewed: refs/tags/v1: a tag"]


def test_a_branch_new_to_the_remote(shop: Path) -> None:
    git(shop, "checkout", "--quiet", "-b", "side")
    new = change(shop)
    done = pushed(shop, "origin", "side")
    old = git(shop, "rev-parse", "main")
    assert said(done) == [f"repoqa: side, {old[:10]}..{new[:10]}"]
    assert LEFT_BEHIND in done.stderr


def test_a_new_branch_of_commits_that_the_remote_has(shop: Path) -> None:
    assert said(pushed(shop, "origin", "main:copy")) == [
        "repoqa: not reviewed: refs/heads/copy: the remote has its commits already"
    ]


def test_an_orphan_branch(shop: Path) -> None:
    git(shop, "checkout", "--quiet", "--orphan", "other")
    git(shop, "rm", "-r", "--quiet", "--cached", ".")
    write_files(shop, {"alone.py": "def f():\n    pass\n"})
    git(shop, "add", "alone.py")
    git(shop, "commit", "--quiet", "--message=Alone")
    done = pushed(shop, "origin", "other")
    assert "  alone.py:1-2  f: added; no test reaches it" in done.stderr.splitlines()


def test_a_forced_push_over_a_commit_that_is_gone(shop: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(tmp_path / "remote.git"), str(other))
    write_files(other, {"theirs.py": "x = 1\n"})
    commit(other)
    git(other, "push", "--quiet")
    change(shop)
    done = pushed(shop, "--force")
    assert LEFT_BEHIND in done.stderr
    assert "theirs" not in done.stderr


def test_a_forced_push_over_a_commit_that_is_here(shop: Path) -> None:
    write_files(shop, {"shop/passwords.py": "def derive(password):\n    return password\n"})
    commit(shop)
    git(shop, "push", "--quiet", "--no-verify")
    git(shop, "reset", "--quiet", "--hard", "HEAD~1")
    change(shop)
    done = pushed(shop, "--force")
    assert LEFT_BEHIND in done.stderr
    assert "symbol changes in 1 file" in done.stderr


def test_a_shallow_clone(shop: Path, tmp_path: Path) -> None:
    change(shop)
    pushed(shop)
    shallow = tmp_path / "shallow"
    remote = f"file://{tmp_path}/remote.git"
    git(tmp_path, "clone", "--quiet", "--depth=1", remote, str(shallow))
    install(shallow, "--no-model")
    write_files(shallow, LOGIN_CHANGED)
    commit(shallow)
    assert "tests/test_login.py:5: error: log_in no longer fits" in pushed(shallow).stderr


def test_a_shallow_clone_that_lacks_what_the_remote_has(shop: Path, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow"
    remote = f"file://{tmp_path}/remote.git"
    git(tmp_path, "clone", "--quiet", "--depth=1", remote, str(shallow))
    install(shallow, "--no-model")
    git(shallow, "remote", "remove", "origin")
    git(shallow, "init", "--quiet", "--bare", "../empty.git")
    done = push(shallow, "../empty.git", "main:new")
    assert "nothing was reviewed: this shallow clone lacks" in done.stderr
    assert "git fetch --unshallow" in done.stderr
    assert "the push goes on\n" in done.stderr


def test_several_refs_at_once(shop: Path) -> None:
    git(shop, "branch", "old")
    git(shop, "push", "--quiet", "--no-verify", "origin", "old")
    change(shop)
    git(shop, "tag", "v2")
    git(shop, "checkout", "--quiet", "-b", "side")
    write_files(shop, {"more.py": "def more():\n    pass\n"})
    commit(shop)
    done = pushed(shop, "origin", "main", "side", "v2", ":old")
    lines = said(done)
    assert len(lines) == 3
    assert "refs/heads/old: it is deleted" in lines[0]
    assert "refs/tags/v2: a tag" in lines[0]
    assert {line.split()[1] for line in lines[1:]} == {"main,", "side,"}
    assert done.stderr.count("  more.py:1-2  more: added; no test reaches it") == 1


def test_refs_with_odd_names(shop: Path) -> None:
    names = ["feature/ünï", "a'b", 'q"x', "$HOME", "-x;y"]
    change(shop)
    for name in names:
        git(shop, "update-ref", f"refs/heads/{name}", commit(shop, name))
    done = pushed(shop, "origin", *(f"refs/heads/{name}" for name in names))
    assert {line.partition(", ")[0] for line in said(done)} == {f"repoqa: {n}" for n in names}
    assert done.stderr.count(LEFT_BEHIND) == len(names)


def test_an_expression_with_spaces(shop: Path) -> None:
    change(shop)
    done = pushed(shop, "origin", "HEAD@{0 seconds ago}:refs/heads/spaced")
    assert said(done)[0].startswith("repoqa: spaced, ")
    assert LEFT_BEHIND in done.stderr


def test_ids_of_sha_256(tmp_path: Path) -> None:
    root = tmp_path / "long"
    git(tmp_path, "init", "--quiet", "--object-format=sha256", str(root))
    write_files(root, PYTHON.files)
    commit(root)
    bare_remote(root)
    install(root, "--no-model")
    change(root)
    assert LEFT_BEHIND in pushed(root).stderr


def test_a_binary_file(shop: Path) -> None:
    write_files(shop, {"logo.png": b"\x89PNG\0" * 50, **PYTHON.now})
    commit(shop)
    done = pushed(shop)
    assert "    logo.png: binary" in done.stderr.splitlines()
    assert LEFT_BEHIND in done.stderr


def test_a_diff_of_50_megabytes(shop: Path) -> None:
    write_files(shop, {"a/dump.sql": b"insert into t values (1);\n" * 2_000_000, **PYTHON.now})
    commit(shop)
    done = pushed(shop)
    assert "    a/dump.sql: too large (49.6 MB)" in done.stderr.splitlines()
    assert LEFT_BEHIND in done.stderr


def test_a_diff_that_is_cut(shop: Path) -> None:
    row = b"1,2,3,4,5,6,7,8,9\n" * 50_000
    write_files(shop, {f"tables/{n}.csv": row + b"%d\n" % n for n in range(8)})
    write_files(shop, PYTHON.now)
    commit(shop)
    done = pushed(shop)
    assert "the diff is over 4 MB: this part of it was not read" in done.stderr
    assert LEFT_BEHIND in done.stderr


def test_a_rename_with_edits(shop: Path) -> None:
    git(shop, "mv", "shop/passwords.py", "shop/hashes.py")
    write_files(shop, {"shop/hashes.py": PYTHON.now["shop/passwords.py"] + "\n\nX = 1\n"})
    commit(shop)
    done = pushed(shop)
    assert "shop/login.py:1: error: derive no longer fits: derive is gone" in done.stderr


def test_a_change_of_mode(shop: Path) -> None:
    (shop / "shop/login.py").chmod(0o755)
    commit(shop)
    assert "No function, type or value changes." in pushed(shop).stderr


def test_a_submodule_s_new_commit(shop: Path, make_repository: RepositoryMaker) -> None:
    inner = make_repository({"x.py": "x = 1\n"})
    git(shop, "submodule", "--quiet", "add", str(inner), "lib")
    commit(shop)
    git(shop, "push", "--quiet", "--no-verify")
    write_files(shop / "lib", {"x.py": "x = 2\n"})
    commit(shop / "lib")
    commit(shop)
    done = pushed(shop, "--recurse-submodules=no")
    assert "    lib: a submodule: only its commit is pushed here" in done.stderr.splitlines()


def test_a_merge_commit(shop: Path) -> None:
    git(shop, "checkout", "--quiet", "-b", "side")
    change(shop)
    git(shop, "checkout", "--quiet", "main")
    write_files(shop, {"other.py": "def other():\n    pass\n"})
    commit(shop)
    git(shop, "merge", "--quiet", "--no-edit", "side")
    done = pushed(shop)
    assert LEFT_BEHIND in done.stderr
    assert "other.py:1-2  other: added" in done.stderr


def test_no_common_ancestor(shop: Path) -> None:
    git(shop, "checkout", "--quiet", "--orphan", "other")
    commit(shop, "Alone")
    done = pushed(shop, "--force", "origin", "other:main")
    assert "derive: added" in done.stderr
    assert tips(shop.parent / "remote.git")["refs/heads/main"] == git(shop, "rev-parse", "HEAD")


def test_standard_input_that_is_closed(shop: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", ".git/hooks/pre-push origin somewhere <&-"],
        cwd=shop,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_inherited_variables_of_git_point_nowhere_else(
    shop: Path, make_repository: RepositoryMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_repository({"x.py": "x = 1\n"})
    head = change(shop)
    line = f"refs/heads/main {head} refs/heads/main {git(shop, 'rev-parse', 'HEAD~1')}\n"
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    done = repoqa("hook", "run", "--no-model", "origin", where=shop, stdin=line.encode())
    assert LEFT_BEHIND in done.stderr


def test_a_bare_repository_that_pushes(shop: Path, tmp_path: Path) -> None:
    change(shop)
    bare = tmp_path / "mirror.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), str(bare))
    git(bare, "remote", "set-url", "origin", str(tmp_path / "remote.git"))
    install(bare, "--no-model")
    assert LEFT_BEHIND in pushed(bare, "origin", "main").stderr
