"""What could be packed for a ranked symbol or file: its code, what stands around it, what it uses.

Nothing here decides; each function returns offers, and an empty offer is never returned.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from repoqa.packing.budget import Meter
from repoqa.packing.selection import Piece
from repoqa.parsing.outline import outline
from repoqa.protocols import CodeSource
from repoqa.records import Form, ParsedFile, RankedSymbol, Ranking, Span, Symbol

CONTAINERS = ("class", "type", "module")
CALLABLES = ("function", "method")
SMALL_CONTAINER = 40  # lines: a class up to this long is sent whole, a longer one as its own lines
OWN_LINES = 80  # of a long class: header, docstring and fields; more than this is its header alone
SIGNATURE_LINES = 12  # a longer signature is a table, not an orientation
# A name that more files define than this says nothing about which one is meant.
AMBIGUOUS = 2
CALLEES = 12  # per symbol: the first names used, each once
CALLER_FILES = 30  # the best ranked files are searched for callers
# Lines kept on each side of a line that the evidence names, widest first, where the whole symbol
# does not fit.
WINDOWS = (60, 30, 15, 7, 3)
WORD = re.compile(r"\w{2,}")
# Words of import statements that name nothing.
IMPORT_WORDS = frozenset(
    [
        *("as", "const", "crate", "export", "from", "import", "include", "package", "require"),
        *("self", "static", "super", "use", "using"),
    ]
)


def whole(ranked: RankedSymbol, code: CodeSource, worth: int) -> Piece:
    """The symbol in full; a long class without its methods' bodies, which are ranked themselves."""
    symbol, parsed = ranked.symbol, code.parsed(ranked.path)
    lines = tuple(_lines(symbol, parsed))
    if symbol.kind in CONTAINERS and len(lines) > SMALL_CONTAINER:
        inner = [s for s in parsed.symbols if s.kind in _BODIES and _inside(s, symbol)]
        covered = set(chain.from_iterable(_lines(s, parsed) for s in inner))
        text = enumerate(code.source_lines(ranked.path), 1)
        written = {number for number, line in text if line.strip()}
        own = tuple(line for line in lines if line in written and line not in covered)
        if inner and own:
            lines = own if len(own) <= OWN_LINES else tuple(_header(symbol, parsed))
    return Piece(ranked.path, lines, "full", worth)


def shown_before(ranking: Ranking, meter: Meter) -> Iterator[Piece]:
    """What was shown for an earlier question and is still there: by symbol, the best ranked first,
    then the written lines that no ranked symbol holds."""
    known = set(meter.code.paths)
    left: dict[str, set[int]] = {}
    for run in meter.room.shown:
        if run.path in known:
            last = min(run.end, len(meter.lines(run.path)))
            left.setdefault(run.path, set()).update(range(run.start, last + 1))
    for worth, ranked in enumerate(ranking.symbols):
        lines = left.get(ranked.path, set()).intersection(
            range(ranked.symbol.start, ranked.symbol.end + 1)
        )
        if lines:
            left[ranked.path] -= lines
            yield Piece(ranked.path, tuple(sorted(lines)), "full", worth)
    for path, lines in sorted(left.items()):
        text = meter.lines(path)
        written = tuple(line for line in sorted(lines) if text[line - 1].strip())
        if written:
            yield Piece(path, written, "full", len(ranking.symbols))


def around_marks(ranked: RankedSymbol, marks: Sequence[int], worth: int) -> Iterator[Piece]:
    """Parts of the symbol around the lines that the evidence names, the widest first."""
    symbol = ranked.symbol
    inside = [mark for mark in marks if symbol.start <= mark <= symbol.end]
    for window in WINDOWS if inside else ():
        lines = {
            line
            for mark in inside
            for line in range(max(mark - window, symbol.start), min(mark + window, symbol.end) + 1)
        }
        yield Piece(ranked.path, tuple(sorted(lines)), "full", worth)


def signature(path: str, symbol: Symbol, parsed: ParsedFile, *, worth: int) -> Piece:
    """The symbol's signature."""
    return Piece(path, tuple(_header(symbol, parsed)), "signature", worth)


def surroundings(
    ranked: RankedSymbol, parsed: ParsedFile, lines: Sequence[str], *, worth: int
) -> Iterator[Piece]:
    """The headers of the classes around the symbol, and the imports that it uses."""
    symbol = ranked.symbol
    for outer in parsed.symbols:
        if outer.kind in CONTAINERS and _inside(symbol, outer):
            yield Piece(ranked.path, tuple(_header(outer, parsed)), "outline", worth)
    words = _words(lines, Span(symbol.start, symbol.end)) - IMPORT_WORDS
    for span in parsed.imports:
        if words & _words(lines, span):
            yield _spans(ranked.path, [span], form="outline", worth=worth)


def callees(ranked: RankedSymbol, code: CodeSource, worth: int) -> Iterator[Piece]:
    """The signatures of what the symbol calls, constructs or inherits from.

    Names are all there is to go by: a name counts where its file or the file's imports define it.
    """
    symbol, parsed = ranked.symbol, code.parsed(ranked.path)
    imported = {
        word for r in parsed.references if r.kind == "import" for word in WORD.findall(r.name)
    }
    names = dict.fromkeys(
        reference.name
        for reference in parsed.references
        if symbol.start <= reference.line <= symbol.end and reference.kind != "import"
    )
    for name in list(names)[:CALLEES]:
        paths = code.defined(name)
        near = [path for path in paths if path == ranked.path] or [
            path for path in paths if name in imported or imported & set(_stems(path))
        ]
        found = [(path, s) for path in near[: AMBIGUOUS + 1] for s in _named(code, path, name)]
        if len(found) <= AMBIGUOUS:
            for path, callee in found:
                yield signature(path, callee, code.parsed(path), worth=worth)


def callers(names: dict[str, int], paths: Iterable[str], code: CodeSource) -> Iterator[Piece]:
    """The signatures of the functions in `paths` that call one of `names`, with the call's line.

    `names` maps a symbol's last name to its rank; names that several files define are left out.
    """
    telling = {name: worth for name, worth in names.items() if len(code.defined(name)) == 1}
    for path in paths:
        parsed = code.parsed(path)
        for reference in parsed.references:
            worth = telling.get(reference.name)
            if worth is None or reference.kind != "call":
                continue
            caller = _around(parsed, reference.line)
            if caller is not None:
                lines = {*_header(caller, parsed), reference.line}
                yield Piece(path, tuple(sorted(lines)), "signature", worth)


def file_outline(path: str, parsed: ParsedFile, worth: int) -> Iterator[Piece]:
    """A file's imports, class headers and signatures, where its language is known."""
    spans = outline(parsed)
    if spans:
        yield _spans(path, spans, form="outline", worth=worth)


def file_whole(path: str, parsed: ParsedFile, worth: int) -> Iterator[Piece]:
    """All lines of a file."""
    if parsed.lines:
        yield Piece(path, tuple(range(1, parsed.lines + 1)), "full", worth)


def last_name(symbol: Symbol) -> str:
    """The symbol's name without what it is defined in."""
    return symbol.name.rpartition(".")[2]


_BODIES = (*CALLABLES, *CONTAINERS)


def _lines(symbol: Symbol, parsed: ParsedFile) -> range:
    """The symbol's lines, with the doc comment that stands before them."""
    first = min(symbol.start, symbol.doc.start) if symbol.doc else symbol.start
    return range(max(first, 1), min(symbol.end, parsed.lines) + 1)


def _header(symbol: Symbol, parsed: ParsedFile) -> range:
    last = min(symbol.header_end, symbol.start + SIGNATURE_LINES - 1, parsed.lines)
    return range(symbol.start, max(last, symbol.start) + 1)


def _inside(symbol: Symbol, outer: Symbol) -> bool:
    return symbol != outer and outer.start <= symbol.start and symbol.end <= outer.end


def _around(parsed: ParsedFile, line: int) -> Symbol | None:
    """The innermost function or method around a line."""
    around = [s for s in parsed.symbols if s.kind in CALLABLES and s.start <= line <= s.end]
    return min(around, key=lambda s: (s.end - s.start, s.start, s.name), default=None)


def _named(code: CodeSource, path: str, name: str) -> list[Symbol]:
    return [s for s in code.parsed(path).symbols if s.kind in _BODIES and last_name(s) == name]


def _stems(path: str) -> tuple[str, str]:
    """The names a file may be imported by: its own without suffix, and its folder's."""
    folder, _, name = path.rpartition("/")
    return name.partition(".")[0], folder.rpartition("/")[2]


def _words(lines: Sequence[str], span: Span) -> set[str]:
    return {word for line in lines[span.start - 1 : span.end] for word in WORD.findall(line)}


def _spans(path: str, spans: Iterable[Span], *, form: Form, worth: int) -> Piece:
    lines = sorted({line for span in spans for line in range(span.start, span.end + 1)})
    return Piece(path, tuple(lines), form, worth)
