"""`repoqa eval code`: how well models write code, side by side."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from repoqa.cli.keeping import keep, kept
from repoqa.errors import JobError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from repoqa.api.code import CodeOptions
    from repoqa.evaluation.code.measure import Sample
    from repoqa.evaluation.code.tasks import Task
    from repoqa.evaluation.sandbox import Sandbox
    from repoqa.infill.lines import Masked
    from repoqa.models.profile import Profile
    from repoqa.protocols import Progress
    from repoqa.settings import Settings
    from repoqa.terminal.output import Output

# Code Llama's, where many samples are to differ (arXiv 2308.12950, Figure 4).
SAMPLED_TEMPERATURE = 0.8

Files: TypeAlias = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE]...",
        help="With --suite infill: the files whose lines are masked.",
        show_default=False,
    ),
]
Suite: TypeAlias = Annotated[
    str,
    typer.Option("--suite", metavar="NAME", help="humaneval, mbpp, questions or infill."),
]
Models: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="A model's profile; again for more, side by side.",
        show_default=False,
    ),
]
Limit: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="N",
        min=1,
        help="The first N tasks only; of lines, N taken evenly.",
        show_default=False,
    ),
]
SampleCount: TypeAlias = Annotated[
    int, typer.Option("--samples", metavar="N", min=1, help="Answers to each task.")
]
Temperature: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--temperature",
        metavar="T",
        min=0.0,
        help="How freely they differ (default: 0, the likeliest, for one sample; else 0.8).",
        show_default=False,
    ),
]
Ks: TypeAlias = Annotated[
    str, typer.Option("--k", metavar="K,K", help="The k of pass@k, at most --samples.")
]
Answer: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--answer",
        metavar="TOKENS",
        help="The longest answer (default: the profile's).",
        show_default=False,
    ),
]
Tasks: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--tasks",
        metavar="FILE",
        help="MBPP's tasks: mbpp.jsonl or sanitized-mbpp.json, from this machine or from the "
        "Hugging Face hub (hf://datasets/OWNER/NAME/FILE).",
        show_default=False,
    ),
]
Out: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Keep each answer here; a second run goes on from them.",
        show_default=False,
    ),
]
Jobs: TypeAlias = Annotated[
    int, typer.Option("--jobs", metavar="N", min=1, help="Programs run side by side.")
]
WeakSandbox: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--weak-sandbox",
        help="Run programs where the system does not keep them from the network and your files.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is measured of every model: `tasks` of a suite, or `lines` to fill in. `out` is where
    samples are kept."""

    suite: str
    options: "CodeOptions"
    tasks: "tuple[Task, ...]"
    lines: "tuple[Masked, ...]"
    out: Path | None

    @property
    def names(self) -> list[str]:
        """The tasks' or the lines' names."""
        return [task.id for task in self.tasks] or [line.name for line in self.lines]

    def includes(self, sample: "Sample", model: str) -> bool:
        """Whether a sample that was kept is one of those wanted of a model."""
        return (
            (sample.suite, sample.model) == (self.suite, model)
            and sample.temperature == self.options.temperature
            and sample.number < self.options.samples
            and sample.task in self.names
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where programs run, and where the user hears of it."""

    sandboxes: "Sequence[Sandbox]"
    output: "Output"
    progress: "Progress"


def code(
    files: Files = None,
    suite: Suite = "humaneval",
    model: Models = None,
    limit: Limit = None,
    samples: SampleCount = 1,
    temperature: Temperature = None,
    k: Ks = "1",
    answer: Answer = None,
    tasks: Tasks = None,
    out: Out = None,
    jobs: Jobs = 1,
    weak_sandbox: WeakSandbox = False,
) -> None:
    """Have models write code and run its tests; print pass@k beside what was published.

    Base models go on from the code, others are told what to write. Programs run in a sandbox; what
    it cannot enforce here is said first. infill masks single lines of your own files and counts
    those that come out exactly.
    """
    from repoqa.api.code import CodeOptions, profile_for
    from repoqa.terminal.code import code_tables
    from repoqa.terminal.output import standard_output
    from repoqa.terminal.progress import shown_progress

    ks = _numbers(k, samples)
    options = CodeOptions(samples, _temperature(temperature, samples), answer)
    wanted = _wanted(suite, files or (), (tasks, limit, out), options=options)
    # A wrong name is told before the first model has answered for hours.
    models: list[str | None] = list(dict.fromkeys(model or ())) or [None]
    for name in models:
        profile_for(name, options)
    output = standard_output()
    with shown_progress(output) as progress, ExitStack() as stack:
        sandboxes = _sandboxes(stack, jobs, output, weak=weak_sandbox) if wanted.tasks else ()
        place = _Place(sandboxes, output, progress)
        found = dict(_of_model(wanted, name, place) for name in models)
    output.write(code_tables(suite, found, ks=ks))


def _wanted(
    suite: str,
    files: "Sequence[Path]",
    given: tuple[str | None, int | None, Path | None],
    *,
    options: "CodeOptions",
) -> _Wanted:
    from repoqa.api.code import INFILL, lines_of, tasks_file
    from repoqa.evaluation.code.tasks import SUITES, tasks_of

    tasks, limit, out = given
    if suite == INFILL:
        if options.samples > 1:
            raise UsageError("--suite infill takes one sample", remedy="Leave out --samples.")
        return _Wanted(suite, options, (), tuple(lines_of(files, most=limit)), out)
    for known in SUITES:
        if known == suite:
            found = tasks_of(known, file=tasks_file(tasks) if known == "mbpp" else None)
            return _Wanted(suite, options, tuple(found[:limit]), (), out)
    raise UsageError(
        f"--suite: there is no {suite!r}", remedy=f"Try {', '.join((*SUITES, INFILL))}."
    )


def _of_model(wanted: _Wanted, model: str | None, place: _Place) -> "tuple[str, list[Sample]]":
    """A model's name and its samples, those kept before and the new ones."""
    from repoqa.api.code import profile_for
    from repoqa.evaluation.code.measure import Sample

    settings, profile = profile_for(model, wanted.options)
    before = kept(wanted.out, Sample)
    samples = [each for each in before if wanted.includes(each, profile.name)]
    left = len(wanted.names) * wanted.options.samples - len(samples)
    if left:
        new = _new(wanted, samples, (settings, profile), place)
        place.progress.start(f"{profile.name}, {wanted.suite}", total=left, unit="answers")
        for sample in new:
            samples.append(sample)
            keep(sample, wanted.out)
            place.progress.advance()
        place.progress.finish()
    order = {name: number for number, name in enumerate(wanted.names)}
    return profile.name, sorted(samples, key=lambda each: (each.number, order[each.task]))


def _new(
    wanted: _Wanted,
    known: "Sequence[Sample]",
    asked: "tuple[Settings, Profile]",
    place: _Place,
) -> "Iterator[Sample]":
    """The samples that are not known yet, as they come; the model is opened at once."""
    from repoqa.api.code import asker, fill_lines
    from repoqa.evaluation.code.measure import Run, measure

    settings, profile = asked
    progress, note = place.progress, place.output.note
    if wanted.lines:
        done = {sample.task for sample in known}
        masked = [line for line in wanted.lines if line.name not in done]
        return fill_lines(masked, settings, profile, progress=progress, note=note)
    ask = asker(settings, profile, progress=progress, note=note)
    run = Run(wanted.suite, profile, wanted.tasks, wanted.options.samples)
    return measure(run, known, ask=ask, sandboxes=place.sandboxes)


def _sandboxes(stack: ExitStack, jobs: int, output: "Output", *, weak: bool) -> "list[Sandbox]":
    """Sandboxes for programs, and a word on what they cannot enforce here."""
    from repoqa.evaluation.sandbox import Sandbox

    sandboxes = [stack.enter_context(Sandbox(slot=slot)) for slot in range(jobs)]
    for missing in sandboxes[0].missing:
        output.note(f"the sandbox does not have here: {missing}")
    if sandboxes[0].is_weak and not weak:
        raise JobError(
            "this system does not keep generated code from your files and the network",
            remedy="Run it where namespaces are allowed, or accept that: --weak-sandbox.",
        )
    return sandboxes


def _temperature(given: float | None, samples: int) -> float:
    temperature = given if given is not None else SAMPLED_TEMPERATURE if samples > 1 else 0.0
    if samples > 1 and temperature == 0:
        raise UsageError(
            "at temperature 0 all samples are the same",
            remedy="Give --temperature 0.8, or one sample.",
        )
    return temperature


def _numbers(text: str, samples: int) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 0 < int(part) <= samples for part in parts):
        raise UsageError(
            f"--k: {text!r} are not numbers from 1 to the {samples:,} samples",
            remedy="Write them as 1,10, and give as many --samples.",
        )
    return sorted({int(part) for part in parts})
