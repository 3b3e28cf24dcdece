"""The files of a segment, in columns: a hundred thousand are read at once, not one by one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

# The database holds each key twice: as a text of all it stands for it would be a tenth of it.
KEY_BYTES = 16


class Note(NamedTuple):
    """What a record notes on its file: why it has no units, or why it has only line chunks."""

    left_out: str
    problem: str


@dataclass(frozen=True, slots=True)
class Files:
    """Files, sorted by path: `paths`, and the blob id of each in `oids`.

    `kind` is what the keys of their records begin with; `notes` are those of the few files that
    have any, by number.
    """

    kind: str
    paths: tuple[str, ...] = ()
    oids: tuple[str, ...] = ()
    notes: Mapping[int, Note] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def keys(self) -> Iterator[str]:
        """The keys of the files' records."""
        pairs = zip(self.paths, self.oids, strict=True)
        return (record_key(self.kind, path, oid) for path, oid in pairs)


def record_key(kind: str, path: str, oid: str) -> str:
    """The key of a file's record: its content and its name (which tells the language)."""
    name = path.rpartition("/")[2].encode("utf-8", "surrogateescape")
    return blake2b(f"{kind}:{oid}:".encode() + name, digest_size=KEY_BYTES).hexdigest()
