"""What fine-tuning tells: how many examples there are, how the loss fell, and what that gained."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from repoqa.tuning.examples import KINDS
from repoqa.tuning.folder import About
from repoqa.visible import one_line

if TYPE_CHECKING:
    from repoqa.tuning.evaluate import Compared, Score

_NAMES = {"fix": "fixes", "infill": "gaps in functions"}


def data_lines(about: About, folder: Path) -> str:
    """How many examples were made, what was left out and why, and what to do next."""
    rows = [
        (_NAMES[kind], f"{about.train.get(kind, 0):,}", f"{about.held_out.get(kind, 0):,}")
        for kind in KINDS
    ]
    lines = [f"{'':<18}  {'train':>7}  {'held out':>8}\n"]
    lines += [f"{name:<18}  {train:>7}  {held:>8}\n" for name, train, held in rows]
    lines += _left_out("files left out", about.files_left_out)
    lines += _left_out("examples left out", about.examples_left_out)
    if about.redacted:
        lines.append(f"examples with a secret replaced: {about.redacted:,}\n")
    return "".join((*lines, f"{one_line(str(folder))}\n"))


def _left_out(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        yield f"{title}:\n"
    for why, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"  {count:>7,}  {one_line(why)}\n"


def loss_line(losses: Sequence[float]) -> str:
    """How the loss fell, in a line: the mean of the first tenth of the steps and of the last."""
    tenth = max(len(losses) // 10, 1)
    first, last = (sum(part) / len(part) for part in (losses[:tenth], losses[-tenth:]))
    steps = "1 step" if len(losses) == 1 else f"{len(losses):,} steps"
    return f"{steps}: loss {first:.3f}, in the end {last:.3f} nats a token\n"


def compared_table(compared: "Compared") -> str:
    """Perplexity and gaps filled exactly, before and after, as a Markdown table."""
    rows: list[tuple[str, ...]] = [("held out", "examples", "tokens", "before", "after")]
    for kind in KINDS:
        if kind in compared.before:
            rows += _rows(_NAMES[kind], compared.before[kind], compared.after[kind])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = ("-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:]))
    return "".join(
        f"| {row[0]:<{widths[0]}} | "
        + " | ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        + " |\n"
        for row in (rows[0], rule, *rows[1:])
    )


def _rows(name: str, before: "Score", after: "Score") -> Iterator[tuple[str, ...]]:
    perplexities = (f"{score.perplexity:.3f}" for score in (before, after))
    size = (f"{before.examples:,}", f"{before.tokens:,}")
    yield (f"{name}: perplexity", *size, *perplexities)
    if before.exact is not None:
        shares = (f"{score.exact} of {score.examples}" for score in (before, after))
        yield (f"{name}: filled exactly", *size, *shares)
