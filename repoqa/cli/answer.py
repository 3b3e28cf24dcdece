"""From a prepared prompt to an answer that is shown: for a person, as JSON, or as events."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import cast

from repoqa.answers.citations import Checker, check
from repoqa.answers.suspects import suspects
from repoqa.answers.unexplained import says_unexplained
from repoqa.api.job import Job, kept_answers, opened_model
from repoqa.diagnosis.kept import keep, to_keep
from repoqa.diagnosis.single import diagnose, familiar_names
from repoqa.errors import RepoqaError
from repoqa.formats import events, json
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


def print_report(job: Job, output: Output, progress: Progress) -> None:
    """One JSON object, once the answer is whole."""
    clock = Clock()
    with _kept(job, output) as said:
        text = "".join(_diagnosis(job, progress, clock, said=said, note=output.note))
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


def stream_events(job: Job, output: Output, progress: Progress) -> None:
    """JSON, one object a line, while the answer is generated."""
    clock, preparation = Clock(), job.preparation
    output.write_bytes(json.encode_line(events.context(preparation)))
    output.write_bytes(json.encode_line(events.suspects(suspects(preparation.ranking))))
    with _kept(job, output) as said:
        with closing(_diagnosis(job, progress, clock, said=said, note=output.note)) as pieces:
            for event in events.answer(pieces, _checker(job)):
                output.write_bytes(json.encode_line(event))
        text = "".join(said)
        done = events.done(text, usage=_usage(job, text), seconds=clock.seconds)
        output.write_bytes(json.encode_line(done))


@contextmanager
def errors_streamed(output: Output) -> Iterator[None]:
    """The last line of a stream that fails says why, as standard error and the exit code do."""
    try:
        yield
    except RepoqaError as error:
        output.write_bytes(json.encode_line(events.error(error)))
        raise


def converse(job: Job, output: Output, progress: Progress, *, streaming: bool) -> None:
    """For a person: the suspects, then the answer."""
    clock, preparation = Clock(), job.preparation
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

    with _kept(job, output) as said:
        with closing(_diagnosis(job, progress, clock, said=said, note=output.note)) as pieces:
            whole = pieces if streaming else ["".join(pieces)]
            text = show(whole, output, mark=mark, live=True, links=links)
        for line in (citation_summary(citations), _next(job, text), _figures(job, text, clock)):
            if line:
                output.note(line)


@contextmanager
def _kept(job: Job, output: Output) -> Iterator[list[str]]:
    """Keep for `-c` what is said inside, the pieces added to the list: the whole answer, or what
    came of it before the user, the model or a closed pipe ended it."""
    said: list[str] = []
    try:
        yield said
    except (KeyboardInterrupt, RepoqaError, ReaderGoneError) as stop:
        kept = "".join(said).strip() and _keep(job, said, output, cut_off=True)
        if kept and isinstance(stop, KeyboardInterrupt):
            output.note(STOPPED)
        raise
    _keep(job, said, output)


def _keep(job: Job, said: Iterable[str], output: Output, *, cut_off: bool = False) -> bool:
    """Keep the answer, and return whether that worked: it has been shown all the same."""
    folder = kept_answers()
    try:
        keep(to_keep(job.preparation, "".join(said), cut_off=cut_off), folder)
    except OSError as error:
        where = (
            "there is no home folder"
            if NOWHERE in folder.parents
            else f"{folder} cannot be written"
        )
        output.note(f"this answer cannot be continued with -c: {where} ({error.strerror or error})")
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


def _diagnosis(
    job: Job, progress: Progress, clock: Clock, *, said: list[str], note: Callable[[str], None]
) -> Generator[str, None, None]:
    """The answer's text as it is generated, added to `said`; closing it stops the model."""
    model = opened_model(job, progress=progress, note=note)
    clock.reached("load")
    stream = diagnose(job.preparation, model, progress=progress)
    with closing(cast("Generator[str, None, None]", stream)):
        for piece in clock.timed(stream):
            said.append(piece)
            yield piece


def _usage(job: Job, text: str) -> dict[str, int]:
    preparation = job.preparation
    return {
        "prompt": preparation.prompt.tokens,
        "answer": preparation.setup.tokenizer.count(text),
    }


def _figures(job: Job, text: str, clock: Clock) -> str:
    """`smollm2-135m: 4,021 tokens read, 180 written in 41.2 s (the first after 18.9 s)`."""
    usage, seconds = _usage(job, text), clock.seconds
    about = "" if job.preparation.prompt.exact else "about "
    return (
        f"{job.profile.name}: {about}{usage['prompt']:,} tokens read, {about}{usage['answer']:,} "
        f"written in {seconds['answer']:.1f} s (the first after "
        f"{seconds.get('first_token', seconds['answer']):.1f} s){_memory(job)}"
    )


def _memory(job: Job) -> str:
    """`, at most 1.2 GiB of memory`, where the model ran in this process."""
    most = most_taken() if job.profile.engine == "transformers" else 0
    return f", at most {gib(most)} of memory" if most else ""
