"""`repoqa tune run` and `repoqa tune eval`: the training, and what it gained."""

import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import typer

from repoqa.cli.options import AsJson, Model
from repoqa.cli.tune_options import (
    Adapter,
    Alpha,
    Batch,
    Epochs,
    Examples,
    Length,
    Limit,
    NewProfile,
    Out,
    Rank,
    Rate,
    Resume,
    SaveEvery,
    Seed,
    Steps,
)
from repoqa.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from repoqa.tuning.folder import Data
    from repoqa.tuning.recipe import Recipe
    from repoqa.tuning.state import Position

PICTURE = "loss.png"


def run(
    data: Examples,
    model: Model = None,
    out: Out = None,
    rank: Rank = None,
    alpha: Alpha = None,
    epochs: Epochs = None,
    rate: Rate = None,
    length: Length = None,
    batch: Batch = None,
    seed: Seed = None,
    steps: Steps = None,
    save_every: SaveEvery = 20,
    resume: Resume = False,
    profile: NewProfile = None,
) -> None:
    """Train a LoRA adapter on examples, on the GPU or the CPU that is here.

    The model must be one that runs on this machine. The run is saved on the way; Ctrl-C saves it
    too, and --resume goes on with the settings that it began with. On a CPU the same examples and
    settings give the same adapter.
    """
    from repoqa.api.tune import began, model_name
    from repoqa.models.adapter import require_library
    from repoqa.settings import profile_directory
    from repoqa.tuning import folder
    from repoqa.tuning.as_profile import refuse_taken

    given = {
        "model": model,
        "rank": rank,
        "alpha": alpha,
        "epochs": epochs,
        "rate": rate,
        "length": length,
        "batch": batch,
        "seed": seed,
        "steps": steps,
    }
    require_library()
    if profile is not None:
        refuse_taken(profile, profile_directory())
    examples = folder.read(data)
    target = out or data / model_name(model)
    recipe, position = began(examples, target, resume=resume, given=given)
    _train(_Wanted(data, examples, target, save_every, profile), recipe, position)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is asked of a run besides its recipe."""

    data: Path
    examples: "Data"
    target: Path
    save_every: int
    profile: str | None


def eval_(data: Examples, adapter: Adapter, limit: Limit = 50, as_json: AsJson = False) -> None:
    """Measure an adapter on the held-out examples: before it and with it.

    Perplexity is that of what the model is to say. A gap counts as filled where the likeliest text
    is the one that was taken out.
    """
    from repoqa.api.tune import base_model, card_of
    from repoqa.formats import json
    from repoqa.formats.tune import compared_report
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress
    from repoqa.terminal.tune import compared_table
    from repoqa.tuning import folder
    from repoqa.tuning.measure import Held, measured

    examples = folder.read(data)
    output = standard_output()
    with shown_progress(output) as progress:
        card = card_of(adapter)
        base = base_model(card.recipe.model, progress=progress)
        compared = measured(
            base,
            adapter,
            examples.held_out,
            task=Held(card.recipe.length, limit),
            note=output.note,
            progress=progress,
        )
    if as_json:
        output.write_bytes(json.encode(compared_report(compared, card.base)))
    else:
        output.write(compared_table(compared))


def _train(wanted: _Wanted, recipe: "Recipe", position: "Position | None") -> None:
    from repoqa.api.tune import base_model
    from repoqa.models.memory import gib, most_taken
    from repoqa.settings import profile_directory
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress
    from repoqa.tuning.as_profile import profile_text, write_profile
    from repoqa.tuning.run import Task, encoded_examples, form_of, tune

    output, target = standard_output(), wanted.target
    with shown_progress(output) as progress, interruptions(output.note) as is_stopped:
        base = base_model(recipe.model, progress=progress)
        form = form_of(base, recipe.length)
        encoded = encoded_examples(wanted.examples.train, form, note=output.note)
        task = Task(base, recipe, encoded, target, wanted.save_every)
        end = tune(task, position, is_stopped=is_stopped, note=output.note, progress=progress)
    _show_loss(end.losses, f"{recipe.model} on {wanted.examples.about.repo}", wanted)
    output.note(f"at most {gib(most_taken())} of memory were taken")
    if len(end.losses) < task.steps:
        command = f"repoqa tune run {_quoted(wanted.data)} --out {_quoted(target)} --resume"
        command += f" --profile {wanted.profile}" if wanted.profile else ""
        output.note(f"stopped after step {len(end.losses):,} of {task.steps:,}; go on: {command}")
        raise typer.Exit(ExitCode.INTERRUPTED)
    output.write(f"{target}\n")
    text = profile_text(recipe.model, target, repo=wanted.examples.about.repo)
    if wanted.profile is None:
        place = profile_directory() / "NAME.toml"
        output.note(f"it becomes a model of its own by {place} with\n{text.rstrip()}")
        return
    write_profile(wanted.profile, text, profile_directory())
    output.note(f'ask it: repoqa ask --model {wanted.profile} "…"')


def _show_loss(losses: "Sequence[float]", title: str, wanted: _Wanted) -> None:
    """As a line, as a chart on a terminal, and as a picture beside the adapter."""
    from repoqa.cli.charting import show_chart
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.tune import loss_line
    from repoqa.tuning.charts import loss_chart

    output = standard_output()
    output.write(loss_line(losses))
    plot = wanted.target / PICTURE if find_spec("matplotlib") else None
    show_chart(loss_chart(losses, title=title), output, plot=plot)


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


@contextmanager
def interruptions(note: "Callable[[str], None]") -> "Iterator[Callable[[], bool]]":
    """Whether Ctrl-C was pressed: the first lets the step end, the second ends at once."""
    pressed = False

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, before)
        note("stopping after this step; Ctrl-C again stops at once, back at the last saved step")

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)
