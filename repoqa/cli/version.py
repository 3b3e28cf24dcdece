"""`repoqa --version`: the version and, where it is known, the commit that it was built from."""

from pathlib import Path

from repoqa import __version__
from repoqa.cli.failure import NAME

PACKAGE = Path(__file__).parent.parent
# Written when a wheel is built (hatch_build.py).
BUILT_FROM = PACKAGE / "COMMIT"
DIGITS = 10


def version_line() -> str:
    """`repoqa 0.1.0 (3efc90c7ef)`; no commit where neither the build nor git tells one."""
    commit = _commit()
    return f"{NAME} {__version__} ({commit[:DIGITS]})" if commit else f"{NAME} {__version__}"


def _commit() -> str:
    if BUILT_FROM.is_file():
        return BUILT_FROM.read_text(encoding="utf-8").strip()
    checkout = PACKAGE.parent
    if not (checkout / ".git").exists():
        return ""
    from repoqa.errors import RepoqaError
    from repoqa.repository.plumbing import open_git

    try:
        git = open_git(checkout)
    except RepoqaError:  # git is missing, or refuses a checkout of another user's
        return ""
    found = git.attempt("rev-parse", "HEAD") if git else None
    return found.output.decode().strip() if found and not found.status else ""
