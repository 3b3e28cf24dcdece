"""Lists a folder that is no git repository, by `.gitignore` and `.repoqaignore` files alone."""

import os
from collections import deque
from pathlib import Path

from repoqa.repository.disk import Disk, hash_file, read_file, why_unread
from repoqa.repository.ignore import IGNORE_FILE
from repoqa.repository.listing import Found, Listing, found

IGNORE_FILES = (".gitignore", IGNORE_FILE)  # the last is the strongest
# Where version control keeps what is none of the project's files.
METADATA = frozenset((".git", ".hg", ".svn", ".jj", ".bzr", "CVS"))
OBJECT_FORMAT = "sha1"


def walk(root: Path) -> Found:
    """List the files below `root`, following no symbolic link, and make their reader."""
    listing = Listing()
    waiting = deque([""])
    while waiting:
        waiting.extend(_list_folder(root, waiting.popleft(), listing))
    own = frozenset(entry.path for entry in listing.files)
    return found(listing, Disk(os.fsencode(root), own))


def _list_folder(root: Path, folder: str, listing: Listing) -> list[str]:
    """Add one folder's files; return the folders in it that are not ignored."""
    try:
        with os.scandir(root / folder) as scanned:
            children = sorted(scanned, key=lambda child: child.name)
    except OSError as error:
        listing.skip(f"{folder}/", why_unread(error))
        return []
    names = {child.name for child in children}
    contents = _contents(root / folder, [name for name in IGNORE_FILES if name in names])
    if contents:
        listing.rules.add(folder, contents)
    folders = []
    for child in children:
        path = f"{folder}/{child.name}" if folder else child.name
        is_folder = child.is_dir(follow_symlinks=False)
        if child.name in METADATA or listing.rules.ignores(path, is_folder=is_folder):
            continue
        if is_folder:
            folders.append(path)
        else:
            listing.add(hash_file(os.fsencode(child.path), path, OBJECT_FORMAT))
    return folders


def _contents(folder: Path, names: list[str]) -> list[bytes]:
    contents = []
    for name in names:
        try:
            contents.append(read_file(os.fsencode(folder / name)))
        except OSError:
            continue
    return contents
