"""From the command line to a prepared prompt: what `ask` and `pack` do alike."""

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from repoqa.cli.options import Request
from repoqa.errors import ModelError
from repoqa.repository.snapshot import start_opening

if TYPE_CHECKING:
    from repoqa.api.job import Job, Options
    from repoqa.protocols import Progress
    from repoqa.repository.snapshot import Opening

# Files may have changed while a log was waited for this long: git looks at them again.
LONG_WAIT_SECONDS = 1.0
LINE_FOLLOWS = re.compile(r":\d+$")


@dataclass(frozen=True, slots=True)
class Start:
    """How a command begins. `began` is when, on time.perf_counter's clock; `for_model` is whether
    a model is to read the prompt, which then has to fit it; `strategy` is how it reads it."""

    began: float
    for_model: bool
    strategy: str = "auto"


def prepared(
    request: Request, start: Start, *, note: Callable[[str], None], progress: "Progress"
) -> "Job":
    """Read the settings and the input, open the repository and prepare the prompt."""
    opened = time.perf_counter()
    # Git looks through the repository while this process loads what the question needs.
    opening = _opening(request)
    seconds = time.perf_counter() - opened
    from repoqa.api.job import Asked, Began, chosen_profile, prepare_job
    from repoqa.cli.input import Sources, read_given
    from repoqa.index.places import kept_listings
    from repoqa.models.tokens import tokenizer_for
    from repoqa.settings import read_settings

    options = _options(request)
    # Wrong settings are told before a log is waited for.
    settings = read_settings(environment=os.environ, flags=options.flags)
    profile = chosen_profile(settings)
    # Kept for when it is asked for, unless the repository's own settings name another model.
    with contextlib.suppress(ModelError):
        tokenizer_for(profile, cache=settings.cache_dir)
    stdin = None if request.no_stdin or sys.stdin is None else sys.stdin.buffer
    reading = time.perf_counter()
    has_diff = request.diff or request.diff_range is not None
    given = read_given(Sources(request.question, request.log, stdin, has_diff), note=note)
    # Waiting for whoever writes the log is not our time.
    waited = time.perf_counter() - reading
    began = start.began + waited
    opened = time.perf_counter()
    if waited > LONG_WAIT_SECONDS:
        opening = _opening(request)
    snapshot = opening.finish(kept_at=kept_listings(settings.cache_dir))
    seconds += time.perf_counter() - opened
    for line in snapshot.notes:
        note(line)
    pins = [path_from_root(pin, snapshot.root) for pin in request.path or ()]
    asked = Asked(
        given.question,
        replace(options, log=given.log, paths=pins, strategy=start.strategy),
        for_model=start.for_model,
    )
    return prepare_job(asked, snapshot, began=Began(began, seconds), note=note, progress=progress)


def _opening(request: Request) -> "Opening":
    """The repository that is asked about, which git has begun to look through."""
    start = request.repo or Path()
    return start_opening(start, revision=request.rev, plain=request.repo is not None)


def path_from_root(named: str, root: Path) -> str:
    """A path that the shell completed from where the user stands, as the repository names it.

    A line may follow it; what is no such path (a symbol, a path from the root) stays as it is.
    """
    path, colon, line = named.rpartition(":") if LINE_FOLLOWS.search(named) else (named, "", "")
    here = Path(os.path.normpath(Path.cwd() / path))
    inside = root.resolve()
    if not here.is_file() or not here.is_relative_to(inside):
        return named
    return f"{here.relative_to(inside).as_posix()}{colon}{line}"


def _options(request: Request) -> "Options":
    from repoqa.api.job import Options

    return Options(
        model=request.model,
        budget=request.budget,
        rope=request.rope,
        rope_factor=request.rope_factor,
        include=request.include or (),
        exclude=request.exclude or (),
        diff=request.diff,
        diff_range=request.diff_range,
        redact=not request.no_redact,
        follow_up=request.follow_up,
    )
