"""What a push sends: the commits that the remote does not have, as far as this clone knows."""

from repoqa.errors import RepositoryError
from repoqa.repository.comparison import empty_tree
from repoqa.repository.plumbing import Git
from repoqa.repository.revision import resolve

SHALLOW_REMEDY = "Get the older commits: git fetch --unshallow"


def pushed_range(git: Git) -> tuple[str, str]:
    """What `git push` would send from here, as the ids of its two sides.

    Raises RepositoryError where there is no commit or no remote.
    """
    head = resolve(git, "HEAD")
    there = next((oid for name in ("@{push}", "@{upstream}") if (oid := _commit(git, name))), "")
    remotes = [key for key in git.settings if key.startswith("remote.") and key.endswith(".url")]
    if not there and not remotes:
        raise RepositoryError(
            "there is no remote, so nothing says what a push would send",
            remedy="Say what to review: --worktree, --staged, or a range such as HEAD~1..HEAD",
        )
    return base_of(git, head, there=there, remote=_remote(git)), head


def base_of(git: Git, new: str, *, there: str, remote: str) -> str:
    """The newest ancestor of `new`, by first parents, that the remote has: what a review of a push
    compares with. `new` itself where all is there, the empty tree where nothing is.

    `there` is what the remote's branch is now, "" for a new one; it may be gone from this clone,
    as after a forced push. `remote` is the remote's name, or an address without one. Raises
    RepositoryError where a shallow clone lacks that ancestor.
    """
    known = [there] if there and _commit(git, there) else []
    tracked = f"--remotes={remote}" if f"remote.{remote}.url" in git.settings else "--remotes"
    listed = git.run("rev-list", "--first-parent", new, "--not", *known, tracked)
    oldest = listed.decode().split()[-1:]
    if not oldest:
        return new
    parent = _commit(git, f"{oldest[0]}^")
    if parent:
        return parent
    if oldest[0] in _cut(git):
        if known:
            return known[0]
        raise RepositoryError(
            "this shallow clone lacks the commit that the remote has in common with it",
            remedy=SHALLOW_REMEDY,
        )
    return empty_tree(git)


def tree_of(git: Git, revision: str) -> str:
    """The id of a commit's tree, or of the tree itself."""
    return resolve(git, f"{revision}^{{tree}}")


def is_commit(git: Git, oid: str) -> bool:
    """Whether an id is a commit of this clone, not a tag of one."""
    found = git.attempt("cat-file", "-t", oid)
    return found.status == 0 and found.output.strip() == b"commit"


def _commit(git: Git, name: str) -> str:
    """The id of the commit a name stands for, "" where there is none."""
    found = git.attempt("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    return found.output.decode().strip() if found.status == 0 else ""


def _remote(git: Git) -> str:
    """The remote that a push goes to, as git chooses it."""
    branch = git.attempt("symbolic-ref", "--quiet", "--short", "HEAD")
    name = branch.output.decode(errors="surrogateescape").strip() if branch.status == 0 else ""
    keys = (f"branch.{name}.pushremote", "remote.pushdefault", f"branch.{name}.remote")
    return next((git.settings[key] for key in keys if key in git.settings), "origin")


def _cut(git: Git) -> frozenset[str]:
    """The commits whose parents a shallow clone left out."""
    try:
        return frozenset((git.common_dir / "shallow").read_text().split())
    except OSError:
        return frozenset()
