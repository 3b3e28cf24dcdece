"""What a prompt holds besides code: the log, the diff, what came before, the question."""

from collections.abc import Iterator
from dataclasses import dataclass

from repoqa.prompts.evidence import lines_left_out
from repoqa.prompts.neutralize import neutralize
from repoqa.protocols import Tokenizer
from repoqa.records import Question


@dataclass(frozen=True, slots=True)
class Part:
    """A text that was given, as much of it as the prompt holds. `tokens` are the model's; of its
    `lines`, `left_out` are not in the prompt."""

    name: str
    tokens: int
    lines: int
    left_out: int
    is_whole: bool


def evidence_parts(question: Question, shown: Question, *, tokenizer: Tokenizer) -> Iterator[Part]:
    """The parts in the prompt's order. `question` is whole, `shown` what the prompt holds of it."""
    parts = [("log", question.log, shown.log), ("diff", question.diff, shown.diff)]
    if question.earlier and shown.earlier:
        before, cut = question.earlier, shown.earlier
        parts.append(("earlier question", before.question, cut.question))
        parts.append(("earlier answer", before.answer, cut.answer))
    for name, whole, kept in (*parts, ("question", question.text, shown.text)):
        if kept.strip():
            tokens = tokenizer.count(neutralize(kept))
            lines = len(whole.split("\n"))
            yield Part(name, tokens, lines, lines_left_out(kept), is_whole=whole == kept)


def share(part: Part) -> str:
    """How much of a part the prompt holds, in words."""
    if part.is_whole:
        return "given, whole"
    return f"given, cut to a quarter: {part.left_out:,} of {part.lines:,} lines left out"
