"""What `repoqa tune eval` prints for other programs (schema 1)."""

from typing import TYPE_CHECKING

from repoqa.formats.json import SCHEMA, Fields

if TYPE_CHECKING:
    from repoqa.tuning.evaluate import Compared, Score

_DIGITS = 6


def compared_report(compared: "Compared", model: str) -> Fields:
    """The scores of each kind, before and after."""
    return {
        "schema": SCHEMA,
        "model": model,
        "before": {kind: _fields(score) for kind, score in compared.before.items()},
        "after": {kind: _fields(score) for kind, score in compared.after.items()},
    }


def _fields(score: "Score") -> Fields:
    return {
        "examples": score.examples,
        "tokens": score.tokens,
        "perplexity": round(score.perplexity, _DIGITS),
        "exact": score.exact,
    }
