"""What `repoqa index` shows of the cache."""

import time

from repoqa.checkup.places import megabytes
from repoqa.index.index import Index
from repoqa.index.inventory import Inventory
from repoqa.visible import one_line

HEADINGS = ("files", "size", "last used", "repository")
SHORT_REVISION = 12


def built_line(index: Index, *, seconds: float) -> str:
    """`shop: 1,603 files indexed in 3.2 s (12 parsed, 1,591 reused)`."""
    name = one_line(index.snapshot.name)
    counts = f"{index.parsed_count:,} parsed, {index.reused_count:,} reused"
    return f"{name}: {len(index.paths):,} files indexed in {seconds:.1f} s ({counts})\n"


def status_lines(inventory: Inventory, *, limit: int) -> str:
    """How big the cache is, and a line for each working tree and revision in it."""
    size = f"{megabytes(inventory.size)} of {megabytes(limit)}"
    head = f"{one_line(str(inventory.directory))}: {size}, {inventory.records:,} files known\n"
    if not inventory.places:
        return head
    rows = [
        HEADINGS,
        *(
            (
                f"{cached.files:,}",
                megabytes(cached.size),
                time.strftime("%Y-%m-%d %H:%M", time.localtime(cached.used)),
                one_line(cached.place.root) + _at(cached.place.revision),
            )
            for cached in inventory.places
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS) - 1)]
    return head + "".join(
        "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=False))
        + f"  {row[-1]}\n"
        for row in rows
    )


def _at(revision: str) -> str:
    return f" at {one_line(revision[:SHORT_REVISION])}" if revision else ""
