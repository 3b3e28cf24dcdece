"""A run from the examples to the adapter, saved on the way so that it can go on."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from repoqa.errors import UsageError
from repoqa.models.checkpoint import read_config
from repoqa.models.device import choose_device, place_of
from repoqa.models.memory import parameters
from repoqa.models.profile import Profile
from repoqa.models.tokens import codec_of
from repoqa.models.weights import weight_files
from repoqa.protocols import Progress
from repoqa.tuning.encode import Encoded, Form, encoded, shortened
from repoqa.tuning.examples import Example
from repoqa.tuning.need import refuse_too_large
from repoqa.tuning.recipe import Recipe, step_count
from repoqa.tuning.state import Position, Run, finish, restore, save_unfinished
from repoqa.tuning.train import adapted, optimizer_of, train


@dataclass(frozen=True, slots=True)
class Base:
    """The model that is tuned, and where its weights are."""

    profile: Profile
    checkpoint: Path


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be trained, in which folder the adapter will be, and after how many steps each the
    run is saved."""

    base: Base
    recipe: Recipe
    examples: tuple[Encoded, ...]
    folder: Path
    save_every: int

    @property
    def steps(self) -> int:
        """How many steps there are in all."""
        return step_count(self.recipe, len(self.examples))


def form_of(base: Base, length: int) -> Form:
    """The form in which examples are put to the model. Raises UsageError for a length over the
    window that it was trained on."""
    config = read_config(base.profile, base.checkpoint)
    window = config.trained(base.profile.trained_window).window
    if window and length > window:
        raise UsageError(
            f"--length: {base.profile.name} was trained on {window:,} tokens at most",
            remedy=f"Train with --length {window} or less.",
        )
    codec = codec_of(base.checkpoint, name=base.profile.name)
    return Form(base.profile, codec, length, config.ends)


def encoded_examples(
    examples: tuple[Example, ...], form: Form, *, note: Callable[[str], None]
) -> tuple[Encoded, ...]:
    """The examples as tokens; `note` is told what was shortened and what does not fit.

    Raises UsageError where none fits.
    """
    left_out: Counter[str] = Counter()
    found = tuple(encoded(examples, form, left_out=left_out))
    told = [f"{count:,} {why}" for why, count in sorted(left_out.items())]
    if cut := shortened(found):
        told.append(f"{cut:,} show less code than they could")
    if told:
        note(f"{len(found):,} of {len(examples):,} examples: {', '.join(told)}")
    if not found:
        raise UsageError(
            f"no example fits in {form.length:,} tokens", remedy="Give a larger --length."
        )
    return found


def tune(
    task: Task,
    position: Position | None,
    *,
    is_stopped: Callable[[], bool],
    note: Callable[[str], None],
    progress: Progress,
) -> Position:
    """Train, from `position` on where there is one, and return where the run is then.

    Where all steps are taken, the folder has the adapter; else `is_stopped` said to stop after a
    step, and the folder has the run. Raises ModelError.
    """
    config = read_config(task.base.profile, task.base.checkpoint)
    device = choose_device(stored=config.stored, wanted=task.base.profile.dtype)
    numbers = parameters(weight_files(task.base.checkpoint))
    note(refuse_too_large(config, numbers, task.recipe, place=place_of(device)))
    progress.start(f"Loading {task.recipe.model}")
    model = adapted(task.base.profile, task.base.checkpoint, task.recipe, device=device)
    progress.finish()
    run = Run(task.folder, model, optimizer_of(model))
    if position is not None:
        restore(run, position)
    losses = list(position.losses if position else ())
    progress.start("Training", total=task.steps, unit="steps")
    progress.advance(len(losses))
    steps = train(model, run.optimizer, task.examples, recipe=task.recipe, done=len(losses))
    for loss in steps:
        losses.append(loss)
        progress.advance()
        position = Position(task.recipe, tuple(losses))
        stopped = is_stopped()
        if stopped or len(losses) % task.save_every == 0:
            save_unfinished(run, position)
        if stopped and len(losses) < task.steps:
            break
    progress.finish()
    position = position or Position(task.recipe, ())
    if len(position.losses) == task.steps:
        finish(run, position, checkpoint=task.base.checkpoint)
    return position
