"""From the command line to a prepared prompt: what `ask` and `pack` do alike."""

import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from repoqa.cli.input import Sources, read_given
from repoqa.diagnosis.prepare import Preparation, Setup, prepare
from repoqa.errors import BudgetError, UsageError
from repoqa.evidence import question as evidence
from repoqa.models.profile import Profile, load_profile
from repoqa.models.tokens import tokenizer_for
from repoqa.protocols import Progress
from repoqa.records import Snapshot
from repoqa.repository.diff import range_diff, working_tree_diff
from repoqa.repository.ignore import IgnoreRules
from repoqa.repository.narrow import narrow
from repoqa.repository.snapshot import open_snapshot
from repoqa.settings import (
    REPOSITORY_FILE,
    Settings,
    parse_tokens,
    profile_directory,
    read_settings,
)

LINE_FOLLOWS = re.compile(r":\d+$")


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for; None is what it did not say."""

    question: str | None
    repo: Path | None
    rev: str | None
    model: str | None
    budget: str | None
    log: Path | None
    no_stdin: bool
    for_model: bool
    """Whether a model is to read the prompt, which then has to fit it."""
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    pins: Sequence[str] = ()
    diff: bool = False
    diff_range: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A request with everything found that answering it needs."""

    settings: Settings
    profile: Profile
    preparation: Preparation


def prepared(
    request: Request, *, began: float, note: Callable[[str], None], progress: Progress
) -> Job:
    """Read the settings and the input, open the repository and prepare the prompt.

    `began` is when the command started, on time.perf_counter's clock.
    """
    flags = {"model": request.model, "budget": _budget(request.budget)}
    profile = chosen_profile(read_settings(environment=os.environ, flags=flags))
    stdin = None if request.no_stdin or sys.stdin is None else sys.stdin.buffer
    reading = time.perf_counter()
    given = read_given(Sources(request.question, request.log, stdin), note=note)
    began += time.perf_counter() - reading  # waiting for whoever writes the log is not our time
    opening = time.perf_counter()
    snapshot = open_snapshot(
        request.repo or Path.cwd(), revision=request.rev, plain=request.repo is not None
    )
    opened = time.perf_counter() - opening
    for line in snapshot.notes:
        note(line)
    settings = read_settings(
        environment=os.environ, flags=flags, repository_file=_repository_file(snapshot)
    )
    setup = _setup(settings, profile)
    check_budget(setup.budget, profile, for_model=request.for_model, note=note)
    diff = _diff(request, snapshot.root, note=note)
    pins = [path_from_root(pin, snapshot.root) for pin in request.pins]
    started = time.perf_counter() - began - opened
    preparation = prepare(
        evidence.read(given.question, log=given.log, diff=diff, pins=pins),
        narrow(
            _without_ignored(snapshot, settings.ignore),
            include=request.include,
            exclude=request.exclude,
        ),
        setup,
        progress=progress,
        earlier={"start": started, "snapshot": opened},
    )
    return Job(settings, profile, preparation)


def chosen_profile(settings: Settings) -> Profile:
    """The model's profile, with what the settings say in place of its own."""
    profile = load_profile(settings.model, directories=(profile_directory(),))
    return replace(profile, answer=settings.answer or profile.answer)


def check_budget(
    budget: int, profile: Profile, *, for_model: bool, note: Callable[[str], None]
) -> None:
    """Say that a budget is longer than the model reads reliably, or at all.

    Raises BudgetError for the latter where the prompt is for the model.
    """
    if budget > profile.maximum:
        problem = (
            f"a budget of {budget:,} tokens is more than the {profile.maximum:,} "
            f"that {profile.name} reads"
        )
        if for_model:
            raise BudgetError(problem, remedy="Give a smaller --budget, or another --model.")
        note(problem)
    elif budget > profile.reliable_window:
        note(
            f"{profile.name} reads {profile.reliable_window:,} tokens reliably; of these "
            f"{budget:,}, the last ones hold the best code"
        )


def _diff(request: Request, root: Path, *, note: Callable[[str], None]) -> str:
    if request.diff_range is None and not request.diff:
        return ""
    if request.diff_range is None:
        diff = working_tree_diff(root)
    elif not request.diff:
        diff = range_diff(root, request.diff_range)
    else:
        raise UsageError(
            "--diff and --diff-range each name a diff", remedy="Leave out one of the two."
        )
    if not diff:
        note("the diff is empty: " + (request.diff_range or "nothing is changed since HEAD"))
    return diff


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


def _setup(settings: Settings, profile: Profile) -> Setup:
    return Setup(
        profile=profile,
        tokenizer=tokenizer_for(profile, cache=settings.cache_dir),
        budget=settings.budget or profile.reliable_window,
        cache=settings.cache_dir,
    )


def _budget(text: str | None) -> int | None:
    return None if text is None else parse_tokens(text, origin="--budget")


def _repository_file(snapshot: Snapshot) -> bytes | None:
    wanted = [entry for entry in snapshot.files if entry.path == REPOSITORY_FILE]
    return next((content for _, content in snapshot.source.read(wanted)), None)


def _without_ignored(snapshot: Snapshot, patterns: tuple[str, ...]) -> Snapshot:
    if not patterns:
        return snapshot
    rules = IgnoreRules({"": [os.fsencode(pattern) for pattern in patterns]})
    kept = tuple(entry for entry in snapshot.files if not rules.ignores(entry.path))
    return replace(snapshot, files=kept)
