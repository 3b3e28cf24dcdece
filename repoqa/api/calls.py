"""The Python interface: what `import repoqa` offers, on the same path as the command line.

    import repoqa

    diagnosis = repoqa.ask("why does login fail", repoqa.open_repository("~/shop"))
    for piece in diagnosis.stream():
        print(piece, end="")

Nothing is printed, and errors are those of `repoqa.errors`, which derive from `RepoqaError`.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from repoqa.answers.citations import check
from repoqa.answers.suspects import suspects
from repoqa.api.answering import Answering
from repoqa.api.job import Asked, Began, Job, Options, opened_model, prepare_job
from repoqa.diagnosis.prepare import Preparation
from repoqa.diagnosis.single import familiar_names
from repoqa.protocols import Progress, Silent
from repoqa.records import Answer, Snapshot, Suspect
from repoqa.repository.snapshot import open_snapshot

Note = Callable[[str], None]
AS_SET = Options()
SILENT = Silent()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A question that is ready to be answered: its suspects are known, no model is loaded yet."""

    preparation: Preparation
    suspects: tuple[Suspect, ...]
    _job: Job = field(repr=False)
    _progress: Progress = field(repr=False)
    _note: Note = field(repr=False)

    def stream(self) -> Iterator[str]:
        """The model's text as it is generated; closing the iterator stops the model.

        Weights that are not on this machine yet are fetched first. Raises ModelError or
        ServerError.
        """
        model = opened_model(self._job, progress=self._progress)
        answering = Answering(self._job, note=self._note)
        return answering.stream(model, progress=self._progress)

    def answer(self) -> Answer:
        """The whole answer, every place that it names checked against the code."""
        return self.check("".join(self.stream()))

    def check(self, text: str) -> Answer:
        """A text about this code, with the places that it names and whether they exist."""
        index = self.preparation.index
        return check(text, index, familiar=familiar_names(self.preparation.context, index))


def open_repository(
    path: str | os.PathLike[str] | None = None, *, revision: str | None = None
) -> Snapshot:
    """The files of a repository, as they lie in its working tree or at a revision.

    `path` is the repository's folder, one inside it, or any folder outside git; without one, the
    repository around the current folder is meant. Nothing is read but the list of files. Raises
    RepositoryError where there is nothing to read.
    """
    start = Path() if path is None else Path(path).expanduser()
    return open_snapshot(start, revision=revision, plain=path is not None)


def pack(
    question: str,
    repository: Snapshot | None = None,
    *,
    options: Options = AS_SET,
    note: Note | None = None,
    progress: Progress = SILENT,
) -> Preparation:
    """What a question would be answered from, as `repoqa pack` shows it; no model is loaded.

    Without a `repository`, the one around the current folder is read. `note` is called with what
    the command line would say on standard error, `progress` with how far the work is. Raises
    UsageError and RepositoryError.
    """
    asked = Asked(question, options, for_model=False)
    return _prepared(asked, repository, note=note, progress=progress).preparation


def ask(
    question: str,
    repository: Snapshot | None = None,
    *,
    options: Options = AS_SET,
    note: Note | None = None,
    progress: Progress = SILENT,
) -> Diagnosis:
    """A question as `repoqa ask` asks it: the suspects at once, the answer when it is streamed.

    The arguments are those of `pack`; a budget over what the model reads is a BudgetError.
    """
    asked = Asked(question, options, for_model=True)
    job = _prepared(asked, repository, note=note, progress=progress)
    return Diagnosis(
        job.preparation, suspects(job.preparation.ranking), job, progress, note or _unheard
    )


def _prepared(
    asked: Asked, repository: Snapshot | None, *, note: Note | None, progress: Progress
) -> Job:
    began = Began(time.perf_counter())
    snapshot = repository or open_repository()
    return prepare_job(asked, snapshot, began=began, note=note or _unheard, progress=progress)


def _unheard(text: str) -> None:
    """What the command line would say is not said."""
