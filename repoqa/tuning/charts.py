"""The loss of a run as a chart."""

from collections.abc import Sequence

from repoqa.chart import Axis, Chart, Line

SMOOTHED = 0.9
"""How much of the mean before stays at each step."""


def loss_chart(losses: Sequence[float], *, title: str) -> Chart:
    """The loss of each step, and the running mean of those before."""
    steps = range(1, len(losses) + 1)
    lines = (
        Line("each step", tuple(zip(map(float, steps), losses, strict=True))),
        Line("running mean", tuple(zip(map(float, steps), running_mean(losses), strict=True))),
    )
    return Chart(title, Axis("step"), Axis("loss, nats a token"), lines)


def running_mean(losses: Sequence[float]) -> list[float]:
    """An exponential mean, corrected for its beginning (as Adam's are)."""
    means, total = [], 0.0
    for step, loss in enumerate(losses, 1):
        total = SMOOTHED * total + (1 - SMOOTHED) * loss
        means.append(total / (1 - SMOOTHED**step))
    return means
