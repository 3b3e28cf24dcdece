"""`repoqa eval longcontext`: how far a model reads, with each RoPE scaling."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from repoqa.cli.keeping import keep, kept
from repoqa.cli.options import Model, Plot
from repoqa.cli.strategies import BUGS, Comparison, compare
from repoqa.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from repoqa.evaluation.longcontext import Reading, Task
    from repoqa.models.profile import Rope
    from repoqa.protocols import Progress

# Long modules of the standard library: code that is on every machine.
MODULES = ("argparse", "tarfile", "inspect", "turtle", "typing")
LENGTHS = "2k,4k,8k,12k,16k"
Texts: TypeAlias = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE]...",
        help="Long files of code (default: five modules of Python's library).",
        show_default=False,
    ),
]
Lengths: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--lengths",
        metavar="N,N",
        help=f"Tokens read, up to each length (default: {LENGTHS}; with --strategy twice what the "
        "model reads reliably).",
        show_default=False,
    ),
]
Scalings: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--rope",
        metavar="KIND,KIND",
        help="The scalings to compare (default: all).",
        show_default=False,
    ),
]
Strategies: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--strategy",
        metavar="NAME,NAME",
        help="Compare single (one long prompt) and sweep (windows) on planted bugs instead.",
        show_default=False,
    ),
]
Bugs: TypeAlias = Annotated[
    int,
    typer.Option(
        "--bugs", metavar="N", min=1, max=5, help="With --strategy: how many are planted."
    ),
]
Out: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Keep each reading here; a second run goes on from them.",
        show_default=False,
    ),
]


def longcontext(
    texts: Texts = None,
    model: Model = None,
    lengths: Lengths = None,
    rope: Scalings = None,
    strategy: Strategies = None,
    bugs: Bugs = BUGS,
    out: Out = None,
    plot: Plot = None,
) -> None:
    """Measure perplexity and retrieval against the length of what was read.

    Each text is read once with each RoPE scaling, at the factor that the longest length needs.
    Planted functions are asked for by what they return. Nothing but the model is used; it must be
    one that runs on this machine.

    With --strategy, functions with a bug are planted at the start, in the middle and at the end of
    a prompt of each length, among the functions of all texts. The model, wherever it runs, is then
    asked as `repoqa ask` asks it.
    """
    from repoqa.api.job import chosen_profile
    from repoqa.cli.charting import check_charts, show_chart
    from repoqa.evaluation.charts import perplexity_chart
    from repoqa.settings import read_settings
    from repoqa.terminal.longcontext import reading_tables
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress

    check_charts(plot)
    if strategy is not None:
        if rope:
            raise UsageError(
                "--rope compares scalings, --strategy strategies", remedy="Give one of the two."
            )
        asked = Comparison(strategy, bugs, _lengths(lengths) if lengths else None, model)
        compare(asked, list(_texts(texts)), out=out, plot=plot)
        return
    settings = read_settings(environment=os.environ, flags={"model": model})
    profile = chosen_profile(settings)
    output = standard_output()
    with shown_progress(output) as progress:
        task = _task(profile.name, _lengths(lengths or LENGTHS), progress=progress)
        kinds = _kinds(rope)
        readings = list(_readings(_texts(texts), task, kinds, out=out, progress=progress))
    output.write(reading_tables(readings, window=profile.trained_window, chosen=profile.rope))
    show_chart(perplexity_chart(readings), output, plot=plot)


def _task(name: str, lengths: "Sequence[int]", *, progress: "Progress") -> "Task":
    from repoqa.evaluation.longcontext import Task
    from repoqa.models.profile import load_profile
    from repoqa.models.weights import ensure_checkpoint
    from repoqa.settings import profile_directory, read_settings

    profile = load_profile(name, directories=(profile_directory(),))
    if profile.engine != "transformers":
        raise UsageError(
            f"{name} does not run on this machine", remedy="Name a model that does: --model NAME."
        )
    cache = read_settings(environment=os.environ, flags={}).cache_dir
    checkpoint = ensure_checkpoint(profile, cache=cache, progress=progress)
    return Task(profile, checkpoint, tuple(lengths))


def _lengths(text: str) -> list[int]:
    from repoqa.amounts import parse_tokens
    from repoqa.evaluation.longcontext import SCORED

    lengths = sorted({parse_tokens(part, origin="--lengths") for part in text.split(",")})
    steps = [b - a for a, b in zip([0, *lengths], lengths, strict=False)]
    if min(steps) < SCORED:
        raise UsageError(
            f"--lengths: {text} are closer than {SCORED} tokens", remedy=f"Try {LENGTHS}."
        )
    return lengths


def _kinds(text: str | None) -> "list[Rope]":
    from repoqa.models.rope import KINDS, chosen_kind

    named = [chosen_kind(part.strip()) for part in text.split(",")] if text else KINDS
    return [kind for kind in named if kind is not None]


def _texts(files: list[Path] | None) -> "Iterator[tuple[str, str]]":
    from importlib.util import find_spec

    from repoqa.parsing.text import decode

    if not files:
        found = (find_spec(name) for name in MODULES)
        files = [Path(spec.origin) for spec in found if spec is not None and spec.origin]
    for path in files:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UsageError(
                f"{path} cannot be read: {error.strerror}", remedy="Name another file."
            ) from error
        yield path.name, decode(content) or ""


def _readings(
    texts: "Iterator[tuple[str, str]]",
    task: "Task",
    kinds: "Sequence[Rope]",
    *,
    out: Path | None,
    progress: "Progress",
) -> "Iterator[Reading]":
    from itertools import product

    from repoqa.evaluation.longcontext import Reading, measure

    known = {(each.text, each.rope): each for each in kept(out, Reading)}
    for text, kind in product(texts, kinds):
        reading = known.get((text[0], kind))
        if reading is None or set(reading.surprise) != set(task.lengths):
            reading = measure(text, task, kind=kind, progress=progress)
            keep(reading, out)
        yield reading
