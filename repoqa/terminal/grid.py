"""A Markdown table: for a terminal and for a page of benchmarks alike."""

from collections.abc import Sequence


def grid(rows: Sequence[Sequence[str]]) -> str:
    """The rows, the first of them the header; columns but the first are aligned to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = ("-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:]))
    return "".join(
        f"| {row[0]:<{widths[0]}} | "
        + " | ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        + " |\n"
        for row in (rows[0], rule, *rows[1:])
    )
