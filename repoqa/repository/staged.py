"""Lists what is staged: the files as the next commit would have them."""

import os

from repoqa.errors import RepositoryError
from repoqa.records import FileEntry, Snapshot
from repoqa.repository.disk import too_large
from repoqa.repository.listing import MISSING_OBJECT, Listing, found
from repoqa.repository.objects import Objects
from repoqa.repository.plumbing import Git

FILE_MODES = ("100644", "100755")


def staged_snapshot(git: Git) -> Snapshot:
    """The staged files; submodules and symbolic links are left out. Raises RepositoryError."""
    listed = os.fsdecode(git.run("ls-files", "--cached", "--stage", "-z"))
    entries = [entry.partition("\t") for entry in listed.split("\0") if entry]
    named = [(head.split(" "), path) for head, _, path in entries]
    files = [(oid, path) for (mode, oid, stage), path in named if mode in FILE_MODES]
    listing = Listing()
    sizes = _sizes(git, sorted({oid for oid, _ in files}))
    for oid, path in files:
        size = sizes.get(oid)
        why = MISSING_OBJECT if size is None else too_large(size)
        listing.add(FileEntry(path, oid, size or 0)) if not why else listing.skip(path, why)
    if not listing.files:
        raise RepositoryError(f"nothing is staged in {git.root}", remedy="Stage files: git add")
    whole = found(listing, Objects((("", git),)))
    return Snapshot(
        root=git.root,
        name=git.root.name,
        revision=None,
        object_format=git.object_format,
        files=whole.files,
        skipped=whole.skipped,
        source=whole.source,
    )


def _sizes(git: Git, oids: list[str]) -> dict[str, int]:
    """The sizes of the blobs that are here."""
    asked = "".join(f"{oid}\n" for oid in oids).encode()
    form = "--batch-check=%(objectname) %(objectsize)"
    told = git.run("cat-file", form, "--buffer", stdin=asked).decode().splitlines()
    pairs = (line.split(" ") for line in told)
    return {oid: int(size) for oid, size in pairs if size.isdigit()}
