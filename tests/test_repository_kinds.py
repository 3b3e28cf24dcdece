"""Every kind of repository: submodules, worktrees, bare, shallow, sparse and partial clones."""

from pathlib import Path

import pytest
from conftest import RepositoryMaker, git, write_files
from test_repository_snapshot import metadata, read, skipped

from repoqa.errors import RepositoryError
from repoqa.repository.snapshot import open_snapshot


@pytest.fixture
def origin(make_repository: RepositoryMaker) -> Path:
    """A repository of two commits that lets itself be cloned in part."""
    root = make_repository({"a.py": "first", "old.py": "old", "d/b.py": "b", "e/f/c.py": "c"})
    git(root, "rm", "--quiet", "old.py")
    write_files(root, {"a.py": "second"})
    git(root, "commit", "--quiet", "--all", "--message=Second")
    git(root, "config", "uploadpack.allowFilter", "true")
    git(root, "config", "uploadpack.allowAnySHA1InWant", "true")
    return root


LATEST = {"a.py": b"second", "d/b.py": b"b", "e/f/c.py": b"c"}
FIRST = {"a.py": b"first", "d/b.py": b"b", "e/f/c.py": b"c", "old.py": b"old"}


def clone(origin: Path, name: str, *options: str) -> Path:
    git(origin.parent, "clone", "--quiet", *options, f"file://{origin}", name)
    return origin.parent / name


class TestSubmodules:
    @pytest.fixture
    def outer(self, make_repository: RepositoryMaker) -> Path:
        inner = make_repository({"x.py": "x", "sub/y.py": "y"})
        middle = make_repository({"m.py": "m"})
        git(middle, "submodule", "--quiet", "add", str(inner), "inner")
        git(middle, "commit", "--quiet", "--message=x")
        outer = make_repository({"o.py": "o"})
        git(outer, "submodule", "--quiet", "add", str(middle), "lib/middle")
        git(outer, "commit", "--quiet", "--message=x")
        git(outer, "submodule", "--quiet", "update", "--init", "--recursive")
        return outer

    WHOLE = {
        "lib/middle/inner/sub/y.py": b"y",
        "lib/middle/inner/x.py": b"x",
        "lib/middle/m.py": b"m",
        "o.py": b"o",
    }

    def test_checked_out_ones_are_read(self, outer: Path) -> None:
        for start in (open_snapshot(outer), open_snapshot(outer, revision="HEAD")):
            contents = read(start)
            assert {
                p: c for p, c in contents.items() if not p.endswith(".gitmodules")
            } == self.WHOLE
            assert skipped(start) == {}

    def test_edits_in_them_are_seen(self, outer: Path) -> None:
        write_files(outer, {"lib/middle/inner/x.py": "edited", "lib/middle/new.py": "new"})
        contents = read(open_snapshot(outer))
        assert contents["lib/middle/inner/x.py"] == b"edited"
        assert contents["lib/middle/new.py"] == b"new"

    def test_clean_blobs_come_from_their_own_database(self, outer: Path) -> None:
        inner = outer / "lib/middle/inner"
        snapshot = open_snapshot(outer)
        write_files(inner, {"x.py": "edited after listing"})
        assert read(snapshot)["lib/middle/inner/x.py"] == b"x"

    def test_one_that_is_not_checked_out_is_listed(self, outer: Path) -> None:
        git(outer, "submodule", "--quiet", "deinit", "--force", "lib/middle")
        for snapshot in (open_snapshot(outer), open_snapshot(outer, revision="HEAD")):
            assert read(snapshot).keys() == {".gitmodules", "o.py"}
            assert skipped(snapshot) == {"lib/middle": "a submodule that is not checked out"}

    def test_one_that_is_ignored_is_not_even_listed(self, outer: Path) -> None:
        write_files(outer, {".repoqaignore": "/lib/*/\n"})
        git(outer, "add", "--all")
        git(outer, "commit", "--quiet", "--message=x")
        git(outer, "submodule", "--quiet", "deinit", "--force", "lib/middle")
        for snapshot in (open_snapshot(outer), open_snapshot(outer, revision="HEAD")):
            assert read(snapshot).keys() == {".gitmodules", ".repoqaignore", "o.py"}
            assert skipped(snapshot) == {}

    def test_a_start_inside_one_reads_it_alone(self, outer: Path) -> None:
        snapshot = open_snapshot(outer / "lib/middle/inner/sub")
        assert snapshot.root == outer / "lib/middle/inner"
        assert read(snapshot) == {"sub/y.py": b"y", "x.py": b"x"}

    def test_a_commit_that_is_not_there_is_listed(self, outer: Path) -> None:
        git(outer, "update-index", "--cacheinfo", f"160000,{'1' * 40},lib/middle")
        git(outer, "commit", "--quiet", "--message=x")
        snapshot = open_snapshot(outer, revision="HEAD")
        assert skipped(snapshot) == {"lib/middle": f"a submodule that has no commit {'1' * 40}"}

    def test_one_that_became_a_link_is_not_followed(self, outer: Path, tmp_path: Path) -> None:
        (outer / "lib/middle").rename(tmp_path / "moved")
        (outer / "lib/middle").symlink_to(tmp_path / "moved")
        for snapshot in (open_snapshot(outer), open_snapshot(outer, revision="HEAD")):
            assert read(snapshot).keys() == {".gitmodules", "o.py"}
            assert skipped(snapshot) == {"lib/middle": "behind a symbolic link"}

    def test_the_outer_ignore_file_counts_inside(self, outer: Path) -> None:
        write_files(outer, {".repoqaignore": "inner/\n"})
        assert read(open_snapshot(outer)).keys() == {
            ".gitmodules",
            ".repoqaignore",
            "lib/middle/.gitmodules",
            "lib/middle/m.py",
            "o.py",
        }


def test_a_worktree(origin: Path) -> None:
    git(origin, "worktree", "add", "--quiet", "../tree", "HEAD~1")
    tree = origin.parent / "tree"
    assert (tree / ".git").is_file()
    assert read(open_snapshot(tree / "d")) == FIRST
    write_files(tree, {"a.py": "edited"})
    assert read(open_snapshot(tree))["a.py"] == b"edited"
    assert read(open_snapshot(tree, revision="main")) == LATEST


def test_a_bare_repository_means_head(origin: Path) -> None:
    bare = clone(origin, "project.git", "--bare")
    snapshot = open_snapshot(bare)
    assert read(snapshot) == LATEST
    assert snapshot.name == "project"
    assert snapshot.root == bare
    assert snapshot.revision == git(origin, "rev-parse", "HEAD")
    assert snapshot.notes == ("project.git has no working tree: reading HEAD",)
    assert open_snapshot(bare / "refs") == snapshot


def test_a_bare_repository_at_a_revision_equals_its_checkout(origin: Path) -> None:
    bare = clone(origin, "project.git", "--bare")
    git(origin, "checkout", "--quiet", "HEAD~1")
    at_revision = open_snapshot(bare, revision="main~1")
    assert at_revision.files == open_snapshot(origin).files
    assert read(at_revision) == FIRST
    assert at_revision.notes == ()


def test_a_bare_repository_beside_its_worktrees(origin: Path) -> None:
    project = origin.parent / "project"
    git(origin.parent, "clone", "--quiet", "--bare", str(origin), "project/.bare")
    (project / ".git").write_text("gitdir: ./.bare\n")
    git(project, "worktree", "add", "--quiet", "main")
    assert read(open_snapshot(project)) == LATEST
    write_files(project, {"main/a.py": "edited"})
    assert read(open_snapshot(project / "main"))["a.py"] == b"edited"


def test_a_git_directory_kept_elsewhere(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--separate-git-dir=store", "tree")
    write_files(tmp_path / "tree", {"a.py": "1"})
    assert read(open_snapshot(tmp_path / "tree")) == {"a.py": b"1"}


def test_a_shallow_clone(origin: Path) -> None:
    shallow = clone(origin, "shallow", "--depth=1")
    assert read(open_snapshot(shallow)) == LATEST
    assert read(open_snapshot(shallow, revision="HEAD")) == LATEST
    with pytest.raises(RepositoryError) as raised:
        open_snapshot(shallow, revision=git(origin, "rev-parse", "HEAD~1"))
    assert "git fetch --unshallow" in raised.value.remedy


@pytest.mark.parametrize("form", ["--no-sparse-index", "--sparse-index"])
def test_a_sparse_checkout(origin: Path, form: str) -> None:
    git(origin, "sparse-checkout", "set", "--cone", form, "d")
    before = metadata(origin)
    snapshot = open_snapshot(origin)
    assert read(snapshot) == {"a.py": b"second", "d/b.py": b"b"}
    outside = "e/" if form == "--sparse-index" else "e/f/c.py"
    assert skipped(snapshot) == {outside: "outside the sparse checkout"}
    assert read(open_snapshot(origin, revision="HEAD")) == LATEST
    assert metadata(origin) == before


class TestPartialClones:
    """Nothing may be fetched, which git does silently when asked for what is not there."""

    @pytest.fixture
    def marker(self, tmp_path: Path) -> Path:
        return tmp_path / "fetched"

    def partial(self, origin: Path, marker: Path, *options: str) -> Path:
        copy = clone(origin, "partial", *options)
        # Any fetch from now on leaves a mark, and what it would get is still there to be got.
        script = marker.with_name("upload-pack")
        script.write_text(f'#!/bin/sh\ntouch "{marker}"\nexec git-upload-pack "$@"\n')
        script.chmod(0o755)
        git(copy, "config", "remote.origin.uploadpack", str(script))
        return copy

    def test_a_clone_without_old_blobs(self, origin: Path, marker: Path) -> None:
        copy = self.partial(origin, marker, "--filter=blob:none")
        before = metadata(copy)
        assert read(open_snapshot(copy)) == LATEST
        assert read(open_snapshot(copy, revision="HEAD")) == LATEST
        old = open_snapshot(copy, revision="HEAD~1")
        assert read(old) == {"d/b.py": b"b", "e/f/c.py": b"c"}
        assert skipped(old) == dict.fromkeys(
            ("a.py", "old.py"), "not fetched yet by this partial clone"
        )
        assert read(open_snapshot(copy, revision="HEAD:e")) == {"f/c.py": b"c"}
        assert metadata(copy) == before
        assert not marker.exists()

    def test_a_file_edited_after_listing_is_not_fetched(self, origin: Path, marker: Path) -> None:
        copy = self.partial(origin, marker, "--filter=blob:none", "--no-checkout")
        git(copy, "read-tree", "HEAD")  # the index names blobs that were never fetched
        write_files(copy, {path: content.decode() for path, content in LATEST.items()})
        git(copy, "update-index", "--refresh")
        assert not marker.exists()
        snapshot = open_snapshot(copy)
        write_files(copy, {"a.py": "edited"})
        contents = [content for _, content in snapshot.source.read(snapshot.files)]
        assert contents == [b"edited", b"b", b"c"]
        assert not marker.exists()

    def test_a_clone_without_old_folders(self, origin: Path, marker: Path) -> None:
        copy = self.partial(origin, marker, "--filter=tree:0")
        before = metadata(copy)
        assert read(open_snapshot(copy)) == LATEST
        assert read(open_snapshot(copy, revision="HEAD")) == LATEST
        with pytest.raises(RepositoryError, match="has not fetched all folders"):
            open_snapshot(copy, revision="HEAD~1")
        assert metadata(copy) == before
        assert not marker.exists()

    def test_one_with_a_sparse_index_and_without_folders(self, origin: Path, marker: Path) -> None:
        copy = self.partial(origin, marker, "--filter=tree:0", "--sparse")
        git(copy, "sparse-checkout", "set", "--cone", "--sparse-index", "d")
        marker.unlink(missing_ok=True)  # git itself may fetch
        assert read(open_snapshot(copy)) == {"a.py": b"second", "d/b.py": b"b"}
        assert not marker.exists()

    def test_the_mark_is_left_by_a_fetch(self, origin: Path, marker: Path) -> None:
        copy = self.partial(origin, marker, "--filter=blob:none")
        git(copy, "cat-file", "-p", "HEAD~1:a.py")
        assert marker.exists()


def test_the_sha256_object_format(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "new")
    root = tmp_path / "new"
    write_files(root, {"a.py": "1", "b.py": "2"})
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=x")
    write_files(root, {"b.py": "edited"})
    snapshot = open_snapshot(root)
    assert snapshot.object_format == "sha256"
    assert read(snapshot) == {"a.py": b"1", "b.py": b"edited"}
    assert [len(entry.oid) for entry in snapshot.files] == [64, 64]
    assert read(open_snapshot(root, revision="HEAD")) == {"a.py": b"1", "b.py": b"2"}


def test_no_commit_yet(make_repository: RepositoryMaker) -> None:
    root = make_repository({})
    write_files(root, {"a.py": "1", "staged.py": "2"})
    git(root, "add", "staged.py")
    assert read(open_snapshot(root)) == {"a.py": b"1", "staged.py": b"2"}
    with pytest.raises(RepositoryError, match="has no commit yet"):
        open_snapshot(root, revision="HEAD")


def test_an_empty_bare_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "empty.git")
    with pytest.raises(RepositoryError, match="has no commit yet"):
        open_snapshot(tmp_path / "empty.git")


def test_a_detached_head(origin: Path) -> None:
    git(origin, "checkout", "--quiet", "--detach", "HEAD~1")
    assert read(open_snapshot(origin)) == FIRST


def test_a_merge_in_progress(origin: Path) -> None:
    git(origin, "checkout", "--quiet", "-b", "other", "HEAD~1")
    write_files(origin, {"a.py": "third", "old.py": "edited"})
    git(origin, "commit", "--quiet", "--all", "--message=Third")
    with pytest.raises(AssertionError):
        git(origin, "merge", "--quiet", "main")
    assert "1\ta.py" in git(origin, "ls-files", "--unmerged")
    contents = read(open_snapshot(origin))
    assert contents["a.py"].startswith(b"<<<<<<< HEAD\nthird\n=======\nsecond")
    assert contents["old.py"] == b"edited"


def test_a_link_to_a_repository(origin: Path) -> None:
    link = origin.parent / "link"
    link.symlink_to(origin)
    assert open_snapshot(link).root == origin
