"""`ask --json --stream`: one JSON object a line, each with its `event`, as things happen.

`context` and `suspects` come first, a `window` for each that a sweep has read, then `token` and
`citation` as the answer is generated, and last `done` or `error`
(docs/schema/ask-events.schema.json).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from repoqa.answers.citations import Checker
from repoqa.diagnosis.prepare import Preparation
from repoqa.diagnosis.sweep import WindowRead
from repoqa.errors import RepoqaError
from repoqa.formats.json import (
    Fields,
    citation_fields,
    pack_report,
    rounded,
    suspect_fields,
    window_read_fields,
)
from repoqa.records import Citation, Suspect


def context(preparation: Preparation) -> Fields:
    """What `pack --json` prints."""
    return {"event": "context", **pack_report(preparation)}


def suspects(found: Sequence[Suspect]) -> Fields:
    """The suspects, before any model is loaded."""
    return {"event": "suspects", "suspects": [suspect_fields(suspect) for suspect in found]}


def window(read: WindowRead) -> Fields:
    """A window of a sweep, as soon as it is read."""
    return {"event": "window", **window_read_fields(read)}


def answer(pieces: Iterable[str], checker: Checker) -> Iterator[Fields]:
    """The pieces of the answer, and its citations as soon as their line is whole."""
    line = ""
    for piece in pieces:
        yield {"event": "token", "text": piece}
        *whole, line = (line + piece).split("\n")
        yield from _citations(citation for text in whole for citation in checker.line(text)[1])
    yield from _citations(checker.line(line)[1])


def done(text: str, *, usage: Mapping[str, int], seconds: Mapping[str, float]) -> Fields:
    """The whole answer. `usage` counts tokens: prompt and answer."""
    return {"event": "done", "answer": text, "usage": {**usage, "seconds": rounded(seconds)}}


def error(reason: RepoqaError) -> Fields:
    """Why there is no answer, or no more of it."""
    return {
        "event": "error",
        "message": reason.message,
        "remedy": reason.remedy,
        "exit_code": int(reason.exit_code),
    }


def _citations(found: Iterable[Citation]) -> Iterator[Fields]:
    for citation in found:
        yield {"event": "citation", **citation_fields(citation)}
