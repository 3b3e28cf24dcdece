"""How well models write code, measured: the place where the suites get their models."""

import os
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from repoqa.api.job import chosen_profile, unheard
from repoqa.errors import UsageError
from repoqa.evaluation.code.measure import Ask, Sample
from repoqa.evaluation.code.programs import prompt_for
from repoqa.evaluation.code.tasks import Task
from repoqa.infill.fill import Reader, ends_of, prepare
from repoqa.infill.lines import Masked, masked_lines, text_written
from repoqa.infill.place import Text, read_text
from repoqa.models.dataset import fetched_file, is_dataset_file
from repoqa.models.local import LocalModel
from repoqa.models.open import open_local, open_model
from repoqa.models.profile import Endpoint, Profile
from repoqa.models.tokens import tokenizer_for
from repoqa.protocols import Progress, Silent
from repoqa.settings import Settings, read_settings

INFILL = "infill"
NOT_EXACT = "another line"
# Of the probable tokens when sampling, as Code Llama's paper has it (arXiv 2308.12950, section 3).
SAMPLED_TOP_P = 0.95


@dataclass(frozen=True, slots=True)
class CodeOptions:
    """How models are asked. `answer` is the most tokens of an answer, None as the profile has it;
    `temperature` 0 takes the likeliest ones."""

    samples: int = 1
    temperature: float = 0.0
    answer: str | None = None


def profile_for(model: str | None, options: CodeOptions) -> tuple[Settings, Profile]:
    """The settings, and a model's profile as it is asked here: greedy or at the temperature, and
    without the penalty that keeps prose from repeating itself."""
    flags = {"model": model, "answer": options.answer}
    settings = read_settings(environment=os.environ, flags=flags)
    return settings, replace(
        chosen_profile(settings),
        temperature=options.temperature,
        top_p=SAMPLED_TOP_P if options.temperature else 1.0,
        repetition_penalty=1.0,
    )


def asker(
    settings: Settings,
    profile: Profile,
    *,
    progress: Progress,
    note: Callable[[str], None] = unheard,
) -> Ask:
    """What asks the profile's model for a task; its weights are fetched where they are not here.

    Several threads may ask; a model on this machine answers them one after the other. Raises what
    opening a model raises.
    """
    endpoint = Endpoint(settings.server_url or profile.url, settings.server_model, settings.api_key)
    model = open_model(
        profile, cache=settings.cache_dir, progress=progress, endpoint=endpoint, note=note
    )
    tokenizer = tokenizer_for(profile, cache=settings.cache_dir)
    turn = nullcontext() if profile.engine == "server" else threading.Lock()

    def ask(task: Task, number: int) -> Iterator[str]:
        prompt = prompt_for(task, profile, tokenizer)
        with turn:
            if isinstance(model, LocalModel):
                model.seed = number
            yield from model.stream(prompt, progress=Silent())

    return ask


def tasks_file(named: str | None) -> Path | None:
    """Where the tasks that the user named are; those of a data set are fetched, once.

    Raises UsageError and JobError for what cannot be had.
    """
    if named is None or not is_dataset_file(named):
        return Path(named) if named is not None else None
    return fetched_file(named)


def lines_of(files: Sequence[Path], *, most: int | None) -> list[Masked]:
    """The lines to mask in files of code. Raises UsageError for files that are none."""
    found = masked_lines([_text(path) for path in files], most=most)
    if not found:
        raise UsageError("there is no line of code to mask", remedy="Name files of source code.")
    return found


def fill_lines(
    masked: Sequence[Masked],
    settings: Settings,
    profile: Profile,
    *,
    progress: Progress,
    note: Callable[[str], None] = unheard,
) -> Iterator[Sample]:
    """A sample for each masked line, which has passed where it came out exactly, blanks at its end
    apart. Raises UsageError for a model that does not run here, and what the model raises."""
    model = open_local(profile, cache=settings.cache_dir, progress=progress, note=note)
    budget = settings.budget or profile.reliable_window
    reader = Reader(profile, model.codec, budget)
    for each in masked:
        prepared = prepare(each.site, each.site.file.path, None, reader=reader)
        ends = ends_of(profile, model.codec)
        stream = model.continued(prepared.ids, ends=ends, progress=Silent())
        with closing(cast("Generator[str, None, None]", stream)) as pieces:
            text = text_written(pieces, trained=reader.is_trained)
        reason = "" if text.rstrip() == each.line.rstrip() else NOT_EXACT
        temperature = profile.temperature
        yield Sample(INFILL, profile.name, each.name, 0, temperature, reason, text)


def _text(path: Path) -> Text:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", remedy="Name another file."
        ) from error
    return read_text(path.as_posix(), content)
