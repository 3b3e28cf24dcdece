"""Reads a model's findings: a line each, `path:line: severity: message`, however it is dressed up.

Small models number their lines, put them in bold, leave the severity out or write a range of
lines; what cannot be told apart from prose is no finding.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from repoqa.review.report import Severity

LONGEST_MESSAGE = 400
LONGEST_LINE = 2000
FEWEST_WORDS = 3
# Where a model names no confidence.
USUAL_CONFIDENCE = 0.5
DRESSING = re.compile(r"[`]|\*\*|__(?=\w+\W*__)")
BULLET = re.compile(r"^[\s>#|]*(?:[-*+•]\s+|\(?\d{1,2}[.)]\s+)?")
PLACE = re.compile(
    r"^(?:[\w ]{0,12}\s)?\[?(?P<path>[^\s:()\[\]]*[^\s:()\[\],])\]?"
    r"(?::|#L|,? (?:at |on )?lines? )\s*L?(?P<line>\d{1,7})"
    r"(?:\s*[-\N{EN DASH}]\s*L?\d+(?!\w)|:\d+(?!\w))?(?P<rest>.*)",
    re.DOTALL,
)
SEVERITY = re.compile(
    r"^[\s:,\-\N{EN DASH}\N{EM DASH}(\[*]*(?:severity\s*[:=]\s*)?"
    r"(?P<word>[a-z]+)\b(?:\s+severity)?[\s:,.\-)\]*\N{EM DASH}]*",
    re.IGNORECASE,
)
CONFIDENCE = re.compile(
    r"[\s,;]*[(\[]?\b(?:confidence|certainty)\s*[:=]?\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<percent>%)?[)\]]?",
    re.IGNORECASE,
)
WORDS: dict[str, Severity] = {
    **dict.fromkeys(("error", "bug", "critical", "high", "severe", "major", "fatal"), "error"),
    **dict.fromkeys(("warning", "warn", "medium", "moderate", "minor"), "warning"),
    **dict.fromkeys(("info", "information", "low", "note", "nit", "hint", "suggestion"), "info"),
}
NOTHING = re.compile(
    r"^(?:none\b|no (?:\w+ )?(?:issues?|problems?|bugs?|errors?|findings?|changes?)\b"
    r"|nothing\b|looks (?:good|fine|correct)"
    r"|(?:this|the) (?:code|change|line) is (?:fine|correct))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What the model says of a place, not checked yet. `message` may be "" for none."""

    path: str
    line: int
    severity: Severity
    confidence: float
    message: str


def claims(answer: str) -> Iterator[Claim]:
    """The findings of an answer, in its order."""
    for line in answer.split("\n"):
        claim = _claim(line[:LONGEST_LINE])
        if claim:
            yield claim


def says_nothing(message: str) -> bool:
    """Whether a message says that nothing is wrong, or nothing at all."""
    return NOTHING.match(message) is not None or len(message.split()) < FEWEST_WORDS


def _claim(line: str) -> Claim | None:
    plain = DRESSING.sub("", line)
    match = PLACE.match(BULLET.sub("", plain, count=1))
    if match is None:
        return None
    rest, severity = match["rest"], None
    while (found := SEVERITY.match(rest)) and found["word"].lower() in WORDS:
        severity = severity or WORDS[found["word"].lower()]
        rest = rest[found.end() :]
    confidence = USUAL_CONFIDENCE
    if stated := CONFIDENCE.search(rest):
        number = float(stated["number"])
        confidence = min(number / 100 if stated["percent"] or number > 1 else number, 1.0)
        rest = rest[: stated.start()] + rest[stated.end() :]
    message = " ".join(rest.split()).strip(" :-,\N{EN DASH}\N{EM DASH}")
    return Claim(
        match["path"], int(match["line"]), severity or "warning", confidence, _cut(message)
    )


def _cut(message: str) -> str:
    if len(message) <= LONGEST_MESSAGE:
        return message
    return message[:LONGEST_MESSAGE].rpartition(" ")[0] + " \N{HORIZONTAL ELLIPSIS}"
