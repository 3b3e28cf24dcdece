"""Checks what a model claims against the diff: only what names a place or symbol of it is kept."""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from repoqa.answers.places import Places
from repoqa.index.index import Index
from repoqa.review.claims import Claim, says_nothing
from repoqa.review.patch import FilePatch
from repoqa.review.report import SEVERITIES, Finding, Impact
from repoqa.review.sites import innermost
from repoqa.review.versions import last_name

NO_FILE = "of no such file"
OUTSIDE = "outside the diff"
EMPTY = "saying nothing"
REPEATED = "repeated"
DISMISSED = "dismissed before"
OVER = "over --max-findings"
# Two messages that agree this far say the same.
ALIKE = 0.8
ID_DIGITS = 10
WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Ground:
    """What findings are checked against: the diff, what it reaches, and the new code."""

    patches: tuple[FilePatch, ...]
    impact: tuple[Impact, ...]
    index: Index


def findings(
    claims: Iterable[Claim], ground: Ground, *, dismissed: Collection[str], most: int
) -> tuple[tuple[Finding, ...], dict[str, int]]:
    """The findings to show, the gravest first, and how many claims were dropped, by why."""
    dropped: Counter[str] = Counter()
    kept: list[Finding] = []
    for checked in _checked(claims, ground):
        if isinstance(checked, str):
            dropped[checked] += 1
        elif checked.id in dismissed:
            dropped[DISMISSED] += 1
        elif any(_is_same(checked, known) for known in kept):
            dropped[REPEATED] += 1
            kept = [_merged(known, checked) for known in kept]
        else:
            kept.append(checked)
    kept.sort(key=_gravest_first)
    if len(kept) > most:
        dropped[OVER] += len(kept) - most
    return tuple(kept[:most]), dict(dropped)


def _gravest_first(finding: Finding) -> tuple[int, float, str, int]:
    return (SEVERITIES.index(finding.severity), -finding.confidence, finding.path, finding.line)


def _checked(claims: Iterable[Claim], ground: Ground) -> Iterator[Finding | str]:
    """Each claim as a finding, or why it is none."""
    in_diff = Places([patch.path for patch in ground.patches])
    everywhere = Places(ground.index.paths)
    for claim in claims:
        if says_nothing(claim.message):
            yield EMPTY
            continue
        paths = in_diff.meant(claim.path) or everywhere.meant(claim.path)
        if len(paths) != 1:
            yield NO_FILE
            continue
        line = _line(replace(claim, path=paths[0]), ground)
        yield OUTSIDE if line is None else _finding(claim, paths[0], line, index=ground.index)


def _line(claim: Claim, ground: Ground) -> int | None:
    """The line of a claim where the diff or what it reaches has it; that of the symbol it names
    where the line does not exist; None for a place that has nothing to do with the diff."""
    hunks = [h.new for patch in ground.patches if patch.path == claim.path for h in patch.hunks]
    if any(hunk.start <= claim.line <= hunk.end for hunk in hunks):
        return claim.line
    for change in ground.impact:
        if change.path == claim.path and change.start <= claim.line <= change.end:
            return claim.line
        if any((c.path, c.line) == (claim.path, claim.line) for c in change.callers):
            return claim.line
    return _named_line(claim, ground)


def _named_line(claim: Claim, ground: Ground) -> int | None:
    """Where the changed symbol of this file is that the message names."""
    names = set(WORD.findall(claim.message))
    for change in ground.impact:
        if change.path == claim.path and last_name(change.symbol) in names:
            return change.start
    return None


def _finding(claim: Claim, path: str, line: int, *, index: Index) -> Finding:
    return Finding(
        id=_identity(path, line, index),
        path=path,
        line=line,
        severity=claim.severity,
        confidence=claim.confidence,
        message=claim.message,
    )


def _identity(path: str, line: int, index: Index) -> str:
    """The same for the same line of code in the same function, wherever that moves; models word
    what they say of it anew each time."""
    text = around = ""
    if index.file_number(path) is not None:
        lines = index.lines(path)
        text = lines[line - 1].strip() if line <= len(lines) else ""
        symbol = innermost(index.parsed(path), line)
        around = symbol.name if symbol else ""
    place = "\0".join((path, around, text or str(line)))
    return hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:ID_DIGITS]


def _is_same(one: Finding, other: Finding) -> bool:
    if one.path != other.path:
        return False
    alike = SequenceMatcher(None, one.message.lower(), other.message.lower())
    return one.line == other.line or alike.ratio() >= ALIKE


def _merged(known: Finding, again: Finding) -> Finding:
    """The first of two that say the same, as grave and as sure as the one that is more so."""
    if not _is_same(again, known):
        return known
    gravest = min(known, again, key=_gravest_first)
    confidence = max(known.confidence, again.confidence)
    return replace(known, severity=gravest.severity, confidence=confidence)
