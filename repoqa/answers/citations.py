"""Resolves what an answer cites against the code, and marks what does not exist.

Cited are places (`src/a.py:12`, `a.py:12-20`, `a.py#L12`, `a.py, line 12`, `line 12 of a.py`),
files (`src/a.py`) and symbols written as calls in backticks (`` `Session.save()` ``). A name that
is not a file of this repository and does not look like one (`example.com:443`) is no citation.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from repoqa.answers.places import Places
from repoqa.protocols import CodeSource
from repoqa.records import Answer, Citation, Symbol

# Every repetition is bounded and starts where a word does: a hostile answer costs no more time.
_BEFORE = r"(?<![\w/.\\:@+~-])"
_PATH = r"(?:[A-Za-z]:)?[\w.@+~/\\-]{0,300}[\w@+~-]"
_LINES = r"L?(?P<start{n}>\d{{1,7}})(?:(?::\d+)?(?:\s?[-–]\s?L?(?P<end{n}>\d{{1,7}}))?)"
_WORDED = r"lines?\s+(?P<start{n}>\d{{1,7}})(?:\s?(?:-|–|to)\s?(?P<end{n}>\d{{1,7}}))?"
_PLACE = re.compile(
    rf"{_BEFORE}(?P<path1>{_PATH})(?::|\#(?=L)){_LINES.format(n=1)}(?!\w)"
    rf"|{_BEFORE}(?=[\w@+~-]{{0,100}}[./\\])(?P<path2>{_PATH})`?"
    rf"[,:]?\s\(?(?:on\s|at\s|in\s)?{_WORDED.format(n=2)}\b"
    rf"|\b{_WORDED.format(n=3)}\s(?:of|in)\s(?:the\s)?(?:file\s)?`?(?P<path3>{_PATH})",
    re.IGNORECASE,
)
_FILE = re.compile(rf"{_BEFORE}(?P<path>{_PATH})(?![\w(])")
_CALL = re.compile(
    r"`(?P<name>[A-Za-z_$][\w$]*(?:(?:\.|::|->|\#)[A-Za-z_$][\w$]*)*)\([^`\n]{0,120}\)`"
)
_SEPARATOR = re.compile(r"::|->|#")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{0,19}://\S+", re.IGNORECASE)
_SUFFIX = re.compile(r"\.([A-Za-z][A-Za-z0-9+]{0,7})$")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
# Suffixes by which an invented file is told from a host name or a version, besides those in the
# repository.
_SOURCE_SUFFIXES = frozenset(
    [
        *("py", "pyi", "js", "jsx", "mjs", "ts", "tsx", "java", "kt", "scala", "go", "rs", "c"),
        *("h", "cc", "cpp", "hpp", "cs", "php", "rb", "swift", "sh", "html", "css", "json"),
        *("toml", "yaml", "yml", "md", "sql"),
    ]
)
NO_FILE = "no such file"
SEVERAL_FILES = "several files of that name"
NOT_DEFINED = "not defined in this repository"


@dataclass(frozen=True, slots=True)
class _Finding:
    """A citation, the offset in its line behind which a mark goes, and why it is invalid."""

    citation: Citation
    end: int
    why: str


@dataclass(slots=True)
class Checker:
    """Checks an answer line by line, as it streams.

    `familiar` are names that the shown code uses without defining them: a library's functions,
    which are no claims about this repository. Inside fenced code only places are looked for, and
    nothing is marked: code is to be copied.
    """

    code: CodeSource
    familiar: Collection[str] = frozenset()
    _places: Places = field(init=False)
    _suffixes: frozenset[str] = field(init=False)
    _fenced: bool = False

    def __post_init__(self) -> None:
        self._places = Places(self.code.paths)
        found = (_SUFFIX.search(path) for path in self.code.paths)
        self._suffixes = _SOURCE_SUFFIXES | {match[1].lower() for match in found if match}

    def line(self, text: str) -> tuple[str, tuple[Citation, ...]]:
        """One line of the answer with its invalid citations marked, and all its citations."""
        if _FENCE.match(text):
            self._fenced = not self._fenced
            return text, ()
        findings = sorted(self._findings(text), key=lambda finding: finding.end)
        citations = tuple(finding.citation for finding in findings)
        return (text if self._fenced else _marked(text, findings)), citations

    def _findings(self, text: str) -> Iterator[_Finding]:
        """The citations of a line, in no order. Each stretch of text is read once."""
        hidden = _URL.sub(_blank, text)
        for match in _PLACE.finditer(hidden):
            finding = self._place(match)
            if finding:
                hidden = hidden[: match.start()] + _blank(match) + hidden[match.end() :]
                yield finding
        if self._fenced:
            return
        for match in _CALL.finditer(hidden):
            finding = self._call(match)
            hidden = hidden[: match.start()] + _blank(match) + hidden[match.end() :]
            if finding:
                yield finding
        for match in _FILE.finditer(hidden):
            finding = self._file(match, quoted=text[: match.start()].endswith("`"))
            if finding:
                yield finding

    def _place(self, match: re.Match[str]) -> _Finding | None:
        number = next(n for n in (1, 2, 3) if match[f"path{n}"])
        path, start = match[f"path{number}"], int(match[f"start{number}"])
        end = int(match[f"end{number}"] or start)
        meant = self._places.meant(path)
        if not meant and not self._looks_like_a_file(path):
            return None
        claim = Citation(match[0].replace("`", ""), path, start, end, valid=False)
        if len(meant) != 1:
            return _Finding(claim, match.end(), SEVERAL_FILES if meant else NO_FILE)
        length = len(self.code.lines(meant[0]))
        exists = 1 <= start <= end <= length
        why = "" if exists else f"the file has {length} {'line' if length == 1 else 'lines'}"
        return _Finding(Citation(claim.text, meant[0], start, end, exists), match.end(), why)

    def _file(self, match: re.Match[str], *, quoted: bool) -> _Finding | None:
        path = match["path"]
        meant = self._places.meant(path)
        has_folder = "/" in path.strip("/")
        if not meant and not (self._looks_like_a_file(path) and (has_folder or quoted)):
            return None
        if meant and not _SUFFIX.search(path) and not has_folder and not quoted:
            return None  # a word that is also a file's name: "make", "license"
        if len(meant) == 1:
            return _Finding(Citation(path, meant[0], 0, 0, valid=True), match.end(), "")
        why = SEVERAL_FILES if meant else NO_FILE
        return _Finding(Citation(path, path, 0, 0, valid=False), match.end(), why)

    def _call(self, match: re.Match[str]) -> _Finding | None:
        name = _SEPARATOR.sub(".", match["name"])
        last = name.rpartition(".")[2]
        text = match[0].strip("`")
        paths = self.code.defined(name) or self.code.defined(last)
        if paths:
            return _Finding(self._definition(text, last, paths), match.end(), "")
        if last in self.familiar:
            return None
        return _Finding(Citation(text, "", 0, 0, valid=False), match.end(), NOT_DEFINED)

    def _definition(self, text: str, last: str, paths: Collection[str]) -> Citation:
        """Where a symbol is defined; no place where it is defined in several."""
        found = [(path, symbol) for path in paths for symbol in self._symbols(path, last)]
        if len(found) != 1:
            return Citation(text, "", 0, 0, valid=True)
        path, symbol = found[0]
        return Citation(text, path, symbol.start, symbol.end, valid=True)

    def _symbols(self, path: str, last: str) -> Iterator[Symbol]:
        for symbol in self.code.parsed(path).symbols:
            if symbol.name.rpartition(".")[2] == last:
                yield symbol

    def _looks_like_a_file(self, path: str) -> bool:
        suffix = _SUFFIX.search(path)
        return bool(suffix and suffix[1].lower() in self._suffixes)


def check(text: str, code: CodeSource, *, familiar: Collection[str] = frozenset()) -> Answer:
    """The answer with its citations, each resolved against the code; the text is unchanged."""
    checker = Checker(code, familiar)
    return Answer(text, tuple(c for line in text.split("\n") for c in checker.line(line)[1]))


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _marked(text: str, findings: Iterable[_Finding]) -> str:
    pieces, start = [], 0
    for finding in findings:
        if finding.why:
            end = finding.end + text.startswith("`", finding.end)
            pieces += [text[start:end], f" [?: {finding.why}]"]
            start = end
    return "".join(pieces) + text[start:]
