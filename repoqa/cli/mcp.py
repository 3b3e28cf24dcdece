"""`repoqa mcp`: the engine for assistants."""

from repoqa.cli import options


def mcp(repo: options.Repo = None) -> None:
    """Serve assistants (Claude Code, Cursor, VS Code) by the Model Context Protocol.

    They start it by themselves, in the repository, and talk to it over standard input and output.
    It reads that repository alone, loads no model, and needs repoqa-cli[mcp].
    """
    from repoqa.mcp.server import serve, served_root

    serve(served_root(repo))
