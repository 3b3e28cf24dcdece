"""From a question about a repository to a prepared prompt, and to the model that reads it.

This is the one path of `repoqa ask`, of `repoqa pack` and of the Python interface. It reads the
settings and the environment; neither standard input nor the current folder is used here.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from repoqa.amounts import parse_tokens
from repoqa.api.strategy import Strategy, check_budget, chosen_strategy, wanted_strategy
from repoqa.diagnosis.prepare import Preparation, Setup, prepare
from repoqa.errors import UsageError
from repoqa.evidence import question as evidence
from repoqa.index.index import Index
from repoqa.models.open import open_model
from repoqa.models.profile import Endpoint, Profile, load_profile
from repoqa.models.rope import chosen_kind
from repoqa.models.tokens import tokenizer_for
from repoqa.protocols import Model, Progress
from repoqa.records import Snapshot
from repoqa.repository.diff import range_diff, working_tree_diff
from repoqa.repository.narrow import narrow, without_ignored
from repoqa.repository.snapshot import read_file
from repoqa.settings import (
    REPOSITORY_FILE,
    Settings,
    log_directory,
    profile_directory,
    read_settings,
)

# As many files are named on standard error for one reason; `pack --json` lists them all.
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Options:
    """How to ask; what is left out stays as the settings and the model's profile have it.

    `model` names a profile. `budget` is the longest prompt, in tokens: 13000 or "13k". `strategy`
    is how more than the model reads reliably is read: `single` (at once), `sweep` (in windows), or
    `auto`, which sweeps where there is that much. `rope` and
    `rope_factor` say how positions are scaled past the window a model was trained on. `include`
    and `exclude` are globs that choose the files to read. `paths` are files, symbols and lines
    (`path`, `path:12`, `Class.method`) that are shown for certain. `log` is the text of a log, a
    traceback for example. `diff` adds what the working tree changed, `diff_range` what a range of
    commits did (`A..B`). `redact` keeps secrets out of the prompt. `follow_up` continues the last
    question that the command line asked about the repository.
    """

    model: str | None = None
    budget: int | str | None = None
    strategy: str = "auto"
    rope: str | None = None
    rope_factor: float | None = None
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    paths: Sequence[str] = ()
    log: str = ""
    diff: bool = False
    diff_range: str | None = None
    redact: bool = True
    follow_up: bool = False

    @property
    def has_diff(self) -> bool:
        """Whether a diff belongs to the question, or is one by itself."""
        return self.diff or self.diff_range is not None

    @property
    def scaling(self) -> dict[str, object]:
        """What they say of the positions past the trained window."""
        return {"rope": self.rope, "rope_factor": self.rope_factor}

    @property
    def flags(self) -> dict[str, object]:
        """What they say of the settings. Raises UsageError for a budget that is no number."""
        budget = None if self.budget is None else parse_tokens(self.budget, origin="--budget")
        return {"model": self.model, "budget": budget, **self.scaling}


def unheard(text: str) -> None:
    """What the user could be told is not said."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and how it is asked. `for_model`: a model is to read the prompt, which then has
    to fit it."""

    question: str
    options: Options
    for_model: bool


@dataclass(frozen=True, slots=True)
class Began:
    """When the work for a question began, on time.perf_counter's clock, and how many seconds of it
    opening the repository took."""

    at: float
    opening: float = 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """A question with everything found that answering it needs."""

    settings: Settings
    profile: Profile
    preparation: Preparation
    strategy: Strategy = "single"


def prepare_job(
    asked: Asked,
    snapshot: Snapshot,
    *,
    began: Began,
    note: Callable[[str], None],
    progress: Progress,
) -> Job:
    """Read the settings and prepare the prompt; `note` is told what the user should know."""
    options = asked.options
    is_asked = bool(asked.question.strip() or options.log.strip())
    if not is_asked and not options.has_diff:
        raise UsageError("there is no question", remedy="Ask one, or give a log or a diff.")
    settings = read_settings(
        environment=os.environ,
        flags=options.flags,
        repository_file=read_file(snapshot, REPOSITORY_FILE),
    )
    profile = chosen_profile(settings)
    setup = Setup(
        profile=profile,
        tokenizer=tokenizer_for(profile, cache=settings.cache_dir),
        budget=settings.budget or profile.reliable_window,
        cache=settings.cache_dir,
        redact=options.redact,
        cache_limit=settings.cache_limit,
    )
    wanted = wanted_strategy(options.strategy)
    check_budget(setup.budget, profile, wanted=wanted if asked.for_model else None, note=note)
    diff = _diff(options, snapshot.root, note=note)
    if not is_asked and not diff:
        raise UsageError("there is no question", remedy="Ask one, or give a log or another diff.")
    question = evidence.read(asked.question, log=options.log, diff=diff, pins=options.paths)
    kept = None
    if options.follow_up:
        from repoqa.diagnosis.follow_up import following, what_is_new
        from repoqa.diagnosis.kept import last

        kept = last(snapshot.root, kept_answers())
        question = following(question, kept)
        if options.budget is None:
            setup = replace(setup, again=kept.again(setup.budget, maximum=profile.maximum))
    files = narrow(
        without_ignored(snapshot, settings.ignore),
        include=options.include,
        exclude=options.exclude,
    )
    started = time.perf_counter() - began.at - began.opening
    earlier = {"start": started, "snapshot": began.opening}
    preparation = prepare(question, files, setup, progress=progress, earlier=earlier)
    for line in difficulties(preparation.index):
        note(line)
    if preparation.redacted:
        note(redactions(preparation.redacted))
    if kept:
        note(what_is_new(preparation, kept))
    return Job(settings, profile, preparation, chosen_strategy(wanted, preparation))


def kept_answers() -> Path:
    """The folder of the answers that can be followed up."""
    return log_directory() / "answers"


def opened_model(job: Job, *, progress: Progress, note: Callable[[str], None] = unheard) -> Model:
    """The model that answers; its weights are fetched where they are not here yet. `note` is told
    how it is run, before its weights are loaded."""
    settings, profile = job.settings, job.profile
    endpoint = Endpoint(settings.server_url or profile.url, settings.server_model, settings.api_key)
    return open_model(
        profile,
        cache=settings.cache_dir,
        progress=progress,
        endpoint=endpoint,
        note=note,
        # Of many windows, each would take the place of the one before.
        prefix_cache=settings.prefix_cache if job.strategy == "single" else 0,
    )


def chosen_profile(settings: Settings) -> Profile:
    """The model's profile, with what the settings say in place of its own."""
    profile = load_profile(settings.model, directories=(profile_directory(),))
    return replace(
        profile,
        answer=settings.answer or profile.answer,
        rope=chosen_kind(settings.rope) or profile.rope,
        rope_factor=settings.rope_factor or profile.rope_factor,
    )


def difficulties(index: Index) -> Iterator[str]:
    """What went wrong while indexing, each thing on a line: the files that the parser gave up on
    now, those of one reason together, and why nothing could be cached."""
    paths_of: dict[str, list[str]] = {}
    for file in index.failed:
        paths_of.setdefault(file.why, []).append(file.path)
    for why, paths in sorted(paths_of.items()):
        more = f" and {len(paths) - MOST_NAMED:,} more" if len(paths) > MOST_NAMED else ""
        yield f"{', '.join(paths[:MOST_NAMED])}{more}: {why}"
    if index.cache_problem:
        yield f"{index.cache_problem}; the next question indexes again"


def redactions(count: int) -> str:
    """`2 secrets are redacted in the prompt (--no-redact leaves them in)`."""
    secrets = "1 secret is" if count == 1 else f"{count:,} secrets are"
    return f"{secrets} redacted in the prompt (--no-redact leaves them in)"


def _diff(options: Options, root: Path, *, note: Callable[[str], None]) -> str:
    if options.diff_range is None and not options.diff:
        return ""
    if options.diff_range is None:
        diff = working_tree_diff(root)
    elif not options.diff:
        diff = range_diff(root, options.diff_range)
    else:
        raise UsageError(
            "--diff and --diff-range each name a diff", remedy="Leave out one of the two."
        )
    if not diff:
        note("the diff is empty: " + (options.diff_range or "nothing is changed since HEAD"))
    return diff
