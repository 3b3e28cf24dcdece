"""A review as SARIF 2.1.0, which GitHub's code scanning and many viewers read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import os
from collections.abc import Iterator
from urllib.parse import quote

from repoqa import __version__
from repoqa.formats.json import Fields
from repoqa.review.report import Review, Severity
from repoqa.review.review import problems

VERSION = "2.1.0"
SCHEMA_ADDRESS = "https://json.schemastore.org/sarif-2.1.0.json"
INFORMATION = "https://pypi.org/project/repoqa-cli/"
LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
RULES = {
    "impact": "A use of changed code that does not fit it any more",
    "finding": "What the model says of the change",
}
# The root of the repository, which the reader of the file knows.
ROOT = "SRCROOT"
HIGHEST_RANK = 100


def review_sarif(review: Review) -> Fields:
    """What `review --sarif` prints."""
    rules = [{"id": id_, "shortDescription": {"text": text}} for id_, text in RULES.items()]
    driver = {
        "name": "repoqa",
        "version": __version__,
        "informationUri": INFORMATION,
        "rules": rules,
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": list(_results(review)),
        "invocations": [
            {
                "executionSuccessful": not review.problem,
                "toolExecutionNotifications": list(_notifications(review)),
            }
        ],
    }
    return {"$schema": SCHEMA_ADDRESS, "version": VERSION, "runs": [run]}


def _results(review: Review) -> Iterator[Fields]:
    for problem in problems(review.impact):
        yield {
            "ruleId": "impact",
            "level": LEVELS[problem.severity],
            "message": {"text": problem.message},
            "locations": [_location(problem.path, problem.line)],
        }
    for finding in review.findings:
        yield {
            "ruleId": "finding",
            "level": LEVELS[finding.severity],
            "message": {"text": finding.message},
            "locations": [_location(finding.path, finding.line)],
            "rank": round(finding.confidence * HIGHEST_RANK, 1),
            "partialFingerprints": {"repoqa/v1": finding.id},
        }


def _location(path: str, line: int) -> Fields:
    address = quote(os.fsencode(path))
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": address, "uriBaseId": ROOT},
            "region": {"startLine": line},
        }
    }


def _notifications(review: Review) -> Iterator[Fields]:
    """What was not reviewed, and why there are no findings."""
    if review.problem:
        yield {"level": "error", "message": {"text": review.problem}}
    for skipped in review.not_reviewed:
        yield {"level": "note", "message": {"text": f"{skipped.path}: {skipped.why}"}}
