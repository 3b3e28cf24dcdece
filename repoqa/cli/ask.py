"""`repoqa ask`: a question in, suspects and the model's diagnosis out."""

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, cast

import typer

from repoqa.cli import options

if TYPE_CHECKING:
    from collections.abc import Generator

    from repoqa.cli.job import Job
    from repoqa.protocols import Progress
    from repoqa.records import Citation
    from repoqa.terminal.output import Output

SMALL_MODEL = (
    "{model} runs anywhere but is a very small model: trust the suspects and the code, not its "
    "prose. For real use: --model codellama-7b-instruct (a GPU) or --model server"
)


def ask(
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
    as_json: options.AsJson = False,
    no_stream: Annotated[
        bool,
        typer.Option("--no-stream", help="Print the answer when it is whole.", show_default=False),
    ] = False,
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
    from repoqa.cli.job import Request, prepared
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress

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
        for_model=True,
    )
    with shown_progress(output) as progress:
        job = prepared(request, began=began, note=output.note, progress=progress)
        if dry_run:
            _show_prompt(job, output, as_json=as_json)
        elif as_json:
            _print_report(job, output, progress)
        else:
            _converse(job, output, progress, streaming=not no_stream)


@dataclass(slots=True)
class Clock:
    """When the answer's stages were reached, in seconds since it was made."""

    began: float = field(default_factory=time.perf_counter)
    seconds: dict[str, float] = field(default_factory=dict)

    def reached(self, stage: str) -> None:
        """The stage is reached now."""
        self.seconds[stage] = time.perf_counter() - self.began

    def timed(self, pieces: Iterable[str]) -> Iterator[str]:
        """`pieces`, with the times of the first and the last of them kept."""
        for piece in pieces:
            if "first_token" not in self.seconds:
                self.reached("first_token")
            yield piece
        self.reached("answer")


def _show_prompt(job: "Job", output: "Output", *, as_json: bool) -> None:
    from repoqa.formats import json, markdown

    messages = job.preparation.prompt.messages
    if as_json:
        report = json.pack_report(job.preparation)
        output.write_bytes(json.encode({**report, **json.message_fields(messages)}))
    else:
        output.write(markdown.messages_markdown(messages))


def _print_report(job: "Job", output: "Output", progress: "Progress") -> None:
    from repoqa.answers.citations import check
    from repoqa.answers.suspects import suspects
    from repoqa.diagnosis.single import familiar_names
    from repoqa.formats import json

    clock = Clock()
    text = "".join(_diagnosis(job, progress, clock))
    preparation = job.preparation
    familiar = familiar_names(preparation.context, preparation.index)
    fields = json.answer_fields(
        check(text, preparation.index, familiar=familiar),
        suspects(preparation.ranking),
        usage=_usage(job, text),
        seconds=clock.seconds,
    )
    report = json.pack_report(preparation)
    output.write_bytes(json.encode({**report, **fields}))


def _converse(job: "Job", output: "Output", progress: "Progress", *, streaming: bool) -> None:
    from repoqa.answers.citations import Checker
    from repoqa.answers.suspects import suspects
    from repoqa.diagnosis.single import familiar_names
    from repoqa.settings import DEFAULT_MODEL
    from repoqa.terminal.stream import show
    from repoqa.terminal.tables import citation_summary, suspect_lines

    clock, preparation = Clock(), job.preparation
    output.styled(suspect_lines(suspects(preparation.ranking)))
    output.write("\n")
    if job.profile.name == DEFAULT_MODEL:
        output.note(SMALL_MODEL.format(model=job.profile.name))
    checker = Checker(preparation.index, familiar_names(preparation.context, preparation.index))
    citations: list[Citation] = []

    def mark(line: str) -> str:
        marked, found = checker.line(line)
        citations.extend(found)
        return marked

    with closing(_diagnosis(job, progress, clock)) as pieces:
        whole = pieces if streaming else ["".join(pieces)]
        text = show(whole, output, mark=mark, live=True)
    for line in (citation_summary(citations), _figures(job, text, clock)):
        if line:
            output.note(line)


def _diagnosis(job: "Job", progress: "Progress", clock: Clock) -> "Generator[str, None, None]":
    """The answer's text as it is generated; closing it stops the model."""
    from repoqa.diagnosis.single import diagnose
    from repoqa.models.open import open_model
    from repoqa.models.profile import Endpoint

    settings = job.settings
    endpoint = Endpoint(
        settings.server_url or job.profile.url, settings.server_model, settings.api_key
    )
    model = open_model(job.profile, cache=settings.cache_dir, progress=progress, endpoint=endpoint)
    clock.reached("load")
    stream = diagnose(job.preparation, model, progress=progress)
    with closing(cast("Generator[str, None, None]", stream)):
        yield from clock.timed(stream)


def _usage(job: "Job", text: str) -> dict[str, int]:
    preparation = job.preparation
    return {
        "prompt": preparation.prompt.tokens,
        "answer": preparation.setup.tokenizer.count(text),
    }


def _figures(job: "Job", text: str, clock: Clock) -> str:
    """`smollm2-135m: 4,021 tokens read, 180 written in 41.2 s (the first after 18.9 s)`."""
    usage, seconds = _usage(job, text), clock.seconds
    about = "" if job.preparation.prompt.exact else "about "
    return (
        f"{job.profile.name}: {about}{usage['prompt']:,} tokens read, {about}{usage['answer']:,} "
        f"written in {seconds['answer']:.1f} s (the first after "
        f"{seconds.get('first_token', seconds['answer']):.1f} s)"
    )
