"""From a task to a prompt, and from a model's text to the program that is run.

Base models go on from the task's own code, and their text ends where the function does. Others are
told what is wanted, and their code is taken out of what they answer.
"""

import re
from collections.abc import Iterable, Sequence

from repoqa.evaluation.code.tasks import Task
from repoqa.models.profile import Profile
from repoqa.prompts.render import as_prompt
from repoqa.protocols import Tokenizer
from repoqa.records import Message, Prompt, Segment

SYSTEM = (
    "You write correct, complete Python code. Answer with one block of code that defines the "
    "function, with its imports, and no tests."
)
CONTINUED = "continued"
_FENCED = re.compile(r"^[ \t]*```[^\n`]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
# What stands behind a whole program when a model goes on with something else.
_NEXT = re.compile(r"^(?:assert\b|print\(|if __name__|\"\"\"|'''|```|#|>>>)", re.MULTILINE)
_DEFINES = re.compile(r"^(?:async )?def ", re.MULTILINE)
_RETURNS = re.compile(r"^return\b", re.MULTILINE)
_AT_MARGIN = re.compile(r"^\S", re.MULTILINE)


def prompt_for(task: Task, profile: Profile, tokenizer: Tokenizer) -> Prompt:
    """The task as the profile's model reads it."""
    if profile.format != CONTINUED:
        messages = (Message("system", SYSTEM), Message("user", task.wish))
        return as_prompt(messages, profile=profile, tokenizer=tokenizer)
    start = Segment("<s>", control=True)
    segments = (start, Segment(task.start))
    tokens = len(tokenizer.control(start.text)) + tokenizer.count(task.start)
    return Prompt((Message("user", task.start),), segments, tokens, tokenizer.exact)


def gathered(pieces: Iterable[str], task: Task, profile: Profile) -> str:
    """A model's text, as much of it as counts; no more than that is asked for."""
    text = ""
    for piece in pieces:
        text += piece
        if profile.format == CONTINUED:
            end = end_of(text, task)
            if end is not None:
                return text[:end]
        elif len(_fences(text)) > 1:
            return text
    return text


def end_of(text: str, task: Task) -> int | None:
    """Where what belongs to the task ends in a continuation, None where that is still open."""
    ends = (_AT_MARGIN if task.is_body else _NEXT).finditer(text)
    starts = (found.start() for found in ends)
    return next((start for start in starts if task.is_body or text[:start].strip()), None)


def program_of(text: str, task: Task, profile: Profile) -> str:
    """The program to run, its tests behind it."""
    if profile.format == CONTINUED:
        return joined(f"{task.start}{text}", task)
    code = code_of(text)
    if task.is_body and _is_body(code):
        return joined(f"{task.start}{_indented(code)}", task)
    return joined(f"{task.before}\n{code}", task)


def joined(program: str, task: Task) -> str:
    """A program with the task's tests."""
    return f"{program.rstrip()}\n\n{task.tests}"


def code_of(answer: str) -> str:
    """The code in an answer: its first fenced block that defines something, else its first one,
    else all of it."""
    blocks = [match[1] for match in _FENCED.finditer(answer)]
    defining = [block for block in blocks if re.search(r"^\s*def ", block, re.MULTILINE)]
    code = next(iter(defining or blocks), answer)
    return _dedented(code)


def _fences(text: str) -> Sequence[str]:
    return [line for line in text.split("\n")[:-1] if line.strip().startswith("```")]


def _dedented(code: str) -> str:
    """Code without what all of its lines are indented by: a block in a list, for example."""
    lines = code.split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:] for line in lines)


def _is_body(code: str) -> bool:
    """Whether an answer is what goes into the function, and not the function."""
    return not _DEFINES.search(code) or _RETURNS.search(code) is not None


def _indented(code: str) -> str:
    return "".join(f"    {line}\n" for line in code.strip("\n").split("\n"))
