"""`repoqa pack`: the code that a question is answered from, without a model."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from repoqa.cli import options
from repoqa.errors import UsageError

if TYPE_CHECKING:
    from repoqa.diagnosis.prepare import Preparation
    from repoqa.terminal.output import Output

Form: TypeAlias = Literal["markdown", "json", "table", "lines"]


@options.taking_request
def pack(
    request: options.Request,
    as_json: options.AsJson = False,
    html: options.AsPage = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Show what was chosen, and why.", show_default=False),
    ] = False,
    form: Annotated[
        Form | None,
        typer.Option(
            "--format",
            metavar="FORM",
            help="markdown, json (--json), table (--explain), or lines: the suspects as "
            "`path:line: info: …`, for editors.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show the code that a question is answered from.

    Markdown to paste elsewhere, JSON, a table of why, or a page for a browser. No model answers.
    A log that is piped in belongs to the question.
    """
    began = time.perf_counter()
    from repoqa.cli.job import Start, prepared
    from repoqa.cli.paging import check_page, write_page
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress

    chosen = _form(form, as_json=as_json, explain=explain)
    check_page(html)
    output, start = standard_output(), Start(began, for_model=False)
    with shown_progress(output) as progress:
        job = prepared(request, start, note=output.note, progress=progress)
    if html:
        write_page(html, job.preparation, output)
    if not html or form or as_json or explain:
        _print(job.preparation, chosen, output)


def _form(form: Form | None, *, as_json: bool, explain: bool) -> Form:
    """The one form that is asked for. Raises UsageError for two."""
    if explain and as_json:
        raise UsageError(
            "--explain is a table and --json is none", remedy="Leave --explain out: JSON says why."
        )
    short: Form | None = "json" if as_json else "table" if explain else None
    if short and form and short != form:
        raise UsageError(
            f"--format {form} is one form and {'--json' if as_json else '--explain'} another",
            remedy="Leave one of them out.",
        )
    return short or form or "markdown"


def _print(preparation: "Preparation", form: Form, output: "Output") -> None:
    if form == "json":
        from repoqa.formats import json

        output.write_bytes(json.encode(json.pack_report(preparation)))
    elif form == "table":
        from repoqa.terminal.explain import explanation

        output.styled(explanation(preparation))
    elif form == "lines":
        from repoqa.terminal.lines import suspect_places

        output.write("".join(suspect_places(preparation, here=Path())))
    else:
        from repoqa.formats.markdown import pack_markdown

        output.write(pack_markdown(preparation))
