"""What `repoqa index` prints for other programs (schema 1)."""

from datetime import UTC, datetime

from repoqa.formats.json import SCHEMA, Fields
from repoqa.index.index import Index
from repoqa.index.inventory import Inventory

MILLISECONDS = 3


def index_report(index: Index, *, seconds: float) -> Fields:
    """What `index --json` prints."""
    return {
        "schema": SCHEMA,
        "repo": index.snapshot.name,
        "revision": index.snapshot.revision,
        "files": len(index.paths),
        "files_skipped": [{"path": s.path, "why": s.why} for s in index.skipped],
        "run": {
            "parsed": index.parsed_count,
            "reused": index.reused_count,
            "seconds": {"total": round(seconds, MILLISECONDS)},
        },
    }


def status_report(inventory: Inventory, *, limit: int) -> Fields:
    """What `index --status --json` prints; sizes are in bytes, times in UTC."""
    return {
        "schema": SCHEMA,
        "directory": str(inventory.directory),
        "bytes": inventory.size,
        "limit": limit,
        "records": inventory.records,
        "places": [
            {
                "root": cached.place.root,
                "revision": cached.place.revision or None,
                "files": cached.files,
                "bytes": cached.size,
                "last_used": datetime.fromtimestamp(cached.used, UTC).isoformat(timespec="seconds"),
            }
            for cached in inventory.places
        ],
    }
