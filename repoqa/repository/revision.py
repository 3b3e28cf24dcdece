"""Lists the files of a revision, without checking it out and without fetching anything."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from repoqa.errors import RepositoryError
from repoqa.records import FileEntry
from repoqa.repository.disk import SYMLINK, too_large
from repoqa.repository.ignore import IGNORE_FILE
from repoqa.repository.listing import MISSING_OBJECT, NOT_FETCHED, Found, Listing, found
from repoqa.repository.objects import Objects
from repoqa.repository.plumbing import Git
from repoqa.repository.submodules import open_submodule

OBJECT_ID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?\n")
# Names offered for an unknown one are looked for among this many branches and tags, newest first.
NAMES_COMPARED = 2000
NAMES_OFFERED = 3

# mode, id, size ("-" unknown or none, "BAD" for a missing object), path
TreeEntry = tuple[str, str, str, str]
TREE_ENTRY = re.compile(r"(\d{6}) \w+ ([0-9a-f]+)(?: +(\d+|-|BAD))?\t([^\0]*)\0")
FILE, GITLINK = "100", "160"


@dataclass(frozen=True, slots=True)
class Part:
    """One repository's part of a revision: the outer one (prefix "") or a submodule ("path/")."""

    prefix: str
    git: Git
    revision: str


def resolve(git: Git, name: str) -> str:
    """The id of the commit (or tree) that `name` stands for, in any of git's ways to name one.

    Raises RepositoryError for an unknown name, with the nearest known ones.
    """
    if name.strip() and not name.startswith("-") and "\0" not in name:
        oid = _parse(git, name)
        # A whole id is parsed without a look at whether there is such an object.
        found = oid and (_parse(git, f"{oid}^{{commit}}") or _parse(git, f"{oid}^{{tree}}"))
        if found:
            return found
    raise _unknown(git, name)


def _parse(git: Git, name: str) -> str:
    """The id that git's own parser gives for a name, or ""."""
    parsed = git.attempt("rev-parse", "--verify", "--quiet", name)
    is_id = parsed.status == 0 and OBJECT_ID.fullmatch(parsed.output)
    return parsed.output.decode().strip() if is_id else ""


def _unknown(git: Git, name: str) -> RepositoryError:
    if name == "HEAD":
        return RepositoryError(
            f"{git.root} has no commit yet", remedy="Commit first, or ask about the working tree."
        )
    import difflib

    listed = git.attempt(
        "for-each-ref",
        f"--count={NAMES_COMPARED}",
        "--sort=-creatordate",
        "--format=%(refname:short)",
        "refs/heads",
        "refs/tags",
        "refs/remotes",
    )
    names = os.fsdecode(listed.output).splitlines()
    nearest = difflib.get_close_matches(name, names, n=NAMES_OFFERED)
    remedy = "`git branch --all` and `git tag` list the names there are."
    if nearest:
        remedy = f"Did you mean {' or '.join(nearest)}?"
    elif (git.common_dir / "shallow").exists():
        remedy = "This is a shallow clone: `git fetch --unshallow` gets the older commits."
    return RepositoryError(f"unknown revision {name!r}", remedy=remedy)


def list_revision(git: Git, revision: str) -> Found:
    """List the files of the commit or tree with the id `revision`, and make their reader."""
    listing = Listing()
    stored: list[tuple[str, Git]] = []
    waiting = [Part("", git, revision)]
    while waiting:
        part = waiting.pop()
        stored.append((part.prefix, part.git))
        waiting += _list_part(part, listing)
    stored.sort(key=lambda home: len(home[0]), reverse=True)
    return found(listing, Objects(tuple(stored)))


def _list_part(part: Part, listing: Listing) -> list[Part]:
    """Add one repository's files; return the submodules whose commits are at hand."""
    entries: Sequence[TreeEntry] = _read_tree(part)
    _add_rules(part, listing, entries)
    if listing.rules:
        ignores = listing.rules.ignores
        entries = [
            entry
            for entry in entries
            if not ignores(part.prefix + entry[3], is_folder=entry[0].startswith(GITLINK))
        ]
    submodules = []
    for mode, oid, size, path in entries:
        name = part.prefix + path
        if mode.startswith(GITLINK):
            submodules += _open_submodule(part, listing, (path, oid))
        elif not mode.startswith(FILE):
            listing.skip(name, SYMLINK)
        elif not size.isdigit():
            listing.skip(name, NOT_FETCHED if size == "-" else MISSING_OBJECT)
        elif why := too_large(int(size)):
            listing.skip(name, why)
        else:
            listing.files.append(FileEntry(name, oid, int(size)))
    return submodules


def _read_tree(part: Part) -> list[TreeEntry]:
    command = ("ls-tree", "-r", "-z", "--full-tree")
    if not part.git.promisor_filters:
        output = part.git.run(*command, "-l", part.revision)
        return TREE_ENTRY.findall(os.fsdecode(output))
    listed = part.git.attempt(*command, part.revision)
    if listed.status:
        raise RepositoryError(
            f"this partial clone has not fetched all folders of {part.revision}",
            remedy=f"Fetch them: git -C {part.git.root} checkout {part.revision}",
        )
    return _with_sizes(part, TREE_ENTRY.findall(os.fsdecode(listed.output)))


def _with_sizes(part: Part, entries: Iterable[TreeEntry]) -> list[TreeEntry]:
    """The entries with the sizes of the blobs that are here, asking git for those alone."""
    listed = part.git.run(
        "rev-list", "--objects", "--no-object-names", "--missing=print", "-1", part.revision
    )
    absent = {line[1:] for line in listed.decode().splitlines() if line.startswith("?")}
    here = sorted({oid for mode, oid, *_ in entries if mode.startswith(FILE)} - absent)
    sizes = part.git.run(
        "cat-file",
        "--batch-check=%(objectname) %(objectsize)",
        "--buffer",
        stdin="".join(f"{oid}\n" for oid in here).encode(),
    )
    known = dict(line.split(" ") for line in sizes.decode().splitlines())
    return [(mode, oid, known.get(oid, "-"), path) for mode, oid, _, path in entries]


def _add_rules(part: Part, listing: Listing, entries: Iterable[TreeEntry]) -> None:
    """Add the revision's own `.repoqaignore` files."""
    ignore_files = [
        FileEntry(path, oid, int(size))
        for mode, oid, size, path in entries
        if path.endswith(IGNORE_FILE) and mode.startswith(FILE) and size.isdigit()
    ]
    for entry, content in Objects((("", part.git),)).read(ignore_files):
        folder, _, name = (part.prefix + entry.path).rpartition("/")
        if name == IGNORE_FILE and content is not None:
            listing.rules.add(folder, [content])


def _open_submodule(part: Part, listing: Listing, link: tuple[str, str]) -> list[Part]:
    """The submodule at a path, where it is checked out and has the commit the revision names."""
    path, commit = link
    name = part.prefix + path
    submodule = open_submodule(part.git, path)
    if not isinstance(submodule, Git):
        listing.skip(name, submodule)
    elif not _parse(submodule, f"{commit}^{{commit}}"):
        listing.skip(name, f"a submodule that has no commit {commit}")
    else:
        return [Part(f"{name}/", submodule, commit)]
    return []
