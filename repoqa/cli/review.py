"""`repoqa review`: what a change may break, and what the model says of it."""

from typing import Annotated, Literal, TypeAlias

import typer

from repoqa.cli import options

Range: TypeAlias = Annotated[
    str | None,
    typer.Argument(
        metavar="[RANGE]",
        help="A..B, A...B, or a revision that HEAD is compared with; - reads a patch from "
        "standard input (default: what git push would send).",
        show_default=False,
    ),
]
Staged: TypeAlias = Annotated[
    bool, typer.Option("--staged", help="Review what is staged.", show_default=False)
]
Worktree: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--worktree", help="Review what is edited since HEAD, staged or not.", show_default=False
    ),
]
NoModel: TypeAlias = Annotated[
    bool, typer.Option("--no-model", help="Show the impact alone.", show_default=False)
]
MaxFindings: TypeAlias = Annotated[
    int,
    typer.Option("--max-findings", metavar="N", min=0, help="Keep so many of its findings."),
]
BlockOn: TypeAlias = Annotated[
    Literal["error", "warning", "info"] | None,
    typer.Option(
        "--block-on",
        metavar="SEVERITY",
        help="Exit with 1 for an error, a warning or an info, or what is graver.",
        show_default=False,
    ),
]
Dismiss: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--dismiss",
        metavar="ID",
        help="Never show this finding again, in this repository.",
        show_default=False,
    ),
]
AsSarif: TypeAlias = Annotated[
    bool, typer.Option("--sarif", help="Print SARIF 2.1.0.", show_default=False)
]


def review(
    range_: Range = None,
    repo: options.Repo = None,
    staged: Staged = False,
    worktree: Worktree = False,
    model: options.Model = None,
    no_model: NoModel = False,
    budget: options.Budget = None,
    include: options.Include = None,
    exclude: options.Exclude = None,
    max_findings: MaxFindings = 3,
    block_on: BlockOn = None,
    dismiss: Dismiss = None,
    no_stdin: options.NoStdin = False,
    no_redact: options.NoRedact = False,
    as_json: options.AsJson = False,
    as_sarif: AsSarif = False,
) -> int:
    """Show what a change may break, before it is pushed.

    First its impact, which needs no model: the symbols that it changes, the calls elsewhere that
    no longer fit, the tests that reach them. Then what the model finds in it. What is wrong is a
    line, `path:line: severity: message`.

    git diff main | repoqa review -
    """
    from repoqa.api.review import ReviewOptions
    from repoqa.cli import reviewing
    from repoqa.errors import UsageError

    if as_json and as_sarif:
        raise UsageError("--json and --sarif are two forms", remedy="Leave one of them out.")
    if dismiss is not None:
        return reviewing.dismiss(dismiss, repo)
    chosen = ReviewOptions(
        model=model,
        budget=budget,
        include=include or (),
        exclude=exclude or (),
        redact=not no_redact,
        use_model=not no_model,
        most_findings=max_findings,
    )
    request = reviewing.Request(
        range=range_,
        repo=repo,
        staged=staged,
        worktree=worktree,
        reads_stdin=not no_stdin,
        form="json" if as_json else "sarif" if as_sarif else "text",
        block_on=block_on,
    )
    return reviewing.run_review(request, chosen)
