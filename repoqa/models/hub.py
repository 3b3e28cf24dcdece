"""Models from the Hugging Face hub, through its own client, cache and credentials."""

from fnmatch import fnmatch
from pathlib import Path
from threading import Lock
from typing import Any

from repoqa.errors import ModelError
from repoqa.protocols import Progress

_WANTED = ["*.safetensors", "*.json", "tokenizer.model"]
# Folders hold other formats of the same weights.
_UNWANTED = ["*/*"]


def cached(name: str) -> Path | None:
    """The folder of `name` in the hub's cache, without asking the network."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        config = try_to_load_from_cache(name, "config.json")
    except HFValidationError as error:
        raise ModelError(
            f"{name!r} is not a Hugging Face id (owner/name)",
            remedy="For a local folder, write a path that starts with / or ./ or ~.",
        ) from error
    return Path(config).parent if isinstance(config, str) else None


def download(name: str, *, progress: Progress) -> Path:
    """The folder of `name`, completed from the hub. Raises ModelError where it cannot be had."""
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        progress.start(f"Fetching {name}", total=_bytes_missing(name), unit="bytes")
        place = snapshot_download(
            name,
            allow_patterns=_WANTED,
            ignore_patterns=_UNWANTED,
            tqdm_class=_reporting_to(progress),
        )
    except GatedRepoError as error:
        raise ModelError(
            f"{name} is only given to those who accepted its licence",
            remedy=f"Accept it at https://huggingface.co/{name}, then run `hf auth login`.",
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"the Hugging Face hub has no model {name}, or does not show it to you",
            remedy="Correct the profile's `weights`, or run `hf auth login` for a private model.",
        ) from error
    except (LocalEntryNotFoundError, httpx2.TransportError, HfHubHTTPError, OSError) as error:
        raise ModelError(
            f"{name} could not be fetched: {_first_line(error)}",
            remedy=f"With a network, run `hf download {name}`; or set the profile's `weights` to "
            "a local folder that holds it.",
        ) from error
    finally:
        progress.finish()
    return Path(place)


def _bytes_missing(name: str) -> int:
    from huggingface_hub import HfApi, try_to_load_from_cache

    files = HfApi().model_info(name, files_metadata=True).siblings or []
    sizes = {file.rfilename: file.size or 0 for file in files}
    return sum(
        size
        for path, size in sizes.items()
        if _is_wanted(path) and not try_to_load_from_cache(name, path)
    )


def _is_wanted(path: str) -> bool:
    return "/" not in path and any(fnmatch(path, pattern) for pattern in _WANTED)


def _first_line(error: Exception) -> str:
    cause = error.__cause__ or error
    return str(cause).strip().split("\n", 1)[0].rstrip(".") or type(cause).__name__


def _reporting_to(progress: Progress) -> type[Any]:
    """A tqdm class that draws nothing and passes the bytes written on to `progress`."""
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]

    lock = Lock()

    class Reporting(tqdm):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            # The bars of the same download count files, and bytes on the wire.
            self._counts = options.get("name") == "huggingface_hub.snapshot_download"
            super().__init__(*arguments, **options | {"disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            if self._counts and n:
                with lock:
                    progress.advance(int(n))

    return Reporting
