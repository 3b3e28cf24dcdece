"""The glossary: every record that crosses a package's border, and the small Protocols.

Lines are 1-based and inclusive everywhere. Paths are relative to the repository's root, with `/`;
bytes that are not UTF-8 are kept as surrogate escapes (`os.fsdecode`). Records are immutable; one
that a question makes a hundred thousand of is a Struct, made in a third of a dataclass's time.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import msgspec

Kind = Literal["function", "method", "class", "type", "constant", "variable", "module", "section"]
ReferenceKind = Literal["call", "type", "import", "base"]
Form = Literal["full", "outline", "signature"]
Role = Literal["system", "user", "assistant"]
Reasons = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Span:
    """Lines `start` to `end` of a file, 1-based, both inclusive."""

    start: int
    end: int


class FileEntry(msgspec.Struct, frozen=True, order=True, gc=False, array_like=True):
    """One readable file of a snapshot. `oid` is the git blob id of exactly the bytes read."""

    path: str
    oid: str
    size: int


@dataclass(frozen=True, slots=True, order=True)
class SkippedFile:
    """A file left out of a snapshot or an index, and why, in words for the user."""

    path: str
    why: str


class BlobSource(Protocol):
    """Reads the bytes of a snapshot's files."""

    def read(self, entries: Iterable[FileEntry]) -> Iterator[tuple[FileEntry, bytes | None]]:
        """Yield each entry with its bytes, in the order given; None where they are gone."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A repository at a revision, or its working tree (`revision` None).

    `name` is the repository's folder name; `root` its working tree, or the git directory where it
    is bare. `files` are sorted by path. `notes` are lines for stderr ("bare: reading HEAD").
    """

    root: Path
    name: str
    revision: str | None
    object_format: str
    files: tuple[FileEntry, ...]
    skipped: tuple[SkippedFile, ...]
    source: BlobSource = field(repr=False, compare=False)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Commit:
    """A past commit. `time` is the committer's, in seconds since 1970; `message` is subject and
    body; `paths` are the files it changed."""

    oid: str
    time: int
    message: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A definition. `start` includes decorators and attached attributes, `end` is its last line.

    `name` is qualified inside its file (`Class.method`, `outer.inner`). `header_end` is the last
    line of the signature: for `def f(a,\\n b):` the line with the colon. `doc` is the docstring's
    or the doc comment's span (a doc comment stands before `start`). `bases` are the names a class
    or type inherits from or implements, as written.
    """

    name: str
    kind: Kind
    start: int
    end: int
    header_end: int
    doc: Span | None = None
    bases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """A use of a name: the last identifier for calls, types and bases, the dotted module path
    (with the imported name, `pkg.module.name`) for imports."""

    name: str
    kind: ReferenceKind
    line: int


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What parsing one file's bytes gave; the same bytes and language always give the same record.

    `language` is "" for text without a grammar, whose symbols are line chunks of kind `section`.
    `imports` are the spans of import statements (the file's outline shows them). `problem` says
    why a file with a grammar has only line chunks ("the parser took over 5 s"), else "".
    `symbols` are sorted by (start, -end, name), references by (line, name, kind).
    """

    language: str
    lines: int
    symbols: tuple[Symbol, ...]
    references: tuple[Reference, ...]
    imports: tuple[Span, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a stack trace, or a place that a compiler or test runner names; `path` as printed.
    `trace` numbers the trace it belongs to, `depth` counts from 0, where the error was raised."""

    path: str
    line: int | None
    function: str
    trace: int
    depth: int


@dataclass(frozen=True, slots=True)
class PathMention:
    """A file named in the question or the log, with a line where one was given."""

    path: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines `start` to `end` of a file."""

    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a follow-up follows; `shown` are the lines that were shown in full for it."""

    question: str
    answer: str
    shown: tuple[Lines, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What the user gave, read. `text` is the question as written, `title` its first line, `body`
    the rest, both without HTML comments.

    `identifiers` are names that look like code (dotted, snake, camel, in backticks or code
    blocks), in order of appearance; `code` are its code blocks; `errors` the messages of
    exceptions, compilers and failed assertions; `tests` the names of failing tests; `log` is the
    piped log; `pins` are the files, symbols and places (`path:line`) to show for certain.
    """

    text: str
    title: str
    body: str = ""
    identifiers: tuple[str, ...] = ()
    paths: tuple[PathMention, ...] = ()
    frames: tuple[Frame, ...] = ()
    errors: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    log: str = ""
    diff: str = ""
    pins: tuple[str, ...] = ()
    earlier: Earlier | None = None


@dataclass(frozen=True, slots=True)
class RankedFile:
    """A file and why it matters: `reasons` are signed and add up to `score` within 1e-6."""

    path: str
    score: float
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class RankedSymbol:
    """A symbol and why it matters: `reasons` are signed and add up to `score` within 1e-6."""

    path: str
    symbol: Symbol
    score: float
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class Ranking:
    """Files and symbols with a score above 0, best first, ties broken by path and line; `pins` are
    what the question's pins mean, to be packed first and whole."""

    files: tuple[RankedFile, ...]
    symbols: tuple[RankedSymbol, ...]
    pins: tuple[Lines, ...] = ()


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of a file as the model sees them. `tokens` counts `text`, which is the rendered form
    with its heading and line numbers; outlines and signatures leave out lines in between."""

    path: str
    start: int
    end: int
    form: Form
    tokens: int
    text: str


@dataclass(frozen=True, slots=True)
class Context:
    """The packed code, in prompt order. `left_out` counts ranked symbols that did not fit."""

    excerpts: tuple[Excerpt, ...]
    tokens: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt. Only a `control` segment may become control tokens; text never does."""

    text: str
    control: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as messages (for servers) and as segments (for engines that tokenize). `tokens`
    counts all of it, chat format included; `exact` says that the model's own tokenizer counted."""

    messages: tuple[Message, ...]
    segments: tuple[Segment, ...]
    tokens: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Suspect:
    """A place that may hold the bug, from the ranking alone; `why` is in words."""

    path: str
    start: int
    end: int
    name: str
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A place the answer names, `text` as written. `valid` says that it exists in the snapshot;
    an invalid one keeps the path and lines it claimed (lines 0 where it named none)."""

    text: str
    path: str
    start: int
    end: int
    valid: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The model's whole answer and its citations, in order of appearance."""

    text: str
    citations: tuple[Citation, ...]
