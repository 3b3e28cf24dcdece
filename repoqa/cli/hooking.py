"""What the commands of `repoqa hook` do. Whatever goes wrong in a review, the push goes on."""

import os
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from repoqa.api.review import ReviewOptions, find, opened_repository, prepare_review
from repoqa.cli.deadline import OutOfTime, deadline
from repoqa.cli.failure import write_log
from repoqa.cli.input import is_piped
from repoqa.errors import ExitCode, RepoqaError
from repoqa.repository.hooks import hook_folder
from repoqa.repository.plumbing import Git, open_git
from repoqa.review import hook
from repoqa.review.chosen import between
from repoqa.review.hook_settings import HookSettings, Told, hook_settings
from repoqa.review.pushes import Push, pushed, read_pushes
from repoqa.review.report import Range, Review
from repoqa.review.review import is_blocking
from repoqa.settings import DEFAULT_MODEL, SKIP_VARIABLE
from repoqa.terminal.output import Output, ReaderGoneError, standard_output
from repoqa.terminal.progress import shown_progress
from repoqa.terminal.review import finding_lines, impact_lines, skipped_lines

GOES_ON = "the push goes on"
NOT_SKIPPED = ("", "0", "false", "no")
# The pre-commit framework reads standard input itself, and tells its hooks by these.
FRAMEWORK = ("LOCAL_BRANCH", "TO_REF", "REMOTE_BRANCH", "FROM_REF")
FRAMEWORK_PREFIX = "PRE_COMMIT_"
# The symbols that a push shows; `repoqa review` lists more.
MOST_SYMBOLS = 8
ID_DIGITS = 10


def install_hook(repo: Path | None, told: Told) -> None:
    """Install the hook, and say where and what it does."""
    output, git = standard_output(), opened_repository(repo or Path())
    settings = hook_settings(told, git.settings)
    folder = hook_folder(git)
    written = hook.install(folder, told.flags)
    output.write(f"installed: {written.path}\n")
    if folder.scope:
        output.write(
            f"  core.hooksPath ({folder.scope}) says so: the hook runs in every repository that "
            "has this setting\n"
        )
    if written.earlier:
        output.write(f"  the hook that was there runs before it: {written.earlier}\n")
    _tell(settings, output)
    output.write(f"  to push without a review, once: {SKIP_VARIABLE}=1 git push\n")


def uninstall_hook(repo: Path | None) -> None:
    """Take the hook away."""
    output, folder = standard_output(), hook_folder(opened_repository(repo or Path()))
    was = hook.uninstall(folder)
    path = folder.path / hook.NAME
    output.write(f"removed: {path}\n" if was else f"not installed: {path} is no hook of repoqa's\n")


def show_status(repo: Path | None) -> None:
    """Say what is installed, and how it is set."""
    output, git = standard_output(), opened_repository(repo or Path())
    folder = hook_folder(git)
    found = hook.installed(folder)
    if found is None or not found.is_ours:
        said = "another hook is there" if found else "no hook is there"
        output.write(f"not installed: {said}: {folder.path / hook.NAME}\n")
        return
    output.write(f"installed: {found.path}\n")
    works = os.access(found.python, os.X_OK)
    output.write(f"  runs {found.python}{'' if works else ', which is gone'}\n")
    if found.earlier:
        output.write(f"  after {found.earlier}\n")
    _tell(hook_settings(Told(), git.settings), output)


def _tell(settings: HookSettings, output: Output) -> None:
    blocks = f"at {settings.block_on} and above" if settings.block_on else "never"
    output.write(f"  stops a push: {blocks}\n  lets it go on after: {settings.timeout:g} s\n")
    output.write(f"  model: {settings.model or 'as your settings name it'}\n")


def run_hook(remote: str, told: Told, *, says_verdict: bool) -> int:
    """Review what is pushed; the status is 1 only where it is to be stopped."""
    output = standard_output()
    # All that is said is for a person: git shows the standard error of a hook.
    spoken = Output(output.stderr, output.stderr)
    if os.environ.get(SKIP_VARIABLE, "").lower() not in NOT_SKIPPED:
        spoken.note(f"no review: {SKIP_VARIABLE} is set")
        return ExitCode.FINE
    run = _Run(spoken, remote)
    run.safely(told)
    if not run.blocks:
        return ExitCode.FINE
    spoken.note(f"the push is stopped; to push all the same: {SKIP_VARIABLE}=1 git push")
    if says_verdict:
        output.write(f"{hook.BLOCKED}\n")
    return ExitCode.BLOCKED


@dataclass(slots=True)
class _Run:
    """One run of the hook. `blocks`: something was found that stops the push; what is known by the
    time that the rest fails still counts."""

    output: Output
    remote: str
    blocks: bool = False
    _done: list[str] = field(default_factory=list)

    def safely(self, told: Told) -> None:
        """Review, and say what went wrong instead of failing."""
        try:
            git = _repository()
            settings = hook_settings(told, git.settings)
            try:
                with deadline(settings.timeout):
                    self._review(git, settings)
            except OutOfTime:
                self._failed(f"it took over {settings.timeout:g} s (git config repoqa.timeout)")
        except RepoqaError as error:
            self._failed(f"{error.message}. {error.remedy}")
        except ReaderGoneError:
            return
        except Exception:  # a bug of ours is no reason to keep anyone from pushing
            path = write_log(sys.argv[1:], traceback.format_exc())
            self._failed(f"a bug in repoqa, sorry; please report it with the log {path}")

    def _failed(self, why: str) -> None:
        what = "the model reviewed nothing" if self._done else "nothing was reviewed"
        self.output.note(f"{what}: {why}" + ("" if self.blocks else f"\n{GOES_ON}"))

    def _review(self, git: Git, settings: HookSettings) -> None:
        found = pushed(git, _pushes(), remote=self.remote)
        if found.passed_over:
            self.output.note(f"not reviewed: {'; '.join(found.passed_over)}")
        for range_ in found.ranges:
            self._one(git, range_, settings)

    def _one(self, git: Git, range_: Range, settings: HookSettings) -> None:
        output = self.output
        options = ReviewOptions(
            model=settings.model if not os.environ.get("REPOQA_MODEL") else None,
            use_model=settings.use_model,
            most_findings=settings.most_findings,
        )
        self._done = []
        with shown_progress(output) as progress:
            job = prepare_review(between(git, range_), options, note=_unheard, progress=progress)
            review = job.reached.review()
            output.note(_named(range_))
            output.styled(impact_lines(review, most=MOST_SYMBOLS))
            self._done.append(range_.text)
            self._judge(review, settings)
            review = find(job, git, progress=progress)
        if job.profile is None and settings.use_model:
            output.note(
                f"no model reviewed it: {DEFAULT_MODEL} is too small to; name one that can: "
                "git config --global repoqa.model server"
            )
        output.styled(finding_lines(review))
        output.styled(skipped_lines(review))
        self._judge(review, settings)

    def _judge(self, review: Review, settings: HookSettings) -> None:
        least = settings.block_on
        self.blocks = self.blocks or (least is not None and is_blocking(review, least))


def _named(range_: Range) -> str:
    """`main, 3efc90c7ef..28d6e18962`"""
    short = range_.text.removeprefix("refs/heads/")
    return f"{short}, {range_.old[:ID_DIGITS]}..{(range_.new or '')[:ID_DIGITS]}"


def _repository() -> Git:
    """The repository that pushes: git starts a hook in it, or says by GIT_DIR where it is."""
    named = os.environ.get("GIT_DIR")
    found = open_git(Path()) or (open_git(Path(named)) if named else None)
    return found or opened_repository(Path())


def _pushes() -> Iterator[Push]:
    """The pushed refs, from git's lines or from the pre-commit framework's variables."""
    told = [os.environ.get(f"{FRAMEWORK_PREFIX}{name}", "") for name in FRAMEWORK]
    if told[1]:
        local, to, branch, start = told
        return iter([Push(local or "HEAD", to, branch or "HEAD", start)])
    if sys.stdin is None or not is_piped(sys.stdin.buffer):
        return iter(())
    return read_pushes(os.fsdecode(sys.stdin.buffer.read()))


def _unheard(_text: str) -> None:
    """What `repoqa review` says of the model is said in the hook's own words."""
