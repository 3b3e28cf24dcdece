"""`repoqa pack`: the code that a question is answered from, without a model."""

import time
from typing import Annotated

import typer

from repoqa.cli import options
from repoqa.errors import UsageError


@options.taking_request
def pack(
    request: options.Request,
    as_json: options.AsJson = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Show what was chosen, and why.", show_default=False),
    ] = False,
) -> None:
    """Show the code that a question is answered from.

    Markdown to paste elsewhere, JSON, or a table of why. No model answers. A log that is piped
    in belongs to the question.
    """
    began = time.perf_counter()
    from repoqa.cli.job import Start, prepared
    from repoqa.formats import json, markdown
    from repoqa.terminal.explain import explanation
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress

    if explain and as_json:
        raise UsageError(
            "--explain is a table and --json is none", remedy="Leave --explain out: JSON says why."
        )
    output, start = standard_output(), Start(began, for_model=False)
    with shown_progress(output) as progress:
        job = prepared(request, start, note=output.note, progress=progress)
    if as_json:
        output.write_bytes(json.encode(json.pack_report(job.preparation)))
    elif explain:
        output.styled(explanation(job.preparation))
    else:
        output.write(markdown.pack_markdown(job.preparation))
