"""What each tool takes: its arguments, checked, and the JSON Schema that a client shows its model.

Docstrings and descriptions here are read by models, which choose tools and arguments by them.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from repoqa.errors import UsageError
from repoqa.settings import nearest

# What an assistant that reads further by itself wants of a question, in tokens.
DEFAULT_BUDGET = 8_000
DEFAULT_LIMIT = 10
DEFAULT_SUSPECTS = 5
MOST_LISTED = 50
MOST_CHARACTERS = 32_000_000

Text = Annotated[str, Meta(max_length=MOST_CHARACTERS)]
Question = Annotated[
    Text, Meta(description="What is wrong, in words: a bug report, an error message, a question.")
]
Log = Annotated[
    Text,
    Meta(description="A failing test's output, a stack trace, a compiler's or a server's log."),
]
Globs = tuple[str, ...]
Include = Annotated[
    Globs, Meta(description="Read only the files that match these globs, as in .gitignore.")
]
Exclude = Annotated[Globs, Meta(description="Leave out the files that match these globs.")]
Revision = Annotated[
    str | None,
    Meta(description="A commit, branch or tag to read instead of the files on disk."),
]
Limit = Annotated[int, Meta(ge=1, le=MOST_LISTED, description="How many to name.")]

Given = TypeVar("Given", bound="Arguments")


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a tool is called with."""


class FindCode(Arguments, frozen=True):
    """Rank the functions, methods and classes of this repository for a bug or a question, the most
    likely first, each with its lines and why. Give the question, a log or a stack trace, or both.
    No model is asked; the second call reads only what has changed."""

    question: Question = ""
    log: Log = ""
    include: Include = ()
    exclude: Exclude = ()
    revision: Revision = None
    limit: Limit = DEFAULT_LIMIT


class PackContext(Arguments, frozen=True):
    """Get the code of this repository that matters for a bug or a question, as Markdown, within a
    number of tokens: the best symbols whole with line numbers, their classes and imports as
    outlines. Secrets in it are redacted."""

    question: Question = ""
    log: Log = ""
    paths: Annotated[
        tuple[str, ...],
        Meta(description="Show these for certain: a file, a symbol (Class.method) or path:line."),
    ] = ()
    include: Include = ()
    exclude: Exclude = ()
    revision: Revision = None
    budget: Annotated[
        int, Meta(ge=1, le=1_000_000, description="The most tokens that the code may take.")
    ] = DEFAULT_BUDGET


class ExplainTrace(Arguments, frozen=True):
    """Read a stack trace or a failing test's output (Python, JavaScript, Java, Go, Rust, C, C++,
    C#, PHP, Ruby): its errors, its frames that are code of this repository, the innermost first,
    and the functions that most likely hold the bug."""

    trace: Annotated[Text, Meta(min_length=1, description="The trace, as it was printed.")]
    question: Question = ""
    revision: Revision = None
    limit: Limit = DEFAULT_SUSPECTS


class ReviewImpact(Arguments, frozen=True):
    """Show what a change to this repository may break: each changed symbol, the calls elsewhere
    that no longer fit it, uses of what is gone, and the tests that reach it."""

    change: Annotated[
        str,
        Meta(
            description="worktree (all that is not committed), staged, push (what git push would "
            "send), a range A..B or A...B, or a revision that HEAD is compared with."
        ),
    ] = "worktree"
    patch: Annotated[
        Text, Meta(description="A patch as git diff writes it, instead of a change.")
    ] = ""
    include: Include = ()
    exclude: Exclude = ()


def schema_of(kind: type[Arguments]) -> dict[str, Any]:
    """The JSON Schema of a tool's arguments, an object."""
    _, components = msgspec.json.schema_components((kind,))
    schema = components[kind.__name__]
    return {key: value for key, value in schema.items() if key not in ("title", "description")}


def description_of(kind: type[Arguments]) -> str:
    """What a tool does, in words."""
    return " ".join((kind.__doc__ or "").split())


def read_arguments(given: Mapping[str, Any] | None, kind: type[Given]) -> Given:
    """The arguments, their types checked. Raises UsageError that names the one that is wrong."""
    try:
        return msgspec.convert(dict(given or {}), kind)
    except msgspec.ValidationError as error:
        known = ", ".join(kind.__struct_fields__)
        raise UsageError(
            f"wrong arguments: {str(error).replace('$.', '')}", remedy=f"It takes {known}."
        ) from error


def unknown_tool(name: str, known: Mapping[str, object]) -> UsageError:
    """There is no such tool, but one that is nearly called so."""
    close = nearest(name, known)
    return UsageError(
        f"there is no tool {name!r}",
        remedy=f"Did you mean {close[0]}?" if close else f"There are {', '.join(known)}.",
    )
