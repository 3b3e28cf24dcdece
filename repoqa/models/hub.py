"""Models from the Hugging Face hub, through its own client, cache and credentials."""

import hashlib
import re
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from threading import Lock
from typing import Any

from repoqa.errors import ModelError
from repoqa.models.resume import fetch
from repoqa.protocols import Progress

_WANTED = ["*.safetensors", "*.json", "tokenizer.model"]
# Folders hold other formats of the same weights.
_UNWANTED = ["*/*"]
_WEIGHTS = "*.safetensors"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BLOCK = 1 << 20


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


def decline_telemetry() -> None:
    """Keep the hub's client from telling the hub what else is installed and runs here, which it
    would ask the hub for a list of first."""
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True


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

    decline_telemetry()
    try:
        commit, missing = _missing(name)
        progress.start(f"Fetching {name}", total=sum(missing.values()), unit="bytes")
        for path in missing:
            if fnmatch(path, _WEIGHTS):
                bar = reporting_to(progress, bars="huggingface_hub.http_get")
                fetch(name, path, commit=commit, bar=bar)
        place = snapshot_download(
            name,
            allow_patterns=_WANTED,
            ignore_patterns=_UNWANTED,
            tqdm_class=reporting_to(progress, bars="huggingface_hub.snapshot_download"),
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


def _missing(name: str) -> tuple[str | None, dict[str, int]]:
    """The model's newest commit, and its files that are not in the cache, with their sizes."""
    from huggingface_hub import HfApi, try_to_load_from_cache

    model = HfApi().model_info(name, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in model.siblings or []}
    _refuse_without_safetensors(name, sizes)
    return model.sha, {
        path: size
        for path, size in sorted(sizes.items())
        if _is_wanted(path) and not try_to_load_from_cache(name, path)
    }


def _refuse_without_safetensors(name: str, paths: Iterable[str]) -> None:
    top = sorted(path for path in paths if "/" not in path)
    if any(fnmatch(path, _WEIGHTS) for path in top):
        return
    pickles = [path for path in top if any(fnmatch(path, pattern) for pattern in _PICKLES)]
    kept = f"only as pickled files ({pickles[0]}), which can run code when read" if pickles else ""
    raise ModelError(
        f"{name} has no safetensors: its weights are {kept or 'not there'}",
        remedy="Set the profile's `weights` to a repository or a folder that has safetensors; "
        "nothing was fetched.",
    )


def verify_blobs(files: Iterable[Path], *, progress: Progress) -> None:
    """Compare each file with the SHA-256 that the hub's cache names it by; others are left be.

    Raises ModelError for one that differs, after removing it.
    """
    blobs = {path: path.resolve() for path in files}
    known = {path: blob for path, blob in blobs.items() if _SHA256.fullmatch(blob.name)}
    total = sum(blob.stat().st_size for blob in known.values())
    progress.start("Checking the weights", total=total, unit="bytes")
    try:
        for path, blob in known.items():
            if _sha256(blob, progress=progress) != blob.name:
                path.unlink()
                blob.unlink(missing_ok=True)
                raise ModelError(
                    f"{path.name} is not the file that the hub has: it was damaged and is removed",
                    remedy="Pull the model again; the other files are kept.",
                )
    finally:
        progress.finish()


def _sha256(path: Path, *, progress: Progress) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            progress.advance(len(block))
    return digest.hexdigest()


def _is_wanted(path: str) -> bool:
    return "/" not in path and any(fnmatch(path, pattern) for pattern in _WANTED)


def _first_line(error: Exception) -> str:
    cause = error.__cause__ or error
    return str(cause).strip().split("\n", 1)[0].rstrip(".") or type(cause).__name__


def reporting_to(progress: Progress, *, bars: str) -> type[Any]:
    """A tqdm class that draws nothing and passes the bytes written on to `progress`; other bars
    than `bars` of the same download count files, or bytes on the wire."""
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]

    lock = Lock()

    class Reporting(tqdm):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self._counts = options.get("name") == bars
            super().__init__(*arguments, **options | {"disable": True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            if self._counts and n:
                with lock:
                    progress.advance(int(n))

    return Reporting
