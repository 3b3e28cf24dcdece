"""repoqa: a long-context debugging assistant for a codebase, on the user's own machine.

`open_repository`, `pack` and `ask` do what the commands of these names do; `Options` is how to
ask, `Preparation` and `Diagnosis` are what comes back, `RepoqaError` is every error. They are
loaded when first used: importing repoqa does nothing else.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from repoqa.api.calls import Diagnosis, ask, open_repository, pack
    from repoqa.api.job import Options
    from repoqa.diagnosis.prepare import Preparation
    from repoqa.errors import RepoqaError

__version__ = "0.1.0"
__all__ = [
    "Diagnosis",
    "Options",
    "Preparation",
    "RepoqaError",
    "__version__",
    "ask",
    "open_repository",
    "pack",
]
_HOMES = {
    "Diagnosis": "repoqa.api.calls",
    "Options": "repoqa.api.job",
    "Preparation": "repoqa.diagnosis.prepare",
    "RepoqaError": "repoqa.errors",
    "ask": "repoqa.api.calls",
    "open_repository": "repoqa.api.calls",
    "pack": "repoqa.api.calls",
}


def __getattr__(name: str) -> object:
    """A public name, from the module that is its home (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'repoqa' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names, those not loaded yet among them."""
    return sorted({*globals(), *__all__})
