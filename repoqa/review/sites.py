"""Where a name is used, through the index: files are found by their postings, then read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from repoqa.index.index import Index
from repoqa.index.terms import Field, terms_of
from repoqa.parsing.calls import Call, calls
from repoqa.parsing.names import last_identifier
from repoqa.parsing.source import read_source
from repoqa.records import ParsedFile, Reference, Symbol
from repoqa.review.versions import FUNCTIONS, TYPES, Version, last_name

# A name used in more files than this is used for many things; what is left out is counted.
MOST_FILES = 300
RUST = ".rs"


@dataclass(frozen=True, slots=True)
class Site:
    """One use of a name. `call` is the call on that line, None where it is no call or its language
    is not read; `around` the innermost function around it, `owner` the type around that."""

    path: str
    reference: Reference
    call: Call | None
    around: Symbol | None
    owner: str


@dataclass(slots=True)
class Uses:
    """The uses of names in an index; a file is parsed once, however many names are asked for."""

    index: Index
    _calls: dict[str, dict[str, list[Call]]] = field(default_factory=dict)
    _versions: dict[str, Version] = field(default_factory=dict)
    _sites: dict[str, list[Site]] = field(default_factory=dict)
    _definitions: dict[str, list[tuple[Version, Symbol]]] = field(default_factory=dict)

    def of(self, name: str) -> Sequence[Site]:
        """The calls of a name and its uses as a type or base, by path and line."""
        if name not in self._sites:
            # What stands inside Rust's macros is tokens to its grammar: no references.
            macros = [path for path in self.mentions(name) if path.endswith(RUST)]
            paths = sorted({*self.files(name), *macros})
            self.index.prefetch(paths)
            self._sites[name] = [site for path in paths for site in self._in_file(path, name)]
        return self._sites[name]

    def files(self, name: str) -> list[str]:
        """The first files that use a name, sorted."""
        return self._files(Field.USED, name)[:MOST_FILES]

    def files_beyond(self, name: str) -> int:
        """How many files more use it."""
        return max(len(self._files(Field.USED, name)) - MOST_FILES, 0)

    def mentions(self, name: str) -> list[str]:
        """The files that hold all the words of a name, sorted: its imports are among them."""
        found: set[str] | None = None
        for term in terms_of(name)[-1:]:
            paths = set(self._files(Field.TEXT, term))
            found = paths if found is None else found & paths
        return sorted(found or ())[:MOST_FILES]

    def imports(self, name: str) -> Iterator[tuple[str, Reference]]:
        """The imports that name it (`pkg.module.name`), by path and line."""
        paths = self.mentions(name)
        self.index.prefetch(paths)
        for path in paths:
            for reference in self.index.parsed(path).references:
                if reference.kind == "import" and last_identifier(reference.name) == name:
                    yield path, reference

    def definitions(self, name: str) -> Sequence[tuple[Version, Symbol]]:
        """The functions and types of that name, by path and line."""
        if name not in self._definitions:
            paths = self.index.defined(name)[:MOST_FILES]
            self.index.prefetch(paths)
            self._definitions[name] = [
                (self.version(path), symbol)
                for path in paths
                for symbol in self.index.parsed(path).symbols
                if last_name(symbol.name) == name and symbol.kind in FUNCTIONS | TYPES
            ]
        return self._definitions[name]

    def version(self, path: str) -> Version:
        """A file as the index has it."""
        if path not in self._versions:
            parsed = self.index.parsed(path)
            self._versions[path] = Version(path, parsed, self.index.lines(path))
        return self._versions[path]

    def _files(self, where: Field, term: str) -> list[str]:
        units = self.index.matches(where, term).units
        numbers = set(self.index.unit_file[units].tolist())
        return sorted(self.index.file_paths[number] for number in numbers)

    def _in_file(self, path: str, name: str) -> Iterator[Site]:
        parsed = self.index.parsed(path)
        for reference in parsed.references:
            if reference.name != name or reference.kind == "import":
                continue
            around = innermost(parsed, reference.line)
            owner = _owner(parsed, reference.line)
            given = self._calls_of(path, name) if reference.kind == "call" else ()
            on_line = [call for call in given if call.line == reference.line]
            for call in on_line or (None,):
                yield Site(path, reference, call, around, owner)
        if path.endswith(RUST):
            yield from self._in_macros(path, name)

    def _in_macros(self, path: str, name: str) -> Iterator[Site]:
        """The calls that are no references."""
        parsed = self.index.parsed(path)
        told = {reference.line for reference in parsed.references if reference.name == name}
        for call in self._calls_of(path, name):
            if call.line not in told:
                around, owner = innermost(parsed, call.line), _owner(parsed, call.line)
                yield Site(path, Reference(name, "call", call.line), call, around, owner)

    def _calls_of(self, path: str, name: str) -> Sequence[Call]:
        """The calls of a name in a file, whose calls are all read at once."""
        if path not in self._calls:
            text = "\n".join(self.index.lines(path))
            source = read_source(path, text.encode("utf-8", "replace"))
            by_name: dict[str, list[Call]] = {}
            for call in calls(source) if source else ():
                by_name.setdefault(call.name, []).append(call)
            self._calls[path] = by_name
        return self._calls[path].get(name, ())


def innermost(parsed: ParsedFile, line: int) -> Symbol | None:
    """The innermost function around a line."""
    around = [s for s in parsed.symbols if s.kind in FUNCTIONS and s.start <= line <= s.end]
    return min(around, key=lambda s: (s.end - s.start, s.start, s.name), default=None)


def _owner(parsed: ParsedFile, line: int) -> str:
    """The type around a line, or the one that the method around it belongs to; "" for none."""
    around = [
        s
        for s in parsed.symbols
        if (s.kind in TYPES or s.kind == "method") and s.start <= line <= s.end
    ]
    inner = min(around, key=lambda s: (s.end - s.start, s.start, s.name), default=None)
    if inner is None:
        return ""
    name = inner.name.rpartition(".")[0] if inner.kind == "method" else inner.name
    return last_name(name)
