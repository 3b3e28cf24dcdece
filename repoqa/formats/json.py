"""`--json`: schema 1, which other tools and benchmarks read (docs/schema/ has the JSON Schemas).

Always valid UTF-8: a path's bytes that are not are written `\\xff`. Numbers are rounded to
`DIGITS` places, far inside the 1e-6 that reasons may differ from their score.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from repoqa.diagnosis.prepare import Preparation
from repoqa.records import (
    Answer,
    Citation,
    Excerpt,
    Message,
    RankedFile,
    RankedSymbol,
    Reasons,
    Suspect,
)

if TYPE_CHECKING:
    from repoqa.diagnosis.sweep import WindowRead
    from repoqa.diagnosis.windows import Window

SCHEMA = 1
MOST_LISTED = 200
DIGITS = 9
MILLISECONDS = 3
SURROGATE = re.compile("[\ud800-\udfff]")
ESCAPED_BYTE = range(0xDC80, 0xDD00)

Fields: TypeAlias = dict[str, Any]


def encode(report: Fields) -> bytes:
    """The report as indented JSON, with a last newline."""
    return msgspec.json.format(_encoded(report), indent=2) + b"\n"


def encode_line(report: Fields) -> bytes:
    """The report as JSON on a line of its own."""
    return _encoded(report) + b"\n"


def _encoded(report: Fields) -> bytes:
    try:
        return msgspec.json.encode(report)
    except UnicodeEncodeError:
        return msgspec.json.encode(printable(report))


def pack_report(preparation: Preparation) -> Fields:
    """What `pack --json` prints."""
    snapshot, index, prompt = preparation.snapshot, preparation.index, preparation.prompt
    return {
        "schema": SCHEMA,
        "repo": snapshot.name,
        "revision": snapshot.revision,
        "question": preparation.question.text,
        "model": preparation.setup.profile.name,
        "budget": {
            "limit": preparation.setup.budget,
            "used": prompt.tokens,
            "tokenizer": preparation.setup.tokenizer.name,
            "exact": prompt.exact,
        },
        "files": [_file(ranked) for ranked in preparation.ranking.files[:MOST_LISTED]],
        "symbols": [_symbol(ranked) for ranked in preparation.ranking.symbols[:MOST_LISTED]],
        "excerpts": [_excerpt(excerpt) for excerpt in preparation.context.excerpts],
        "left_out": {
            "symbols": preparation.context.left_out,
            "files_skipped": [{"path": s.path, "why": s.why} for s in index.skipped],
        },
        "run": {
            "parsed": preparation.timings.parsed,
            "reused": preparation.timings.reused,
            "seconds": rounded(preparation.timings.seconds),
        },
    }


def answer_fields(
    answer: Answer,
    suspects: Sequence[Suspect],
    *,
    usage: Mapping[str, int],
    seconds: Mapping[str, float],
) -> Fields:
    """What `ask --json` adds to the pack's report. `usage` counts tokens: prompt and answer."""
    return {
        "answer": answer.text,
        "suspects": [suspect_fields(suspect) for suspect in suspects],
        "citations": [citation_fields(citation) for citation in answer.citations],
        "usage": {**usage, "seconds": rounded(seconds)},
    }


def window_fields(window: "Window") -> Fields:
    """One window of a sweep: its place in the order, its prompt's tokens, the code it holds."""
    return {
        "window": window.number,
        "of": window.of,
        "tokens": window.prompt.tokens,
        "excerpts": [
            {"path": each.path, "start": each.start, "end": each.end} for each in window.excerpts
        ],
    }


def window_read_fields(read: "WindowRead") -> Fields:
    """The same with the suspects that the model named in it."""
    return {
        **window_fields(read.window),
        "suspects": [suspect_fields(suspect) for suspect in read.suspects],
    }


def sweep_fields(reads: "Sequence[WindowRead]") -> Fields:
    """What a sweep adds to `ask --json`: its windows, the best code first; nothing without one."""
    ordered = sorted(reads, key=lambda read: read.window.number)
    return {"windows": [window_read_fields(read) for read in ordered]} if ordered else {}


def message_fields(messages: Iterable[Message]) -> Fields:
    """What `ask --dry-run --json` adds to the pack's report: the prompt as it would be sent."""
    return {"messages": [{"role": m.role, "content": m.content} for m in messages]}


def _file(ranked: RankedFile) -> Fields:
    return {
        "path": ranked.path,
        "score": round(ranked.score, DIGITS),
        "reasons": _reasons(ranked.reasons),
    }


def _symbol(ranked: RankedSymbol) -> Fields:
    return {
        "path": ranked.path,
        "name": ranked.symbol.name,
        "kind": ranked.symbol.kind,
        "start": ranked.symbol.start,
        "end": ranked.symbol.end,
        "score": round(ranked.score, DIGITS),
        "reasons": _reasons(ranked.reasons),
    }


def _excerpt(excerpt: Excerpt) -> Fields:
    return {
        "path": excerpt.path,
        "start": excerpt.start,
        "end": excerpt.end,
        "form": excerpt.form,
        "tokens": excerpt.tokens,
        "text": excerpt.text,
    }


def citation_fields(citation: Citation) -> Fields:
    """A citation, for other programs."""
    return {
        "text": citation.text,
        "path": citation.path,
        "start": citation.start,
        "end": citation.end,
        "valid": citation.valid,
    }


def suspect_fields(suspect: Suspect) -> Fields:
    """A suspect, for other programs."""
    return {
        "path": suspect.path,
        "start": suspect.start,
        "end": suspect.end,
        "name": suspect.name,
        "score": round(suspect.score, DIGITS),
        "why": suspect.why,
    }


def _reasons(reasons: Reasons) -> Fields:
    return {name: round(value, DIGITS) for name, value in sorted(reasons.items())}


def rounded(seconds: Mapping[str, float]) -> Fields:
    """Seconds to the millisecond."""
    return {stage: round(value, MILLISECONDS) for stage, value in seconds.items()}


def printable(value: Any) -> Any:
    """The value with every lone surrogate written out, which UTF-8 cannot carry."""
    if isinstance(value, str):
        return SURROGATE.sub(_escape, value)
    if isinstance(value, dict):
        return {printable(key): printable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [printable(inner) for inner in value]
    return value


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code in ESCAPED_BYTE:  # os.fsdecode kept a byte that is not UTF-8
        return f"\\x{code - ESCAPED_BYTE.start + 0x80:02x}"
    return f"\\u{code:04x}"
