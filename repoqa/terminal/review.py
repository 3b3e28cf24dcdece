"""A review as a person reads it, and as lines that editors and reviewdog read.

The lines are `path:line: severity: message`, as compilers write them; what stands around them is
indented, so that `%f:%l: %t%*[^:]: %m` finds the lines alone.
"""

from collections.abc import Iterator, Sequence

from repoqa.review.report import Finding, Impact, Review, Severity
from repoqa.review.review import Problem, problems
from repoqa.terminal.output import StyledText
from repoqa.terminal.tables import place
from repoqa.visible import one_line

MOST_SYMBOLS = 20
MOST_SKIPPED = 10
MOST_PROBLEMS = 50
STYLES: dict[Severity, str] = {"error": "bold red", "warning": "yellow", "info": "dim"}


def impact_lines(review: Review, *, most: int = MOST_SYMBOLS) -> Iterator[StyledText]:
    """What changed, what that reaches for the `most` gravest, and each use that does not fit."""
    changes = sorted(review.impact, key=_gravest_first)
    if not changes:
        yield ("No function, type or value changes.\n", "")
    else:
        yield (f"{_summary(changes)}\n", "bold")
    for change in changes[:most]:
        where = place(change.path, change.start, change.end)
        yield (f"  {where}", "cyan")
        yield (f"  {one_line(change.symbol)}: {_reach(change)}\n", "")
    if len(changes) > most:
        yield (f"  and {len(changes) - most} more (--json lists all)\n", "dim")
    found = problems(review.impact)
    for problem in found[:MOST_PROBLEMS]:
        yield from _line(problem)
    if len(found) > MOST_PROBLEMS:
        yield (f"  and {len(found) - MOST_PROBLEMS} more (--json lists all)\n", "dim")


def finding_lines(review: Review) -> Iterator[StyledText]:
    """The model's findings, and what of it is not shown."""
    for finding in review.findings:
        yield from _line(finding)
    if review.model and not review.problem and not review.findings:
        yield (f"  {review.model} finds nothing\n", "dim")
    if review.dropped:
        dropped = ", ".join(f"{count} {why}" for why, count in sorted(review.dropped.items()))
        yield (f"  dropped: {dropped}\n", "dim")
    if review.findings:
        yield ("  wrong? repoqa review --dismiss ID keeps a finding away\n", "dim")


def skipped_lines(review: Review) -> Iterator[StyledText]:
    """The changed files that were not reviewed, and why."""
    skipped = review.not_reviewed
    if skipped:
        yield ("  not reviewed:\n", "dim")
    for one in skipped[:MOST_SKIPPED]:
        yield (f"    {one_line(one.path)}: {one_line(one.why)}\n", "dim")
    if len(skipped) > MOST_SKIPPED:
        yield (f"    and {len(skipped) - MOST_SKIPPED} more (--json lists all)\n", "dim")


def _line(said: Problem | Finding) -> Iterator[StyledText]:
    named = f" [{said.id}]" if isinstance(said, Finding) else ""
    yield (f"{one_line(said.path)}:{said.line}: ", "")
    yield (said.severity, STYLES[said.severity])
    yield (f": {one_line(said.message)}{named}\n", "")


def _summary(changes: Sequence[Impact]) -> str:
    """`3 symbols change in 2 files; 1 is reached by no test`."""
    files = len({change.path for change in changes})
    untested = sum(change.is_untested for change in changes)
    verb = "changes" if len(changes) == 1 else "change"
    text = f"{_counted(len(changes), 'symbol')} {verb} in {_counted(files, 'file')}"
    if untested:
        text += f"; {untested} {'is' if untested == 1 else 'are'} reached by no test"
    return text


def _reach(change: Impact) -> str:
    """`signature; 2 callers elsewhere, 1 does not fit; 3 tests`."""
    parts = [f"{change.change} (was {change.was.symbol})" if change.was else change.change]
    callers = len(change.callers) + change.more_callers
    if callers:
        misfits = sum(caller.fits is False for caller in change.callers)
        unknown = sum(caller.fits is None for caller in change.callers)
        told = [_counted(callers, "use") + " elsewhere"]
        told += [f"{misfits} {'does' if misfits == 1 else 'do'} not fit"] if misfits else []
        told += [f"{unknown} may not"] if unknown else []
        parts.append(", ".join(told))
    if change.tests:
        verb = "reaches" if len(change.tests) == 1 else "reach"
        parts.append(f"{_counted(len(change.tests), 'test')} {verb} it")
    elif change.is_untested:
        parts.append("no test reaches it")
    return "; ".join(parts)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _gravest_first(change: Impact) -> tuple[int, int, str, int]:
    misfits = sum(caller.fits is False for caller in change.callers)
    return (-misfits, -sum(c.fits is None for c in change.callers), change.path, change.start)
