"""From the command line to a review that is shown."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from repoqa.api.job import redactions
from repoqa.api.review import (
    ReviewJob,
    ReviewOptions,
    dismissals,
    find,
    opened_repository,
    prepare_review,
)
from repoqa.cli.input import FROM_STDIN, is_piped, read_piped
from repoqa.errors import ExitCode, JobError, RepoqaError, UsageError
from repoqa.formats import json, sarif
from repoqa.formats.review import review_report
from repoqa.protocols import Progress
from repoqa.repository.plumbing import Git
from repoqa.review.chosen import Wanted, choose
from repoqa.review.report import Review, Severity
from repoqa.review.review import is_blocking
from repoqa.settings import log_directory
from repoqa.terminal.output import Output, standard_output
from repoqa.terminal.progress import shown_progress
from repoqa.terminal.review import finding_lines, impact_lines, skipped_lines

Form = Literal["text", "json", "sarif"]


@dataclass(frozen=True, slots=True)
class Request:
    """What to review, and how to show it."""

    range: str | None
    repo: Path | None
    staged: bool
    worktree: bool
    reads_stdin: bool
    form: Form
    block_on: Severity | None


def run_review(request: Request, options: ReviewOptions) -> int:
    """Review and show it; the exit code says whether something blocks."""
    output = standard_output()
    git = opened_repository(request.repo or Path())
    with shown_progress(output) as progress:
        chosen = choose(git, _wanted(request, output))
        job = prepare_review(chosen, options, note=output.note, progress=progress)
        show_impact(job.reached.review(), request.form, output)
        review, failure = _findings(job, git, progress)
    show_rest(review, request.form, output)
    if failure is not None:
        raise failure
    blocks = request.block_on is not None and is_blocking(review, request.block_on)
    return ExitCode.BLOCKED if blocks else ExitCode.FINE


def dismiss(id_: str, repo: Path | None) -> int:
    """Keep a finding away for good."""
    output = standard_output()
    try:
        said = dismissals(opened_repository(repo or Path())).dismiss(id_)
    except OSError as error:
        raise JobError(
            f"the dismissal cannot be kept: {error.strerror or error}",
            remedy=f"See that {log_directory()} can be written.",
        ) from error
    output.note(f"dismissed: {said}")
    return ExitCode.FINE


def show_impact(review: Review, form: Form, output: Output) -> None:
    """What is known before a model is asked."""
    if form == "text":
        output.styled(impact_lines(review))


def show_rest(review: Review, form: Form, output: Output) -> None:
    """The findings, or all of it for another program."""
    if form == "json":
        output.write_bytes(json.encode(review_report(review)))
    elif form == "sarif":
        output.write_bytes(json.encode(sarif.review_sarif(review)))
    else:
        output.styled(finding_lines(review))
        output.styled(skipped_lines(review))
    if review.redacted:
        output.note(redactions(review.redacted))


def _findings(job: ReviewJob, git: Git, progress: Progress) -> tuple[Review, RepoqaError | None]:
    """The review, and what kept the model from its part."""
    try:
        return find(job, git, progress=progress), None
    except RepoqaError as error:
        problem = f"the model gave no findings: {error.message}"
        return replace(job.reached.review(), problem=problem), error


def _wanted(request: Request, output: Output) -> Wanted:
    """What to review; a patch that is piped in counts where nothing else is said."""
    range_ = None if request.range == FROM_STDIN else request.range
    said = range_ is not None or request.staged or request.worktree
    stdin = sys.stdin.buffer if sys.stdin is not None and request.reads_stdin else None
    patch = ""
    if request.range == FROM_STDIN and stdin is None:
        raise UsageError(
            "- reads a patch from standard input, which --no-stdin forbids",
            remedy="Leave out one of the two.",
        )
    if stdin is not None and (request.range == FROM_STDIN or (not said and is_piped(stdin))):
        patch = read_piped(stdin, note=output.note)
    if request.range == FROM_STDIN and not patch.strip():
        raise UsageError("standard input holds no patch", remedy="Pipe one in: git diff | …")
    return Wanted(range_, request.staged, request.worktree, patch if patch.strip() else "")
