"""The one place that names the engines: a profile in, a Model out."""

from collections.abc import Callable
from pathlib import Path

from repoqa.errors import UsageError
from repoqa.models.profile import Endpoint, Profile
from repoqa.protocols import Embedder, Model, Progress


def _unheard(text: str) -> None:
    """What the user could be told is not said."""


def open_model(
    profile: Profile,
    *,
    cache: Path,
    progress: Progress,
    endpoint: Endpoint | None = None,
    note: Callable[[str], None] = _unheard,
) -> Model:
    """The model of `profile`; its weights are fetched into `cache` where they are not here yet.

    `endpoint` is where a `server` profile's server is; without one the profile's own address
    counts. `note` is told how a model is run here, before its weights are loaded. Raises
    ModelError, ServerError, and UsageError for a server without an address.
    """
    match profile.engine:
        case "transformers":
            from repoqa.models.local import LocalModel
            from repoqa.models.weights import ensure_checkpoint

            checkpoint = ensure_checkpoint(profile, cache=cache, progress=progress)
            return LocalModel(profile, checkpoint, note=note)
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


def open_embedder() -> Embedder | None:
    """The model that candidates are ranked anew with; None where its extra is not installed.

    Nothing is loaded before it is used.
    """
    from repoqa.models.minilm import MiniLM, is_installed

    return MiniLM() if is_installed() else None
