"""What the user gave, read into a Question: names, paths, frames and messages found in it."""

import re
from collections.abc import Iterable
from itertools import chain

from repoqa.evidence import logs, names, traces
from repoqa.records import Frame, PathMention, Question

# Terminal colours and cursor moves, which logs are full of (ECMA-48 control sequences).
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")
COMMENTS = re.compile(r"<!--.*?-->", re.S)
# What other programs put before each line of a log: `docker compose` the service, CI the time.
PREFIXES = re.compile(
    r"^(?:[A-Za-z][\w.-]{0,60} *\| )?"
    r"(?:\[?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.,]*(?:Z|[+-]\d\d:?\d\d)\]? )?",
    re.M,
)
# Backtracking patterns meet at most this much of a log: its beginning and its end.
LONGEST_READ = 400_000


def read(text: str, *, log: str = "", diff: str = "", pins: Iterable[str] = ()) -> Question:
    """Read a question and its log. Never raises: text that says nothing gives an empty record."""
    question = _plain(text)
    shown = COMMENTS.sub("", question)
    title, body = _title(shown)
    clean_log = _plain(log)
    read_log = PREFIXES.sub("", _ends(clean_log))
    evidence = f"{shown}\n\n{read_log}"
    frames = traces.frames(evidence)
    found = logs.diagnostics(evidence)
    frames += logs.places(found, trace=1 + max((frame.trace for frame in frames), default=-1))
    said = [each.message for each in found if each.severity != "note" and each.message]
    return Question(
        text=question,
        title=title,
        body=body,
        identifiers=tuple(
            dict.fromkeys(
                (
                    *names.identifiers(_ends(shown)),
                    *names.identifiers(logs.quoted_code(read_log)),
                )
            )
        ),
        paths=_mentions(shown, read_log, frames),
        frames=frames,
        errors=tuple(dict.fromkeys(chain(names.errors(evidence), said, logs.assertions(evidence)))),
        tests=logs.failing_tests(evidence),
        code=names.code_blocks(shown),
        log=clean_log,
        diff=diff,
        pins=tuple(pins),
    )


def _mentions(text: str, log: str, frames: Iterable[Frame]) -> tuple[PathMention, ...]:
    """Files that the text names, and of those the log names the ones that no frame passes through:
    a log prints the failing test's file time and again."""
    framed = {frame.path for frame in frames}
    in_log = (mention for mention in names.paths(log) if mention.path not in framed)
    return tuple(dict.fromkeys((*names.paths(text), *in_log)))


def _plain(text: str) -> str:
    return ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n").strip("\n")


def _title(text: str) -> tuple[str, str]:
    first, _, rest = text.strip().partition("\n")
    return first.strip(), rest.strip()


def _ends(text: str) -> str:
    if len(text) <= LONGEST_READ:
        return text
    half = LONGEST_READ // 2
    return f"{text[:half]}\n\n{text[-half:]}"
