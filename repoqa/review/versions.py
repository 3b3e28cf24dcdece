"""A changed file before and after: what each side defines, and which lines the change touches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from repoqa.parsing.signatures import Signature, signatures
from repoqa.parsing.source import read_source
from repoqa.records import Kind, ParsedFile, Symbol

FUNCTIONS: frozenset[Kind] = frozenset({"function", "method"})
TYPES: frozenset[Kind] = frozenset({"class", "type"})
VALUES: frozenset[Kind] = frozenset({"constant", "variable"})
# The names of constructors, which are called by the name of their class.
CONSTRUCTORS = ("__init__", "constructor", "__construct")


@dataclass(frozen=True)
class Version:
    """One side of a file."""

    path: str
    parsed: ParsedFile
    lines: Sequence[str]

    @cached_property
    def signatures(self) -> tuple[Signature, ...]:
        """The signatures of its functions, where its language's calls are checked."""
        text = "\n".join(self.lines)
        source = read_source(self.path, text.encode("utf-8", "replace"))
        return signatures(source) if source else ()

    def signature(self, symbol: Symbol) -> Signature | None:
        """The signature of a function of this file."""
        name = last_name(symbol.name)
        header = range(symbol.start, symbol.header_end + 1)
        return next((s for s in self.signatures if s.name == name and s.line in header), None)

    def symbols(self) -> Iterator[Symbol]:
        """The definitions that others can use: what stands inside a function is its own."""
        closed = 0
        for symbol in self.parsed.symbols:
            if symbol.end <= closed or symbol.kind in ("module", "section"):
                continue
            yield symbol
            if symbol.kind in FUNCTIONS:
                closed = symbol.end


@dataclass(frozen=True, slots=True)
class FileChange:
    """A changed file; None on the side where there is none. `changed` are lines of the new side."""

    old: Version | None
    new: Version | None
    changed: frozenset[int] = frozenset()

    @property
    def path(self) -> str:
        """Where it is, or was."""
        side = self.new or self.old
        assert side is not None
        return side.path


def last_name(name: str) -> str:
    """A qualified name's own part."""
    return name.rpartition(".")[2]


def owner_of(symbol: Symbol) -> str:
    """The name of the type a method belongs to, without what that is defined in; "" for none."""
    return last_name(symbol.name.rpartition(".")[0]) if symbol.kind == "method" else ""


def called_name(symbol: Symbol) -> str:
    """The name that a symbol is used by: a constructor's is its class's."""
    name, owner = last_name(symbol.name), owner_of(symbol)
    return owner if owner and name in CONSTRUCTORS else name


def is_constructor(symbol: Symbol) -> bool:
    """Whether a method is called by the name of its class."""
    owner = owner_of(symbol)
    return bool(owner) and called_name(symbol) == owner
