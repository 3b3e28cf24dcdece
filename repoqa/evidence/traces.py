"""Stack traces in text, as frames. Each format is one pattern; nothing is run or resolved here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from repoqa.evidence.hinted import Hinted
from repoqa.records import Frame


@dataclass(frozen=True, slots=True)
class TraceFormat:
    """How one tool prints a frame.

    `frame` has the groups `path`, and `line` and `function` where they are printed. `start` is
    a pattern found between two frames, or in the second, where a new trace begins; letter case
    does not matter. `innermost_first` tells the order of its frames.
    """

    name: str
    frame: Hinted
    innermost_first: bool
    start: str


def _format(
    name: str, hints: tuple[str, ...], pattern: str, *, innermost_first: bool, start: str
) -> TraceFormat:
    return TraceFormat(name, Hinted(hints, pattern), innermost_first, start)


# Blank lines end most traces; Python's are ended by their error line.
_BLANK = r"\n[ \t]*\n"
_JVM_FILE = r"[\w$-]+\.(?:java|kt|scala|groovy)"
_JVM_HINTS = (".java", ".kt", ".scala", ".groovy")
_SCRIPT_HINTS = (".js", ".ts", ".cjs", ".cts", ".mjs", ".mts", ".vue", ".svelte")
_JAVA_START = r"^(?![ \t]+(?:at |\.\.\.)).*\w(?:Exception|Error|Throwable)\b"
FORMATS = (
    _format(
        "python",
        ('File "',),
        r'^[ \t|+>]*File "(?P<path>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<function>\S+))?',
        innermost_first=False,
        start=r"Traceback \(most recent call last\)",
    ),
    _format(
        "pytest",
        (".py",),
        r"^(?:E[ \t]+)?(?P<path>[^\s:'\"<>()]+\.pyx?):(?P<line>\d+):"
        r"(?: in (?P<function>\S+)| [A-Z]\w+| ?$)",
        innermost_first=False,
        start=r"^_{5,}|^={5,}",
    ),
    _format(
        "ipython",
        (".py",),
        r"^(?:File )?(?P<path>[~/\w.][^\s:()<>]*\.pyx?)(?::(?P<line>\d+),)? in "
        r"(?P<function>[\w.<>]+)\(",
        innermost_first=False,
        start=r"Traceback \(most recent call last\)",
    ),
    _format(
        "java",
        _JVM_HINTS,
        r"^[ \t]*at (?:[\w.-]+(?:@[\w.]+)?/)*(?P<function>[\w$.<>]+)"
        rf"\((?P<path>{_JVM_FILE})(?::(?P<line>\d+))?\)",
        innermost_first=True,
        start=_JAVA_START,
    ),
    _format(  # what Gradle shows of a failing test
        "gradle",
        _JVM_HINTS,
        rf"^[ \t]+(?:Caused by: )?(?:[\w.$]+ )?at (?P<path>{_JVM_FILE}):(?P<line>\d+)$",
        innermost_first=True,
        start=r"FAILED$",
    ),
    _format(
        "javascript",
        _SCRIPT_HINTS,
        r"^[ \t]*at (?:async )?(?:new )?(?:(?P<function>[^\s(]+)(?: \[as [^\]]+\])? )?"
        r"\(?(?:file://|webpack://(?:/|[\w-]+/))?(?P<path>[^\s():]+\.(?:[cm]?[jt]sx?|vue|svelte))"
        r"(?:\?[^\s:]*)?:(?P<line>\d+):\d+\)?",
        innermost_first=True,
        start=r"^(?![ \t]+at ).*(?:Error|Exception)\b|" + _BLANK,
    ),
    _format(
        "firefox",
        ("@",),
        r"^(?P<function>[\w$.<>/*]*)@(?:https?://[^/\s]+|file://|webpack://(?:/|[\w-]+))?"
        r"(?P<path>/?[^\s:@]+\.(?:[cm]?[jt]sx?))(?:\?[^\s:]*)?:(?P<line>\d+):\d+",
        innermost_first=True,
        start=_BLANK,
    ),
    _format(
        "vitest",
        ("❯ ",),
        r"^[ \t]*❯ (?:(?P<function>[^\s:]+) )?(?P<path>[^\s:]+\.[cm]?[jt]sx?):(?P<line>\d+):\d+",
        innermost_first=True,
        start=_BLANK + r"|^[ \t]*FAIL ",
    ),
    _format(
        "go",
        (".go:",),
        r"^(?P<function>[\w./*-]+(?:(?:\(\*?\w+\)|\[\.\.\.\])[\w.]*)*)\([^\n]*\)\n"
        r"[ \t]+(?P<path>\S+\.go):(?P<line>\d+)",
        innermost_first=True,
        start=r"^goroutine \d+|^panic:",
    ),
    _format(
        "rust panic",
        ("panicked at ",),
        r"panicked at (?:'[^\n]*', )?(?P<path>[^\s:,']+\.rs):(?P<line>\d+)(?P<function>)",
        innermost_first=True,
        start=r"^thread '",
    ),
    _format(
        "rust",
        (".rs:",),
        r"^[ \t]+\d+: (?:0x[0-9a-f]+ - )?(?P<function>\S+)\n"
        r"[ \t]+at (?P<path>\S+\.rs):(?P<line>\d+)",
        innermost_first=True,
        start=r"stack backtrace:",
    ),
    _format(
        "gdb",
        ("#",),
        r"^#\d+\s+(?:0x[0-9a-f]+ in )?(?P<function>[\w:~<>.*&]+)[^\n]*?\s+(?:at )?"
        r"(?P<path>[^\s()]+\.\w{1,4}):(?P<line>\d+)",
        innermost_first=True,
        start=r"^[ \t]*#0\b",
    ),
    _format(
        "asan",
        ("#",),
        r"^[ \t]+#\d+ 0x[0-9a-f]+ in (?P<function>[\w:~<>.*&]+)[^\n]*?\s(?P<path>[^\s()]+\.\w{1,4})"
        r":(?P<line>\d+)",
        innermost_first=True,
        start=r"^[ \t]*#0\b",
    ),
    _format(
        "csharp",
        (":line ",),
        r"^[ \t]*at (?P<function>[\w.<>`\[\],+]+)\([^\n]*\) in "
        r"(?P<path>[^\n]+?):line (?P<line>\d+)",
        innermost_first=True,
        start=_JAVA_START,
    ),
    _format(
        "php",
        (".php(",),
        r"^#\d+ (?P<path>[^\s(]+\.php)\((?P<line>\d+)\): (?P<function>[\w\\:>-]+)",
        innermost_first=True,
        start=r"^#0\b",
    ),
    _format(
        "ruby",
        (":in ",),
        r"^[ \t]*(?:# |from )?(?P<path>[^\s:]+\.(?:rb|erb|rake)):(?P<line>\d+):in "
        r"[`'](?P<function>[^']+)'",
        innermost_first=True,
        start=_BLANK,
    ),
)


def frames(text: str) -> tuple[Frame, ...]:
    """Every frame of every trace in a text, in the order printed."""
    found = sorted(
        (start, frame) for trace_format in FORMATS for start, frame in _frames(text, trace_format)
    )
    return tuple(frame for _, frame in _renumbered(found))


def _frames(text: str, trace_format: TraceFormat) -> Iterator[tuple[int, Frame]]:
    """The frames of one format, with the place of each; `trace` is where its trace begins."""
    for trace in _traces(text, trace_format):
        last = len(trace) - 1
        for number, match in enumerate(trace):
            groups = match.groupdict()
            line = groups.get("line")
            yield (
                match.start(),
                Frame(
                    path=groups["path"].replace("\\", "/"),
                    line=int(line) if line else None,
                    function=groups.get("function") or "",
                    trace=trace[0].start(),
                    depth=number if trace_format.innermost_first else last - number,
                ),
            )


def _traces(text: str, trace_format: TraceFormat) -> Iterator[list[re.Match[str]]]:
    """Runs of matches with nothing between them that starts a new trace."""
    run: list[re.Match[str]] = []
    for match in trace_format.frame.finditer(text):
        if run and _begins_between(run[-1], match, trace_format.start):
            yield run
            run = []
        run.append(match)
    if run:
        yield run


def _begins_between(one: re.Match[str], other: re.Match[str], start: str) -> bool:
    pattern = re.compile(start, re.MULTILINE | re.IGNORECASE)
    return pattern.search(other.string, one.end(), other.end()) is not None


def _renumbered(found: list[tuple[int, Frame]]) -> Iterator[tuple[int, Frame]]:
    """The frames with their traces counted from 0, one frame a place."""
    numbers: dict[int, int] = {}
    seen: set[tuple[str, int | None, int]] = set()
    for start, frame in found:
        number = numbers.setdefault(frame.trace, len(numbers))
        if (frame.path, frame.line, start) not in seen:
            seen.add((frame.path, frame.line, start))
            yield start, Frame(frame.path, frame.line, frame.function, number, frame.depth)
