"""The one place that names the engines: a profile in, a Model out."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from repoqa.errors import UsageError
from repoqa.models.profile import Endpoint, Profile
from repoqa.protocols import Model, Progress

if TYPE_CHECKING:
    from repoqa.models.local import LocalModel

PREFIXES = "prefixes"
"""The folder in the cache that holds what models have read."""


def _unheard(text: str) -> None:
    """What the user could be told is not said."""


def open_model(
    profile: Profile,
    *,
    cache: Path,
    progress: Progress,
    endpoint: Endpoint | None = None,
    note: Callable[[str], None] = _unheard,
    prefix_cache: int = 0,
) -> Model:
    """The model of `profile`; its weights are fetched into `cache` where they are not here yet.

    `endpoint` is where a `server` profile's server is; without one the profile's own address
    counts. `note` is told how a model is run here, before its weights are loaded. `prefix_cache`
    is how many bytes what it reads may take in `cache`, for later processes. Raises ModelError,
    ServerError, and UsageError for a server without an address.
    """
    match profile.engine:
        case "transformers":
            model = open_local(profile, cache=cache, progress=progress, note=note)
            model.prefixes = (cache / PREFIXES, prefix_cache) if prefix_cache else None
            return model
        case "llamacpp":
            from repoqa.models.llama_cpp import LlamaCppModel, weights_file

            return LlamaCppModel(profile, weights_file(profile), note=note)
        case "server":
            from repoqa.models.server import ServerModel

            endpoint = endpoint or Endpoint(profile.url)
            if not endpoint.url:
                raise UsageError(
                    f"the model profile {profile.name} does not say where its server is",
                    remedy="Set REPOQA_SERVER_URL, or `url` under [server] in your config.toml, to "
                    "its address: http://localhost:8000/v1, for example.",
                )
            return ServerModel(profile, endpoint, note=note)
        case "scripted":
            from repoqa.models.scripted import ScriptedModel, read_script

            return ScriptedModel(profile.name, read_script(Path(profile.weights)))


def open_local(
    profile: Profile,
    *,
    cache: Path,
    progress: Progress,
    note: Callable[[str], None] = _unheard,
) -> "LocalModel":
    """The model of a profile that runs on this machine, which goes on from token ids as well.

    Raises UsageError for one that does not, and what `open_model` raises.
    """
    if profile.engine != "transformers":
        raise UsageError(
            f"{profile.name} does not run on this machine, and its tokens are not known here",
            remedy="Name a model that does: --model codellama-7b, for example.",
        )
    from repoqa.models.weights import ensure_checkpoint

    model = _local(profile, ensure_checkpoint(profile, cache=cache, progress=progress))
    model.note = note
    return model


@lru_cache(maxsize=1)
def _local(profile: Profile, checkpoint: Path) -> "LocalModel":
    """The model that ran last goes on: its weights are in memory, and what it has read."""
    from repoqa.models.local import LocalModel

    return LocalModel(profile, checkpoint)
