"""The options of `repoqa tune`."""

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer


def _number(name: str, metavar: str, text: str, *, least: float = 1) -> Any:
    """An option of the recipe; None is what was not said."""
    return typer.Option(name, metavar=metavar, help=text, min=least, show_default=False)


Examples: TypeAlias = Annotated[
    Path, typer.Argument(metavar="DATA", help="A folder that `repoqa tune data` made.")
]
Out: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="ADAPTER",
        help="The adapter's folder (default: DATA/MODEL).",
        show_default=False,
    ),
]
Rank: TypeAlias = Annotated[
    int | None, _number("--rank", "N", "Columns of the adapter's matrices (default: 8).")
]
Alpha: TypeAlias = Annotated[
    int | None, _number("--alpha", "N", "They weigh alpha / rank (default: 16).")
]
Epochs: TypeAlias = Annotated[
    int | None, _number("--epochs", "N", "How often each example is seen (default: 3).")
]
Rate: TypeAlias = Annotated[
    float | None,
    _number("--rate", "R", "The highest learning rate (default: 0.0002).", least=0),
]
Length: TypeAlias = Annotated[
    int | None, _number("--length", "TOKENS", "The longest example (default: 1024).", least=64)
]
Batch: TypeAlias = Annotated[
    int | None, _number("--batch", "N", "Examples of a step (default: 4).")
]
Seed: TypeAlias = Annotated[
    int | None, _number("--seed", "N", "The same seed, the same adapter (default: 0).", least=0)
]
Steps: TypeAlias = Annotated[
    int | None, _number("--steps", "N", "Stop after N steps (default: all epochs).")
]
SaveEvery: TypeAlias = Annotated[
    int, typer.Option("--save-every", metavar="N", min=1, help="Save the run every N steps.")
]
Resume: TypeAlias = Annotated[
    bool,
    typer.Option("--resume", help="Go on with a run that was cut off.", show_default=False),
]
NewProfile: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Make the adapter a model profile: repoqa ask --model NAME.",
        show_default=False,
    ),
]
Adapter: TypeAlias = Annotated[
    Path, typer.Option("--adapter", metavar="DIR", help="The adapter's folder.")
]
Limit: TypeAlias = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, help="The first N of each kind only.")
]
Folder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FOLDER",
        help="Write the examples here (default: a folder of your user's data directory).",
        show_default=False,
    ),
]
Most: TypeAlias = Annotated[
    int, typer.Option("--most", metavar="N", min=2, help="At most N examples of each kind.")
]
Share: TypeAlias = Annotated[
    float,
    typer.Option(
        "--held-out",
        metavar="SHARE",
        min=0.01,
        max=0.9,
        help="The share, the newest, that is not trained on.",
    ),
]
