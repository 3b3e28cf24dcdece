"""`repoqa pack`: the code that a question is answered from, without a model."""

import time
from typing import Annotated

import typer

from repoqa.cli import options
from repoqa.errors import UsageError


def pack(
    question: options.Question = None,
    repo: options.Repo = None,
    rev: options.Rev = None,
    model: options.Model = None,
    budget: options.Budget = None,
    include: options.Include = None,
    exclude: options.Exclude = None,
    path: options.Pins = None,
    log: options.Log = None,
    no_stdin: options.NoStdin = False,
    diff: options.Diff = False,
    diff_range: options.DiffRange = None,
    no_redact: options.NoRedact = False,
    as_json: options.AsJson = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Show what was chosen, and why.", show_default=False),
    ] = False,
) -> None:
    """Show the code that a question is answered from.

    Markdown to paste elsewhere, JSON, or a table of why. No model is loaded. A log that is piped
    in belongs to the question.
    """
    began = time.perf_counter()
    from repoqa.cli.job import Request, prepared
    from repoqa.formats import json, markdown
    from repoqa.terminal.explain import explanation
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress

    if explain and as_json:
        raise UsageError(
            "--explain is a table and --json is none", remedy="Leave --explain out: JSON says why."
        )
    output = standard_output()
    request = Request(
        question=question,
        repo=repo,
        rev=rev,
        model=model,
        budget=budget,
        include=include or (),
        exclude=exclude or (),
        pins=path or (),
        log=log,
        no_stdin=no_stdin,
        diff=diff,
        diff_range=diff_range,
        redact=not no_redact,
        for_model=False,
    )
    with shown_progress(output) as progress:
        job = prepared(request, began=began, note=output.note, progress=progress)
    if as_json:
        output.write_bytes(json.encode(json.pack_report(job.preparation)))
    elif explain:
        output.styled(explanation(job.preparation))
    else:
        output.write(markdown.pack_markdown(job.preparation))
