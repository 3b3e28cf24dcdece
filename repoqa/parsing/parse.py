"""One file's bytes to its symbols, references and imports, by tree-sitter.

Broken code yields what the grammar recovered. Text without a grammar, text without a single
definition, and text the parser gives up on (too large, too deep, too slow) becomes chunks of
lines. Nothing here recurses over a tree.

What this module cannot survive happens inside tree-sitter's own C code: a crash, or work between
two calls of the progress callback (Java's grammar on 10,000 unclosed `a<` takes 4 s, on 60,000 all
memory). Whoever parses strangers' files does so in a process of its own, with limits.
"""

from collections.abc import Callable
from itertools import accumulate
from time import thread_time

from tree_sitter import Point, Tree

from repoqa.parsing import captures, grammar, languages, symbols
from repoqa.parsing.text import decode
from repoqa.parsing.version import NO_GRAMMAR
from repoqa.records import ParsedFile, Symbol

# 100 times the 90th percentile of sympy's files; a slower one is degenerate input.
PARSE_SECONDS = 5.0
# sqlite's amalgamation has 9 MB and is no place to look for a bug; trees take 10 times the text.
PARSE_BYTES = 4_000_000
# A hundred times what people and most programs write. tree-sitter's C code runs out of stack at
# 100,000 unclosed braces of JavaScript, and takes minutes for as many parentheses.
DEEPEST_NESTING = 10_000
CHUNK_LINES = 60

# tree-sitter asks after each hundred steps, some 10 us; the processor's clock takes 0.5 us.
ASKED_PER_LOOK = 32

# Tens of thousands of loose marks (a drawing in dashes) are searched in a time that grows with
# their square: 10 s for 20,000. Programs have statements between theirs.
MOST_LOOSE_MARKS = 5_000
MARKS_TO_STATEMENTS = 10
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"()[]{}")


def parse(path: str, content: bytes) -> ParsedFile:
    """Parse a file. Never raises: what cannot be parsed comes as chunks and a `problem`.

    The record depends on the bytes and the detected language alone; `path` only tells that.
    """
    text = decode(content)
    if text is None:
        return ParsedFile("", 0, (), (), (), problem="binary")
    language = languages.detect(path, content)
    source = content if content.isascii() else text.encode()
    lines = _line_count(source)
    if not language:
        return ParsedFile("", lines, chunks(lines), (), ())
    try:
        found = _captured(language, source)
    except _GaveUp as reason:
        return ParsedFile(language, lines, chunks(lines), (), (), problem=str(reason))
    return ParsedFile(
        language,
        lines,
        symbols.symbols(found, source) or chunks(lines),
        symbols.references(found),
        symbols.import_spans(found),
    )


def chunks(lines: int) -> tuple[Symbol, ...]:
    """A file of `lines` lines as sections `L1-60`, `L61-120` ... that join to the whole file."""
    starts = range(1, lines + 1, CHUNK_LINES)
    spans = ((start, min(start + CHUNK_LINES - 1, lines)) for start in starts)
    return tuple(
        Symbol(f"L{start}-{end}", "section", start, end, header_end=start) for start, end in spans
    )


def _line_count(source: bytes) -> int:
    return source.count(b"\n") + (bool(source) and not source.endswith(b"\n"))


class _GaveUp(Exception):
    """The file is not worth its symbols; the message says why, for the user."""


def _captured(language: str, source: bytes) -> captures.Captures:
    """What the language's query captures in the source. Raises _GaveUp."""
    loaded = _loaded(language)
    root = _checked_tree(language, source).root_node
    marks = root.child_count - root.named_child_count
    if marks > MOST_LOOSE_MARKS and marks > root.named_child_count * MARKS_TO_STATEMENTS:
        raise _GaveUp("not code of the language its name tells")
    return captures.collect(loaded, root, source)


def syntax_tree(language: str, source: bytes) -> Tree | None:
    """The tree of a source in UTF-8; None where the parser gives up on it."""
    try:
        return _checked_tree(language, source)
    except _GaveUp:
        return None


def _checked_tree(language: str, source: bytes) -> Tree:
    """The tree, within the limits of size, depth and time. Raises _GaveUp."""
    if len(source) > PARSE_BYTES:
        raise _GaveUp(f"over {PARSE_BYTES // 1_000_000} MB, too large to parse")
    if _nesting(source) > DEEPEST_NESTING:
        raise _GaveUp(f"brackets nested over {DEEPEST_NESTING:,} deep")
    repaired = _repaired(source, languages.BY_NAME[language].repairs)
    return _tree(_loaded(language), repaired, _Deadline(PARSE_SECONDS))


def _loaded(language: str) -> grammar.Grammar:
    try:
        return grammar.load(language)
    except grammar.GrammarError as error:
        raise _GaveUp(f"{NO_GRAMMAR} ({language}: {error})") from error


def _nesting(source: bytes) -> int:
    """How deep brackets nest, or how many open at most; those in strings and comments count too."""
    opened = sum(source.count(bracket) for bracket in (b"(", b"[", b"{"))
    if opened <= DEEPEST_NESTING:
        return opened
    brackets = source.translate(None, delete=_NOT_BRACKETS)
    return max(accumulate(1 if bracket in b"([{" else -1 for bracket in brackets))


def _repaired(source: bytes, repairs: tuple[languages.Repair, ...]) -> bytes:
    """The source with what the grammar cannot read overwritten, every byte in its place."""
    repaired = bytearray(source)
    for repair in repairs:
        for match in repair.pattern.finditer(source):
            if match[1] is not None:
                start, end = match.span(1)
                repaired[start:end] = repair.fill * (end - start)
    return bytes(repaired) if repairs else source


class _Deadline:
    """Tells tree-sitter to stop once the time is up, and remembers having done so.

    The time is the processor's: what other programs take of it is not the file's fault, and the
    record is kept for ever.
    """

    def __init__(self, seconds: float) -> None:
        self._end = thread_time() + seconds
        self._asked = 0
        self.missed = False

    def has_passed(self, _offset: int, _has_error: bool) -> bool:
        """Whether to stop."""
        self._asked += 1
        if self._asked % ASKED_PER_LOOK == 0 and thread_time() > self._end:
            self.missed = True
        return self.missed


def _tree(loaded: grammar.Grammar, source: bytes, deadline: _Deadline) -> Tree:
    read, release = _reader(source)
    try:
        return loaded.parser().parse(read, progress_callback=deadline.has_passed)
    except ValueError as stopped:
        if not deadline.missed:
            raise
        raise _GaveUp(f"the parser took over {PARSE_SECONDS:.0f} s") from stopped
    finally:
        release()


def _reader(
    source: bytes,
) -> tuple[Callable[[int, Point], memoryview], Callable[[], None]]:
    """How tree-sitter reads the source, and what to call when it is done.

    py-tree-sitter 0.26 never lets go of the objects a read callback returns; a released view is
    all that it keeps, instead of the source itself.
    """
    views: list[memoryview] = []

    def read(offset: int, _: Point) -> memoryview:
        views.append(memoryview(source)[offset:])
        return views[-1]

    def release() -> None:
        for view in views:
            view.release()

    return read, release
