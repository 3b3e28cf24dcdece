"""Every error a user can meet, in one tree. It says what happened and what to do next.

RepoqaError                 exit 3
├── UsageError              exit 2: the command line or a setting is wrong
│   └── BudgetError         the budget is too small for the prompt's fixed parts, or too large
└── JobError                exit 3: the job could not be done
    ├── RepositoryError     no repository, an unknown revision, nothing to read
    ├── ModelError          no weights, no memory, a model that fails
    └── ServerError         a model server that refuses, vanishes or talks nonsense

Foreign exceptions are translated into one of these where they enter (`raise ... from`). Only the
command line's border catches them; anything else that reaches it is a bug in repoqa (exit 4).
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The process's exit status: an interface other programs rely on."""

    FINE = 0
    BLOCKED = 1
    USAGE = 2
    FAILED = 3
    BUG = 4
    INTERRUPTED = 130


class RepoqaError(Exception):
    """What happened (`message`) and what the user can do next (`remedy`), one line each."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(f"{message}\n{remedy}")
        self.message = message
        self.remedy = remedy


class UsageError(RepoqaError):
    """The command line or a setting is wrong."""

    exit_code = ExitCode.USAGE


class BudgetError(UsageError):
    """The token budget is below the prompt's fixed parts or above the model's maximum."""


class JobError(RepoqaError):
    """The job could not be done."""


class RepositoryError(JobError):
    """There is no repository, no such revision, or nothing to read."""


class ModelError(JobError):
    """The model's weights are missing, do not fit or do not load."""


class ServerError(JobError):
    """The model server refused, vanished or sent what is not its protocol."""
