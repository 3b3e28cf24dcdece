"""From a change to its review: the one path of `repoqa review` and of the hook."""

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from repoqa import __version__
from repoqa.amounts import parse_tokens
from repoqa.api.job import chosen_profile
from repoqa.diagnosis.prepare import Setup
from repoqa.errors import RepositoryError
from repoqa.index.store import Store
from repoqa.models.adapter import adapter_fingerprint
from repoqa.models.open import open_model
from repoqa.models.profile import Endpoint, Profile
from repoqa.models.tokens import tokenizer_for
from repoqa.protocols import Model, Progress
from repoqa.repository.narrow import narrow
from repoqa.repository.plumbing import Git, open_git
from repoqa.repository.snapshot import read_file
from repoqa.review.ask import Answers, prompts_for
from repoqa.review.chosen import Chosen
from repoqa.review.claims import claims
from repoqa.review.dismissed import Dismissals
from repoqa.review.findings import Ground, findings
from repoqa.review.report import Review
from repoqa.review.review import Reached, reach
from repoqa.settings import (
    DEFAULT_MODEL,
    REPOSITORY_FILE,
    Settings,
    log_directory,
    read_settings,
)

NO_MODEL = (
    f"impact alone: {DEFAULT_MODEL}, the model that is set, is too small to review code; name one "
    "that can, as in --model server, or say --no-model"
)


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    """How to review; what is left out stays as the settings have it.

    `use_model` False asks no model. `most_findings` is how many of its findings are kept.
    """

    model: str | None = None
    budget: int | str | None = None
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    redact: bool = True
    use_model: bool = True
    most_findings: int = 3

    @property
    def flags(self) -> Mapping[str, object]:
        """What they say of the settings."""
        budget = None if self.budget is None else parse_tokens(self.budget, origin="--budget")
        return {"model": self.model, "budget": budget}


@dataclass(frozen=True, slots=True)
class ReviewJob:
    """A change with what it reaches, and the model that is to be asked, None for none."""

    settings: Settings
    profile: Profile | None
    options: ReviewOptions
    reached: Reached


def opened_repository(start: Path) -> Git:
    """The repository at a folder or above it. Raises RepositoryError."""
    git = open_git(start)
    if git is None:
        raise RepositoryError(
            f"no git repository at or above {start.resolve()}, so nothing to review",
            remedy="cd into a repository, or name one: --repo DIR",
        )
    return git


def prepare_review(
    chosen: Chosen,
    options: ReviewOptions,
    *,
    note: Callable[[str], None],
    progress: Progress,
) -> ReviewJob:
    """Read the settings and find what the change reaches; no model is loaded yet."""
    snapshot = chosen.compared.snapshot
    settings = read_settings(
        environment=os.environ,
        flags=options.flags,
        repository_file=read_file(snapshot, REPOSITORY_FILE),
    )
    narrowed = narrow(
        snapshot, include=options.include, exclude=(*options.exclude, *settings.ignore)
    )
    chosen = replace(chosen, compared=replace(chosen.compared, snapshot=narrowed))
    profile = _model(settings, options, note=note)
    reached = reach(chosen, Store(settings.cache_dir / "index"), progress=progress)
    return ReviewJob(settings, profile, options, reached)


def find(job: ReviewJob, git: Git, *, progress: Progress) -> Review:
    """The review with the model's findings; its weights are fetched where they are not here yet.

    Raises ModelError, ServerError and UsageError: then the review without a model still holds.
    """
    review, profile = job.reached.review(), job.profile
    if profile is None or not job.reached.chosen.compared.patches:
        return review
    began = time.perf_counter()
    setup = Setup(
        profile=profile,
        tokenizer=tokenizer_for(profile, cache=job.settings.cache_dir),
        budget=job.settings.budget or profile.reliable_window,
        cache=job.settings.cache_dir,
        redact=job.options.redact,
    )
    asking = prompts_for(job.reached, setup, most=job.options.most_findings)
    text = "\n".join(_answers(job, profile, progress=progress).to(asking, progress=progress))
    reached = job.reached
    found, dropped = findings(
        claims(text),
        Ground(reached.chosen.compared.patches, reached.impact, reached.index),
        dismissed=dismissals(git).ids,
        most=job.options.most_findings,
    )
    with contextlib.suppress(OSError):  # then they cannot be dismissed
        dismissals(git).see(found)
    return replace(
        review,
        findings=found,
        dropped=dropped,
        not_reviewed=tuple(sorted({*review.not_reviewed, *asking.not_reviewed})),
        model=profile.name,
        redacted=asking.redacted,
        seconds={**review.seconds, "model": time.perf_counter() - began},
    )


def dismissals(git: Git) -> Dismissals:
    """What the user dismissed in a repository."""
    return Dismissals(log_directory() / "dismissed", git.common_dir)


def _answers(job: ReviewJob, profile: Profile, *, progress: Progress) -> Answers:
    settings = job.settings
    endpoint = Endpoint(settings.server_url or profile.url, settings.server_model, settings.api_key)

    def opened() -> Model:
        return open_model(profile, cache=settings.cache_dir, progress=progress, endpoint=endpoint)

    tuned = adapter_fingerprint(profile)
    asker = f"{__version__}\0{profile!r}\0{tuned}\0{endpoint.url}\0{endpoint.model}"
    return Answers(settings.cache_dir / "reviews", asker, opened)


def _model(
    settings: Settings, options: ReviewOptions, *, note: Callable[[str], None]
) -> Profile | None:
    """The profile of the model to ask; the default one, which nobody chose, is not worth it."""
    if not options.use_model:
        return None
    if settings.model == DEFAULT_MODEL and options.model is None:
        note(NO_MODEL)
        return None
    return chosen_profile(settings)
