"""`repoqa ask`: a question in, suspects and the model's diagnosis out."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from repoqa.cli import options
from repoqa.errors import RepoqaError

if TYPE_CHECKING:
    from repoqa.api.job import Job
    from repoqa.terminal.output import Output


@options.taking_request
def ask(
    request: options.Request,
    strategy: options.Strategy = "auto",
    as_json: options.AsJson = False,
    html: options.AsPage = None,
    stream: Annotated[
        bool | None,
        typer.Option(
            "--stream/--no-stream",
            help="Print the answer as it comes, or when it is whole. "
            "With --json, --stream prints one object a line.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Print the prompt instead of sending it.", show_default=False
        ),
    ] = False,
) -> None:
    """Find out why: the suspects first, then a diagnosis.

    Every place that the model's answer names is checked against the code. A log that is piped in
    belongs to the question, which may then be left out:

    pytest 2>&1 | repoqa ask
    """
    began = time.perf_counter()
    from repoqa.cli.job import Start, prepared
    from repoqa.cli.paging import check_page, write_page
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress

    check_page(html)
    output, start = standard_output(), Start(began, for_model=True, strategy=strategy)
    as_events = as_json and bool(stream) and not dry_run
    with (
        _errors_streamed(output) if as_events else nullcontext(),
        shown_progress(output) as progress,
    ):
        job = prepared(request, start, note=output.note, progress=progress)
        # Loaded here, and not above, so that git need not wait for it.
        from repoqa.cli.answer import converse, print_report, stream_events

        if dry_run:
            _show_prompt(job, output, as_json=as_json)
            if html:
                write_page(html, job.preparation, output)
        elif as_events:
            stream_events(job, output, progress, page=html)
        elif as_json:
            print_report(job, output, progress, page=html)
        else:
            converse(job, output, progress, page=html, streaming=stream is not False)


@contextmanager
def _errors_streamed(output: "Output") -> Iterator[None]:
    """The last line of a stream that fails says why, as standard error and the exit code do."""
    try:
        yield
    except RepoqaError as error:
        from repoqa.formats import events, json

        output.write_bytes(json.encode_line(events.error(error)))
        raise


def _show_prompt(job: "Job", output: "Output", *, as_json: bool) -> None:
    """The prompt as it would be sent: those of the windows where there is a sweep."""
    from repoqa.diagnosis.windows import cut
    from repoqa.formats import json, markdown

    windows = cut(job.preparation).windows if job.strategy == "sweep" else ()
    prompts = [window.prompt for window in windows] or [job.preparation.prompt]
    if as_json:
        report = json.pack_report(job.preparation)
        fields = json.message_fields(prompts[0].messages)
        swept = {"windows": [json.window_fields(window) for window in windows]} if windows else {}
        output.write_bytes(json.encode({**report, **fields, **swept}))
        return
    for window in windows:
        output.note(f"window {window.number} of {window.of}: {window.prompt.tokens:,} tokens")
    output.write("\n".join(markdown.messages_markdown(prompt.messages) for prompt in prompts))
