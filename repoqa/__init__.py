"""repoqa: a long-context debugging assistant for a codebase, on the user's own machine."""

__version__ = "0.1.0"
__all__ = ["__version__"]
