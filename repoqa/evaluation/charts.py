"""Measurements as charts: coverage against the budget, perplexity against the context's length,
bugs found against where they stand."""

from collections.abc import Sequence
from math import exp
from statistics import mean

from repoqa.chart import Axis, Chart, Line
from repoqa.evaluation.longcontext import Reading
from repoqa.evaluation.measure import Measurement
from repoqa.evaluation.strategies import Outcome
from repoqa.evaluation.summary import SHARES

NAMES = {
    "files": "files touched",
    "all_files": "reports with all files",
    "lines": "lines shown",
    "all_lines": "reports with all lines",
}
PERCENT = (0.0, 100.0)


def coverage_chart(measured: Sequence[Measurement]) -> Chart:
    """How much of the fixes a prompt of each budget holds, in percent."""
    budgets = sorted({budget for each in measured for budget in each.coverage})
    lines = [
        Line(
            NAMES[share],
            tuple(
                (float(b), 100 * mean(m.coverage[b][share] for m in measured if b in m.coverage))
                for b in budgets
            ),
        )
        for share in SHARES
    ]
    count = "1 bug report" if len(measured) == 1 else f"{len(measured):,} bug reports"
    return Chart(
        f"What the budget holds of the fixes of {count}",
        Axis("budget, tokens", logarithmic=True),
        Axis("covered, %", bounds=PERCENT),
        tuple(lines),
    )


def perplexity_chart(readings: Sequence[Reading]) -> Chart:
    """The geometric mean of the texts' perplexities against the length read, for each scaling."""
    lines = []
    for kind in dict.fromkeys(reading.rope for reading in readings):
        own = [reading.surprise for reading in readings if reading.rope == kind]
        lengths = sorted({length for surprise in own for length in surprise})
        points = [
            (float(length), exp(mean(each[length] for each in own if length in each)))
            for length in lengths
        ]
        lines.append(Line(kind, tuple(points)))
    return Chart(
        "Perplexity by the length of what was read",
        Axis("tokens read", logarithmic=True),
        Axis("perplexity", logarithmic=True),
        tuple(lines),
    )


def found_chart(outcomes: Sequence[Outcome]) -> Chart:
    """The planted bugs that were found against where they stood, for each strategy and length."""
    lines = []
    for kind in dict.fromkeys((each.trial.strategy, each.trial.length) for each in outcomes):
        own = [each for each in outcomes if (each.trial.strategy, each.trial.length) == kind]
        points = [
            (place, 100 * mean(each.found for each in own if each.trial.position == place))
            for place in sorted({each.trial.position for each in own})
        ]
        lines.append(Line(f"{kind[0]}, {kind[1]:,} tokens", tuple(points)))
    return Chart(
        "Planted bugs found by where they stand",
        Axis("part of the code before the bug"),
        Axis("found, %", bounds=PERCENT),
        tuple(lines),
    )
