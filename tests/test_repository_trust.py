"""A hostile repository's settings run nothing, and inherited variables point nowhere."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import RepositoryMaker, git, write_files
from test_repository_snapshot import metadata, read

from repoqa.repository.diff import range_diff, working_tree_diff
from repoqa.repository.history import commits
from repoqa.repository.snapshot import open_snapshot

SIGNED = """\
tree {tree}
parent {parent}
author A <a@example.org> 1700000000 +0000
committer A <a@example.org> 1700000000 +0000
gpgsig -----BEGIN PGP SIGNATURE-----
 Version: 1
 iQEzBAABCAAdFiEE
 -----END PGP SIGNATURE-----

Signed
"""


def look_at_everything(root: Path) -> None:
    """Every way in which repoqa reads a repository."""
    for snapshot in (open_snapshot(root), open_snapshot(root, revision="HEAD~1")):
        list(snapshot.source.read(snapshot.files))
    working_tree_diff(root)
    range_diff(root, "HEAD~1..HEAD")
    range_diff(root, "HEAD~1...HEAD")
    assert len(commits(root, "HEAD", limit=10, seconds=60.0)) == 3


def git_looks_at_everything(root: Path) -> None:
    """The same without protection: what must leave a mark for each trap, or the trap is none."""
    for command in ("status", "diff HEAD", "log -p", "show HEAD", "log --show-signature", "fetch"):
        subprocess.run(["git", *command.split()], cwd=root, capture_output=True, check=False)


class TestHostileSettings:
    @pytest.fixture
    def hostile(self, make_repository: RepositoryMaker) -> Path:
        root = make_repository({"a.py": "1\n", "b.py": "1\n", "c.py": "1\n", "d.bin": "1\n"})
        attributes = "a.py filter=evil\nb.py diff=evil\nc.py filter=e=vil\n d.bin filter=proc\n"
        write_files(root, {".gitattributes": attributes, "b.py": "2\n", "d.bin": "2\n"})
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message=Second")
        tree, parent = git(root, "rev-parse", "HEAD^{tree}"), git(root, "rev-parse", "HEAD")
        signed = SIGNED.format(tree=tree, parent=parent)
        oid = git(root, "hash-object", "-t", "commit", "-w", "--stdin", stdin=signed.encode())
        git(root, "update-ref", "HEAD", oid)
        write_files(root, {"a.py": "3\n", "b.py": "3\n", "c.py": "1\n", "d.bin": "3\n"})
        return root

    @pytest.fixture
    def trap(self, hostile: Path, tmp_path: Path) -> Callable[[str], str]:
        """Makes a script that leaves a mark under its name, and gives its path."""
        (tmp_path / "marks").mkdir()

        def make(name: str) -> str:
            script = tmp_path / f"trap-{name}"
            ending = "exit 1" if name == "ssh" else 'cat "$@" 2>/dev/null'
            script.write_text(f'#!/bin/sh\n: > "{tmp_path}/marks/{name}"\n{ending}\n')
            script.chmod(0o755)
            return str(script)

        return make

    def marks(self, tmp_path: Path) -> list[str]:
        return sorted(path.name for path in (tmp_path / "marks").iterdir())

    def set_traps(self, root: Path, trap: Callable[[str], str]) -> None:
        settings = {
            "core.fsmonitor": "fsmonitor",
            "core.sshCommand": "ssh",
            "core.pager": "pager",
            "core.askPass": "askpass",
            "core.gitProxy": "proxy",
            "credential.helper": "credential",
            "diff.external": "external",
            "diff.evil.textconv": "textconv",
            "diff.evil.command": "command",
            "filter.evil.clean": "clean",
            "filter.evil.smudge": "smudge",
            "filter.e=vil.clean": "clean-equals",
            "filter.proc.process": "process",
            "gpg.program": "gpg",
            "alias.ls-files": "alias",
            "core.editor": "editor",
        }
        for key, name in settings.items():
            prefix = "!" if key.startswith("alias.") else ""
            git(root, "config", key, prefix + trap(name))
        git(root, "config", "log.showSignature", "true")
        git(root, "config", "filter.evil.required", "true")
        git(root, "config", "remote.origin.url", "ssh://example.invalid/x")
        git(root, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
        for hook in ("post-index-change", "reference-transaction", "post-checkout", "pre-auto-gc"):
            (root / ".git/hooks").mkdir(exist_ok=True)
            Path(trap(f"hook-{hook}")).rename(root / ".git/hooks" / hook)

    def test_nothing_is_run_and_nothing_written(
        self, hostile: Path, trap: Callable[[str], str], tmp_path: Path
    ) -> None:
        self.set_traps(hostile, trap)
        before = metadata(hostile)
        look_at_everything(hostile)
        assert self.marks(tmp_path) == []
        assert metadata(hostile) == before
        # The traps work: git by itself steps into them.
        git_looks_at_everything(hostile)
        assert {"clean", "clean-equals", "external", "fsmonitor", "gpg", "process", "ssh"} <= set(
            self.marks(tmp_path)
        )

    def test_a_text_conversion_is_not_run(
        self, hostile: Path, trap: Callable[[str], str], tmp_path: Path
    ) -> None:
        git(hostile, "config", "diff.evil.textconv", trap("textconv"))
        look_at_everything(hostile)
        assert self.marks(tmp_path) == []
        assert "-2\n+3\n" in working_tree_diff(hostile)
        git_looks_at_everything(hostile)
        assert self.marks(tmp_path) == ["textconv"]

    @pytest.fixture
    def outer(self, make_repository: RepositoryMaker) -> Path:
        return make_repository({"o.py": "1"})

    def test_a_submodules_own_settings_run_nothing(
        self, hostile: Path, outer: Path, *, trap: Callable[[str], str], tmp_path: Path
    ) -> None:
        write_files(outer, {"o.py": "2"})
        git(outer, "submodule", "--quiet", "add", str(hostile), "sub")
        git(outer, "commit", "--quiet", "--all", "--message=Second")
        git(outer, "commit", "--quiet", "--allow-empty", "--message=Third")
        git(outer / "sub", "config", "core.fsmonitor", trap("fsmonitor"))
        git(outer / "sub", "config", "filter.evil.clean", trap("clean"))
        write_files(outer, {"sub/a.py": "2\n"})
        look_at_everything(outer)
        assert self.marks(tmp_path) == []
        git_looks_at_everything(outer)
        assert self.marks(tmp_path) == ["clean", "fsmonitor"]

    def test_a_working_tree_set_elsewhere_is_not_read(
        self, make_repository: RepositoryMaker, tmp_path: Path
    ) -> None:
        write_files(tmp_path / "home", {"secret.py": "s", "a.py": "secret"})
        root = make_repository({"a.py": "1"})
        git(root, "config", "core.worktree", str(tmp_path / "home"))
        for start in (root, root / ".git"):
            snapshot = open_snapshot(start)
            assert read(snapshot) == {"a.py": b"1"}
        assert "secret" not in working_tree_diff(root)

    def test_replaced_objects_do_not_stand_in(self, make_repository: RepositoryMaker) -> None:
        root = make_repository({"a.py": "true"})
        oid = git(root, "rev-parse", "HEAD:a.py")
        other = git(root, "hash-object", "-w", "--stdin", stdin=b"forged")
        git(root, "replace", oid, other)
        assert git(root, "cat-file", "-p", oid) == "forged"
        assert read(open_snapshot(root, revision="HEAD")) == {"a.py": b"true"}


@pytest.mark.parametrize(
    "name",
    [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_COMMON_DIR",
        "GIT_NAMESPACE",
        "GIT_PREFIX",
        "GIT_EXTERNAL_DIFF",
        "GIT_LITERAL_PATHSPECS",
        "GIT_TRACE",
        "GIT_ATTR_SOURCE",
    ],
)
def test_inherited_variables_do_not_redirect(
    make_repository: RepositoryMaker, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A hook's git sets them for another repository than the one asked about."""
    root = make_repository({"a.py": "1"})
    write_files(root, {"a.py": "2"})
    git(root, "commit", "--quiet", "--all", "--message=x")
    git(root, "commit", "--quiet", "--allow-empty", "--message=x")
    other = make_repository({"other.py": "1"})
    monkeypatch.setenv(name, str(other / ".git"))
    look_at_everything(root)
    assert read(open_snapshot(root)) == {"a.py": b"2"}
    assert read(open_snapshot(root, revision="HEAD~2")) == {"a.py": b"1"}
    assert os.environ[name] == str(other / ".git")


def test_settings_the_user_hands_git_in_the_environment_still_count(
    make_repository: RepositoryMaker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "excludes").write_text("*.log\n")
    root = make_repository({"a.py": "1"})
    write_files(root, {"b.log": "2"})
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.excludesFile")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(tmp_path / "excludes"))
    assert read(open_snapshot(root)) == {"a.py": b"1"}
    assert working_tree_diff(root) == ""
