"""What the user gave, read into a Question: names, paths, frames and messages found in it."""

import re
from collections.abc import Iterable

from repoqa.evidence import names, traces
from repoqa.records import Question

# Terminal colours and cursor moves, which logs are full of (ECMA-48 control sequences).
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")
COMMENTS = re.compile(r"<!--.*?-->", re.S)
# Backtracking patterns meet at most this much of a log: its beginning and its end.
LONGEST_READ = 400_000


def read(text: str, *, log: str = "", diff: str = "", pins: Iterable[str] = ()) -> Question:
    """Read a question and its log. Never raises: text that says nothing gives an empty record."""
    question = _plain(text)
    shown = COMMENTS.sub("", question)
    title, body = _title(shown)
    clean_log = _plain(log)
    evidence = f"{shown}\n\n{_ends(clean_log)}"
    return Question(
        text=question,
        title=title,
        body=body,
        identifiers=names.identifiers(_ends(shown)),
        paths=names.paths(evidence),
        frames=traces.frames(evidence),
        errors=names.errors(evidence),
        code=names.code_blocks(shown),
        log=clean_log,
        diff=diff,
        pins=tuple(pins),
    )


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
