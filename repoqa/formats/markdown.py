"""The packed context as Markdown, to paste into another assistant or an issue."""

import re
from collections.abc import Iterable, Iterator

from repoqa.diagnosis.prepare import Preparation
from repoqa.records import Earlier, Excerpt, Message

SHORTEST_FENCE = 3
BACKTICKS = re.compile(r"`+")


def pack_markdown(preparation: Preparation) -> str:
    """The question, after what it follows, each excerpt under its place, the log and the diff."""
    return "\n".join(_sections(preparation))


def messages_markdown(messages: Iterable[Message]) -> str:
    """The prompt as it would be sent, each message under its role."""
    return "\n".join(f"## {message.role}\n\n{message.content}\n" for message in messages)


def fenced(text: str, language: str = "") -> str:
    """`text` as a code block whose fence is longer than any in the text."""
    longest = max((len(run) for run in BACKTICKS.findall(text)), default=0)
    fence = "`" * max(SHORTEST_FENCE, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}\n"


def _sections(preparation: Preparation) -> Iterator[str]:
    question = preparation.shown
    if question.earlier:
        yield from _earlier(question.earlier)
    if question.text:
        yield f"# Question\n\n{question.text}\n"
    yield f"# Code from {preparation.snapshot.name}\n"
    for excerpt in preparation.context.excerpts:
        yield _excerpt(excerpt, preparation.index.parsed(excerpt.path).language)
    if question.log:
        yield f"# Log\n\n{fenced(question.log)}"
    if question.diff:
        yield f"# Diff\n\n{fenced(question.diff.rstrip(), 'diff')}"


def _earlier(earlier: Earlier) -> Iterator[str]:
    for heading, text in (("question", earlier.question), ("answer", earlier.answer)):
        if text.strip():
            yield f"# Earlier {heading}\n\n{fenced(text.rstrip())}"


def _excerpt(excerpt: Excerpt, language: str) -> str:
    heading, _, body = excerpt.text.partition("\n")
    return f"## {heading}\n\n{fenced(body, language)}"
