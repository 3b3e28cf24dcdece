"""Renders the question and the packed code as one prompt in the model's chat format.

Section order: task line, packed code, evidence (log, diff), what came before a follow-up, the code
that is new to it, question, closing task line: what changes least stands first, so that it is read
once, and the question last, near the answer.
Everything that comes from outside is neutralized here or, for excerpts, where they are rendered.
"""

from collections.abc import Iterable

from repoqa.models.profile import Profile
from repoqa.prompts import templates
from repoqa.prompts.neutralize import neutralize
from repoqa.protocols import Tokenizer
from repoqa.records import Context, Earlier, Message, Prompt, Question, Segment

EMPTY_CONTEXT = Context(excerpts=(), tokens=0, left_out=0)


def joined(excerpts: Iterable[str]) -> str:
    """The excerpts' texts as the prompt holds them."""
    return templates.BETWEEN_EXCERPTS.join(excerpts)


def earlier_sections(earlier: Earlier | None) -> list[str]:
    """What a follow-up follows, as the prompt holds it; no section for an empty text."""
    if earlier is None:
        return []
    texts = (
        (templates.EARLIER_QUESTION, earlier.question),
        (templates.EARLIER_ANSWER, earlier.answer),
    )
    return [f"{label}\n{neutralize(text).strip()}" for label, text in texts if text.strip()]


def evidence_sections(question: Question, more: Context = EMPTY_CONTEXT) -> list[str]:
    """The log, the diff, what a follow-up follows, the code that is new to it and the question,
    those that there are."""
    sections = [
        f"{label}\n{neutralize(text).rstrip()}"
        for label, text in ((templates.LOG, question.log), (templates.DIFF, question.diff))
        if text.strip()
    ]
    sections += earlier_sections(question.earlier)
    if more.excerpts:
        sections.append(f"{templates.MORE}\n{joined(excerpt.text for excerpt in more.excerpts)}")
    # A bare `pytest 2>&1 | repoqa ask` has a log and no question: the closing line stands alone.
    if question.text.strip():
        sections.append(f"{templates.QUESTION}\n{neutralize(question.text).strip()}")
    return sections


def _user_text(question: Question, context: Context, more: Context) -> str:
    if context.excerpts:
        code = f"{templates.NUMBERED}\n{joined(excerpt.text for excerpt in context.excerpts)}"
    else:
        code = templates.NO_CODE
    sections = [templates.TASK, code, *evidence_sections(question, more), templates.CLOSING]
    return templates.BETWEEN_SECTIONS.join(sections)


def _count(segments: Iterable[Segment], tokenizer: Tokenizer) -> int:
    return sum(
        len(tokenizer.control(segment.text)) if segment.control else tokenizer.count(segment.text)
        for segment in segments
    )


def render(
    question: Question,
    context: Context,
    *,
    profile: Profile,
    tokenizer: Tokenizer,
    more: Context = EMPTY_CONTEXT,
) -> Prompt:
    """The prompt, counted whole. `question` is taken as it is: `evidence.fit` trims it before.
    `more` is the code that a follow-up shows beside that of the prompt before it.

    Segments are what an engine encodes one by one, so their counts add up to the prompt's.
    """
    messages = (
        Message("system", templates.SYSTEM),
        Message("user", _user_text(question, context, more)),
    )
    return as_prompt(messages, profile=profile, tokenizer=tokenizer)


def as_prompt(messages: tuple[Message, ...], *, profile: Profile, tokenizer: Tokenizer) -> Prompt:
    """Messages in the chat format of a model, counted whole."""
    segments = templates.FORMATS[profile.format](messages)
    around = templates.SERVER_FORMAT_TOKENS if profile.format == "messages" else 0
    return Prompt(messages, segments, _count(segments, tokenizer) + around, tokenizer.exact)


def fixed_tokens(question: Question, *, profile: Profile, tokenizer: Tokenizer) -> int:
    """The tokens of the prompt without any code: what is left of the budget is packing's room.

    Tokens may join across a seam, so that room plus fixed parts can differ from the whole prompt
    by a few; `render` tells the truth.
    """
    heading = f"{templates.NUMBERED}\n"
    empty = render(question, EMPTY_CONTEXT, profile=profile, tokenizer=tokenizer)
    return empty.tokens + max(tokenizer.count(heading) - tokenizer.count(templates.NO_CODE), 0)
