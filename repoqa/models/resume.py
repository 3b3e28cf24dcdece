"""One large file from the Hugging Face hub into its cache, going on where an earlier run ended.

The hub's own client throws away what an interrupted run had of a file, which may be 10 GB. Here
it stays beside the finished files, under the name that the cache gives them, and the client then
finds the file there.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_PART = ".repoqa-part"


def fetch(name: str, path: str, *, commit: str | None, bar: type[Any]) -> None:
    """Bring the file `path` of the model `name` into the hub's cache, where it is not there.

    `bar` is the tqdm class that is told of each byte. Raises what the hub's client raises.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get, repo_folder_name
    from huggingface_hub.utils import (  # type: ignore[attr-defined]
        WeakFileLock,
        build_hf_headers,
    )

    url = hf_hub_url(name, path, revision=commit)
    metadata = get_hf_file_metadata(url)
    if metadata.etag is None:
        return
    folder = repo_folder_name(repo_id=name, repo_type="model")
    blob = Path(constants.HF_HUB_CACHE) / folder / "blobs" / metadata.etag
    part = blob.with_name(blob.name + _PART)
    blob.parent.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(part.with_name(part.name + ".lock")):
        if blob.exists():
            return
        headers = build_hf_headers()
        if urlsplit(metadata.location).netloc != urlsplit(url).netloc:
            headers.pop("authorization", None)  # it is the hub's alone, and no storage's
        with part.open("ab") as file:
            http_get(
                metadata.location,
                file,
                resume_size=_kept(file, size=metadata.size),
                headers=headers,
                expected_size=metadata.size,
                tqdm_class=bar,
            )
        part.rename(blob)


def _kept(file: Any, *, size: int | None) -> int:
    """How much of the file is there; none where that is more than there can be."""
    kept: int = file.tell()
    if size is not None and kept > size:
        file.truncate(0)
        return 0
    return kept
