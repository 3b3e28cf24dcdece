"""What the tools do: each takes its arguments and gives text for a model and fields for a program.

The fields are those of `pack --json` and `review --json`, or some of them (docs/schema/).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repoqa.answers.suspects import suspects, why
from repoqa.api.calls import open_repository, pack
from repoqa.api.job import Options, redactions
from repoqa.api.review import ReviewOptions, opened_repository, prepare_review
from repoqa.diagnosis.prepare import Preparation
from repoqa.formats.json import SCHEMA, Fields, pack_report, printable, suspect_fields
from repoqa.formats.markdown import pack_markdown
from repoqa.formats.review import review_report
from repoqa.mcp.arguments import (
    DEFAULT_LIMIT,
    Arguments,
    ExplainTrace,
    FindCode,
    PackContext,
    ReviewImpact,
)
from repoqa.mcp.boundary import inside
from repoqa.protocols import Progress
from repoqa.ranking.places import Places
from repoqa.records import Frame, RankedSymbol, Suspect
from repoqa.review.chosen import Wanted, choose
from repoqa.terminal.output import StyledText
from repoqa.terminal.review import impact_lines, skipped_lines
from repoqa.terminal.tables import place
from repoqa.visible import one_line, visible

HEADING = ("schema", "repo", "revision", "question")
CHANGES = {
    "worktree": Wanted(worktree=True),
    "staged": Wanted(staged=True),
    "push": Wanted(),
}


@dataclass(frozen=True, slots=True)
class Served:
    """The repository that is served, and whom its work tells things."""

    root: Path
    note: Callable[[str], None]
    progress: Progress


@dataclass(frozen=True, slots=True)
class Result:
    """What a call gives: `text` for a model, `fields` for a program."""

    text: str
    fields: Fields


def find_code(given: FindCode, served: Served) -> Result:
    """The best symbols."""
    options = Options(log=given.log, include=given.include, exclude=given.exclude)
    preparation = _prepared(given.question, options, served, revision=given.revision)
    report = pack_report(preparation)
    fields = {
        **{key: report[key] for key in HEADING},
        "files": report["files"][: given.limit],
        "symbols": report["symbols"][: given.limit],
        "run": report["run"],
    }
    lines = _symbol_lines(preparation.ranking.symbols[: given.limit])
    return _result("".join(lines) or "No code here matches the question.\n", fields)


def pack_context(given: PackContext, served: Served) -> Result:
    """The packed code."""
    options = Options(
        log=given.log,
        include=given.include,
        exclude=given.exclude,
        paths=inside(given.paths, served.root),
        budget=given.budget,
    )
    preparation = _prepared(given.question, options, served, revision=given.revision)
    report = pack_report(preparation)
    for ranked in ("files", "symbols"):
        report[ranked] = report[ranked][:DEFAULT_LIMIT]
    told = redactions(preparation.redacted) + "\n" if preparation.redacted else ""
    return _result(pack_markdown(preparation) + told, report)


def explain_trace(given: ExplainTrace, served: Served) -> Result:
    """What a trace says of this code."""
    options = Options(log=given.trace)
    preparation = _prepared(given.question, options, served, revision=given.revision)
    found = suspects(preparation.ranking, limit=given.limit)
    own = list(_own_frames(preparation))
    question = preparation.question
    report = pack_report(preparation)
    fields = {
        "schema": SCHEMA,
        "repo": report["repo"],
        "revision": report["revision"],
        "errors": list(question.errors),
        "frames": [frame for _, frame in own],
        "frames_elsewhere": len(question.frames) - len({number for number, _ in own}),
        "suspects": [suspect_fields(suspect) for suspect in found],
        "run": report["run"],
    }
    return _result("".join(_trace_lines(fields, found)), fields)


def review_impact(given: ReviewImpact, served: Served) -> Result:
    """What a change may break."""
    git = opened_repository(served.root)
    wanted = Wanted(patch=given.patch) if given.patch.strip() else _wanted(given.change)
    options = ReviewOptions(include=given.include, exclude=given.exclude, use_model=False)
    job = prepare_review(choose(git, wanted), options, note=served.note, progress=served.progress)
    review = job.reached.review()
    lines = (*impact_lines(review), *skipped_lines(review))
    return _result(_plain(lines), review_report(review))


Tool = Callable[[Any, Served], Result]
TOOLS: dict[str, tuple[type[Arguments], Tool]] = {
    "find_code": (FindCode, find_code),
    "pack_context": (PackContext, pack_context),
    "explain_trace": (ExplainTrace, explain_trace),
    "review_impact": (ReviewImpact, review_impact),
}


def _prepared(
    question: str, options: Options, served: Served, *, revision: str | None
) -> Preparation:
    snapshot = open_repository(served.root, revision=revision)
    return pack(question, snapshot, options=options, note=served.note, progress=served.progress)


def _wanted(change: str) -> Wanted:
    return CHANGES.get(change) or Wanted(range=change)


def _symbol_lines(ranked: Iterable[RankedSymbol]) -> Iterator[str]:
    for number, one in enumerate(ranked, 1):
        symbol = one.symbol
        where = place(one.path, symbol.start, symbol.end)
        yield f"{number}. {where} {one_line(symbol.name)} ({symbol.kind}): {why(one.reasons)}\n"


def _own_frames(preparation: Preparation) -> Iterator[tuple[int, Fields]]:
    """The frames in this repository, the innermost of each trace first, with their number among
    all that the question has."""
    places = Places(preparation.index.paths)
    numbered = sorted(enumerate(preparation.question.frames), key=_innermost_first)
    for number, frame in numbered:
        for found in places.of(frame.path, line=frame.line, function=frame.function):
            fields = {
                "path": found.path,
                "line": frame.line,
                "function": frame.function,
                "trace": frame.trace,
                "depth": frame.depth,
            }
            yield number, fields


def _innermost_first(numbered: tuple[int, Frame]) -> tuple[int, int, int]:
    number, frame = numbered
    return frame.trace, frame.depth, number


def _trace_lines(fields: Fields, found: Sequence[Suspect]) -> Iterator[str]:
    for error in fields["errors"]:
        yield f"{visible(error)}\n"
    yield "\nFrames in this repository, the innermost first:\n" if fields["frames"] else ""
    for frame in fields["frames"]:
        where = place(frame["path"], frame["line"] or 0, frame["line"] or 0)
        yield f"  {where} {one_line(frame['function'])}".rstrip() + "\n"
    if not fields["frames"]:
        yield "No frame of this trace is in this repository.\n"
    yield "\nSuspects:\n" if found else "\nNo code here matches the trace.\n"
    for number, suspect in enumerate(found, 1):
        where = place(suspect.path, suspect.start, suspect.end)
        yield f"{number}. {where} {one_line(suspect.name)}: {suspect.why}\n"


def _plain(parts: Iterable[StyledText]) -> str:
    return "".join(text for text, _ in parts)


def _result(text: str, fields: Fields) -> Result:
    return Result(visible(printable(text)), printable(fields))
