"""Serves the tools over standard input and output, by the Model Context Protocol.

https://modelcontextprotocol.io/specification: standard output carries its messages alone. Calls are
answered one after the other, since each uses the whole machine; one that is cancelled stops.
"""

import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repoqa import __version__
from repoqa.errors import JobError, RepoqaError, RepositoryError
from repoqa.mcp.arguments import description_of, read_arguments, schema_of, unknown_tool
from repoqa.mcp.progress import Told
from repoqa.mcp.tools import TOOLS, Result, Served
from repoqa.repository.plumbing import open_git
from repoqa.visible import visible

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from mcp.server.context import ServerRequestContext
    from mcp.server.lowlevel import Server
    from mcp_types import CallToolRequestParams, CallToolResult, Tool

    Context = ServerRequestContext[Any]

EXTRA = "repoqa-cli[mcp]"
INSTRUCTIONS = (
    "repoqa finds the code that matters for a bug in the repository {name}. Start with "
    "explain_trace for a stack trace or a failing test, with find_code for a question in words; "
    "pack_context gives the code itself; review_impact says what a change may break. Paths are "
    "relative to the repository's root, lines count from 1."
)


def served_root(start: Path | None) -> Path:
    """The root of the repository to serve: the one around here, or around a folder that was named,
    which may also be one outside git. Raises RepositoryError."""
    folder = (start or Path()).resolve()
    git = open_git(folder) if folder.is_dir() else None
    if git is not None:
        return git.root.resolve()
    if start is None or not folder.is_dir():
        raise RepositoryError(
            f"no git repository at or above {folder}, so nothing to serve",
            remedy="Start it in a repository, or name one: repoqa mcp --repo DIR",
        )
    return folder


def serve(root: Path) -> None:
    """Answer calls until standard input ends. Raises JobError where the extra is not installed."""
    if find_spec("mcp") is None:
        raise JobError(
            "the MCP server needs packages that are not installed",
            remedy=f"pip install '{EXTRA}'",
        )
    import anyio
    from mcp.server.stdio import stdio_server

    async def run() -> None:
        server = _server(root, anyio.CapacityLimiter(1))
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    anyio.run(run)


def _server(root: Path, one_at_a_time: "CapacityLimiter") -> "Server[Any]":
    from mcp.server.lowlevel import Server
    from mcp_types import CallToolResult, ListToolsResult, TextContent

    async def list_tools(context: "Context", parameters: object) -> ListToolsResult:
        return ListToolsResult(tools=_listed())

    async def call_tool(context: "Context", call: "CallToolRequestParams") -> "CallToolResult":
        from anyio import to_thread

        try:
            result = await to_thread.run_sync(
                partial(_called, call, context, root), limiter=one_at_a_time
            )
        except RepoqaError as error:
            told = TextContent(type="text", text=visible(f"{error.message}\n{error.remedy}"))
            return CallToolResult(content=[told], is_error=True)
        text = TextContent(type="text", text=result.text)
        return CallToolResult(content=[text], structured_content=result.fields)

    return Server(
        "repoqa",
        version=__version__,
        instructions=INSTRUCTIONS.format(name=visible(root.name)),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _listed() -> "list[Tool]":
    from mcp_types import Tool, ToolAnnotations

    harmless = ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )
    return [
        Tool(
            name=name,
            description=description_of(kind),
            input_schema=schema_of(kind),
            annotations=harmless,
        )
        for name, (kind, _) in TOOLS.items()
    ]


def _called(call: "CallToolRequestParams", context: "Context", root: Path) -> Result:
    """The result of a call, found in a thread of its own; stops where the client cancels it."""
    from anyio import from_thread

    if call.name not in TOOLS:
        raise unknown_tool(call.name, TOOLS)
    kind, tool = TOOLS[call.name]
    arguments = read_arguments(call.arguments, kind)

    def tell(done: float, total: float | None, words: str) -> None:
        from_thread.run(context.session.report_progress, done, total, words)

    progress = Told(tell, from_thread.check_cancelled)
    return tool(arguments, Served(root, _note, progress))


def _note(text: str) -> None:
    """What the command line would say, on standard error, which clients keep as a log."""
    print(f"repoqa: {visible(text)}", file=sys.stderr, flush=True)  # noqa: T201
