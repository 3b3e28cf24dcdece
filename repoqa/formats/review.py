"""A review for other programs: `--json` (docs/schema/review.schema.json)."""

from repoqa.formats.json import SCHEMA, Fields, rounded
from repoqa.review.report import Caller, Finding, Impact, Related, Review, TestReach

CONFIDENCE_DIGITS = 2


def review_report(review: Review) -> Fields:
    """What `review --json` prints."""
    return {
        "schema": SCHEMA,
        "range": {
            "kind": review.range.kind,
            "text": review.range.text,
            "old": review.range.old or None,
            "new": review.range.new,
        },
        "impact": [_impact(change) for change in review.impact],
        "findings": [_finding(finding) for finding in review.findings],
        "dropped": dict(sorted(review.dropped.items())),
        "not_reviewed": [{"path": s.path, "why": s.why} for s in review.not_reviewed],
        "run": {
            "model": review.model or None,
            "problem": review.problem or None,
            "seconds": rounded(review.seconds),
        },
    }


def _impact(change: Impact) -> Fields:
    return {
        "symbol": change.symbol,
        "kind": change.kind,
        "path": change.path,
        "start": change.start,
        "end": change.end,
        "change": change.change,
        "was": change.was and {"path": change.was.path, "symbol": change.was.symbol},
        "callers": [_caller(caller) for caller in change.callers],
        "more_callers": change.more_callers,
        "overrides": [_related(related) for related in change.overrides],
        "tests": [_test(test) for test in change.tests],
    }


def _caller(caller: Caller) -> Fields:
    return {
        "path": caller.path,
        "line": caller.line,
        "symbol": caller.symbol,
        "fits": caller.fits,
        "why": caller.why,
    }


def _related(related: Related) -> Fields:
    return {
        "path": related.path,
        "line": related.line,
        "symbol": related.symbol,
        "relation": related.relation,
        "fits": related.fits,
    }


def _test(test: TestReach) -> Fields:
    return {"path": test.path, "line": test.line, "symbol": test.symbol, "hops": test.hops}


def _finding(finding: Finding) -> Fields:
    return {
        "id": finding.id,
        "path": finding.path,
        "line": finding.line,
        "severity": finding.severity,
        "confidence": round(finding.confidence, CONFIDENCE_DIGITS),
        "message": finding.message,
    }
