"""From a prepared prompt to an answer that is shown: for a person, as JSON, or as events."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from repoqa.answers.citations import Checker, check
from repoqa.answers.suspects import suspects
from repoqa.answers.unexplained import says_unexplained
from repoqa.api.answering import Answering
from repoqa.api.job import Job, kept_answers, opened_model
from repoqa.cli.paging import write_page
from repoqa.diagnosis.kept import keep, to_keep
from repoqa.diagnosis.single import familiar_names
from repoqa.diagnosis.sweep import WindowRead, so_far
from repoqa.errors import RepoqaError
from repoqa.formats import events, json
from repoqa.formats.html.answer import Answered
from repoqa.models.memory import gib, most_taken
from repoqa.protocols import Progress
from repoqa.records import Citation
from repoqa.settings import DEFAULT_MODEL, NOWHERE
from repoqa.terminal.links import link_of
from repoqa.terminal.output import Output, ReaderGoneError
from repoqa.terminal.stream import show
from repoqa.terminal.tables import citation_summary, suspect_lines

SMALL_MODEL = (
    "{model} runs anywhere but is a very small model: trust the suspects and the code, not its "
    "prose. For real use: --model codellama-7b-instruct (a GPU) or --model server"
)
STOPPED = 'stopped; to go on from what came so far: repoqa ask -c "…"'


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


@dataclass(slots=True)
class _Said:
    """An answer as it is said: its pieces so far, and when they came; `page` is the file of the
    page that it is written to when it is whole."""

    answering: Answering
    output: Output
    page: Path | None = None
    clock: Clock = field(default_factory=Clock)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What was said so far."""
        return "".join(self.pieces)

    def stream(self, progress: Progress) -> Generator[str, None, None]:
        """The answer's text as it is generated; closing it stops the model."""
        model = opened_model(self.answering.job, progress=progress, note=self.output.note)
        self.clock.reached("load")
        stream = self.answering.stream(model, progress=progress)
        with closing(cast("Generator[str, None, None]", stream)):
            for piece in self.clock.timed(stream):
                self.pieces.append(piece)
                yield piece


def print_report(job: Job, output: Output, progress: Progress, *, page: Path | None = None) -> None:
    """One JSON object, once the answer is whole."""
    said = _Said(Answering(job, note=output.note), output, page)
    with _kept(said):
        text = "".join(said.stream(progress))
    preparation = job.preparation
    familiar = familiar_names(preparation.context, preparation.index)
    fields = json.answer_fields(
        check(text, preparation.index, familiar=familiar),
        suspects(preparation.ranking),
        usage=_usage(said),
        seconds=said.clock.seconds,
    )
    report = json.pack_report(preparation)
    windows = json.sweep_fields(said.answering.read)
    output.write_bytes(json.encode({**report, **fields, **windows}))


def stream_events(
    job: Job, output: Output, progress: Progress, *, page: Path | None = None
) -> None:
    """JSON, one object a line, while the answer is generated."""
    preparation = job.preparation

    def heard(read: WindowRead) -> None:
        output.write_bytes(json.encode_line(events.window(read)))

    said = _Said(Answering(job, heard=heard, note=output.note), output, page)
    output.write_bytes(json.encode_line(events.context(preparation)))
    output.write_bytes(json.encode_line(events.suspects(suspects(preparation.ranking))))
    with _kept(said):
        with closing(said.stream(progress)) as pieces:
            for event in events.answer(pieces, _checker(job)):
                output.write_bytes(json.encode_line(event))
        done = events.done(said.text, usage=_usage(said), seconds=said.clock.seconds)
        output.write_bytes(json.encode_line(done))


def converse(
    job: Job, output: Output, progress: Progress, *, streaming: bool, page: Path | None = None
) -> None:
    """For a person: the suspects, then the answer."""
    preparation = job.preparation
    said = _Said(Answering(job, note=output.note), output, page)
    link = link_of(preparation.snapshot)
    output.styled(suspect_lines(suspects(preparation.ranking), link))
    output.write("\n")
    if job.profile.name == DEFAULT_MODEL:
        output.note(SMALL_MODEL.format(model=job.profile.name))
    checker = _checker(job)
    citations: list[Citation] = []
    links: dict[str, str] = {}

    def mark(line: str) -> str:
        marked, found = checker.line(line)
        citations.extend(found)
        links.update((c.text, link(c.path, c.start)) for c in found if c.valid and c.path)
        return marked

    with _kept(said, unfinished=output.write):
        with closing(said.stream(progress)) as pieces:
            whole = pieces if streaming else ["".join(pieces)]
            text = show(whole, output, mark=mark, live=True, links=links)
        for line in (citation_summary(citations), _next(job, text), _figures(said)):
            if line:
                output.note(line)


@contextmanager
def _kept(said: _Said, *, unfinished: Callable[[str], None] | None = None) -> Iterator[None]:
    """Keep for `-c` what is said inside: the whole answer, or what came of it before the user, the
    model or a closed pipe ended it. `unfinished` shows the suspects of a sweep that was ended."""
    try:
        yield
    except (KeyboardInterrupt, RepoqaError, ReaderGoneError) as stop:
        text = said.text
        if not text.strip():
            text = so_far(said.answering.read)
            if text and unfinished and not isinstance(stop, ReaderGoneError):
                unfinished(text)
        kept = text.strip() and _keep(said, text, cut_off=True)
        if kept and isinstance(stop, KeyboardInterrupt):
            said.output.note(STOPPED)
        raise
    _keep(said, said.text)
    if said.page:
        _write_page(said, said.page)


def _write_page(said: _Said, page: Path) -> None:
    shown, usage = said.answering.shown, _usage(said)
    familiar = familiar_names(shown.context, shown.index)
    answered = Answered(
        check(said.text, shown.index, familiar=familiar),
        suspects(said.answering.job.preparation.ranking),
        prompt_tokens=usage["prompt"],
        answer_tokens=usage["answer"],
    )
    write_page(page, shown, said.output, answered=answered)


def _keep(said: _Said, text: str, *, cut_off: bool = False) -> bool:
    """Keep the answer, and return whether that worked: it has been shown all the same."""
    folder = kept_answers()
    try:
        keep(to_keep(said.answering.shown, text, cut_off=cut_off), folder)
    except OSError as error:
        where = (
            "there is no home folder"
            if NOWHERE in folder.parents
            else f"{folder} cannot be written"
        )
        reason = f"{where} ({error.strerror or error})"
        said.output.note(f"this answer cannot be continued with -c: {reason}")
        return False
    return True


def _checker(job: Job) -> Checker:
    index = job.preparation.index
    return Checker(index, familiar_names(job.preparation.context, index))


def _next(job: Job, text: str) -> str:
    """What to try where the answer says that the code shown does not explain the bug, else ""."""
    if not says_unexplained(text):
        return ""
    ways = ["--path with code that you suspect"]
    if job.preparation.context.left_out:
        ways.insert(0, "a larger --budget")
    if not job.preparation.question.log:
        ways.append("the log: --log FILE")
    return f"the answer says that this code does not explain it; try {', or '.join(ways)}"


def _usage(said: _Said) -> dict[str, int]:
    tokenizer = said.answering.shown.setup.tokenizer
    return {"prompt": said.answering.prompt_tokens, "answer": tokenizer.count(said.text)}


def _figures(said: _Said) -> str:
    """`smollm2-135m: 4,021 tokens read, 180 written in 41.2 s (the first after 18.9 s)`."""
    usage, seconds, job = _usage(said), said.clock.seconds, said.answering.job
    about = "" if job.preparation.prompt.exact else "about "
    return (
        f"{job.profile.name}: {about}{usage['prompt']:,} tokens read, {about}{usage['answer']:,} "
        f"written in {seconds['answer']:.1f} s (the first after "
        f"{seconds.get('first_token', seconds['answer']):.1f} s){_memory(job)}"
    )


def _memory(job: Job) -> str:
    """`, at most 1.2 GiB of memory`, where the model ran in this process."""
    most = most_taken() if job.profile.engine in ("transformers", "llamacpp") else 0
    return f", at most {gib(most)} of memory" if most else ""
