"""What git tells a pre-push hook: a line for each ref that is pushed."""

from collections.abc import Iterator
from dataclasses import dataclass

from repoqa.repository.plumbing import Git
from repoqa.repository.pushed import base_of, is_commit
from repoqa.review.report import Range

TAGS = "refs/tags/"
FIELDS = 4
# More refs than this are pushed by `git push --all` and `--mirror`.
MOST_REFS = 5


@dataclass(frozen=True, slots=True)
class Push:
    """One pushed ref: an id of zeros stands for no ref on that side."""

    local_ref: str
    local_oid: str
    remote_ref: str
    remote_oid: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """The ranges to review, each once, and in words what is not: deleted refs, tags, what the
    remote has already."""

    ranges: tuple[Range, ...]
    passed_over: tuple[str, ...]


def read_pushes(lines: str) -> Iterator[Push]:
    """The pushes; the local ref may hold spaces (`HEAD@{1 day ago}`), so lines part from the
    right. What is no such line is passed over."""
    for line in lines.split("\n"):
        fields = line.rsplit(" ", FIELDS - 1)
        if len(fields) == FIELDS and all(fields):
            yield Push(*fields)


def pushed(git: Git, pushes: Iterator[Push], *, remote: str) -> Pushed:
    """What to review of a push. Raises RepositoryError."""
    ranges: dict[tuple[str, str], Range] = {}
    passed_over = []
    for push in pushes:
        why = _why_passed_over(git, push)
        if why:
            passed_over.append(f"{push.remote_ref}: {why}")
            continue
        there = push.remote_oid if push.remote_oid.strip("0") else ""
        base = base_of(git, push.local_oid, there=there, remote=remote)
        if base == push.local_oid:
            passed_over.append(f"{push.remote_ref}: the remote has its commits already")
        elif len(ranges) == MOST_REFS and (base, push.local_oid) not in ranges:
            passed_over.append(f"{push.remote_ref}: more than {MOST_REFS} refs at once")
        else:
            found = Range("push", push.remote_ref, base, push.local_oid)
            ranges.setdefault((base, push.local_oid), found)
    return Pushed(tuple(ranges.values()), tuple(passed_over))


def _why_passed_over(git: Git, push: Push) -> str:
    if not push.local_oid.strip("0"):
        return "it is deleted"
    if push.remote_ref.startswith(TAGS):
        return "a tag"
    return "" if is_commit(git, push.local_oid) else "no branch of commits"
