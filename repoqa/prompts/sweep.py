"""The prompt of one window of a sweep: a part of the packed code, asked for its suspects.

The evidence and the question stand before the code: they are the same in every window, so that a
server's prefix cache reads them once.
"""

from collections.abc import Sequence

from repoqa.models.profile import Profile
from repoqa.prompts import templates
from repoqa.prompts.render import as_prompt, evidence_sections, joined
from repoqa.protocols import Tokenizer
from repoqa.records import Excerpt, Message, Prompt, Question

TASK = (
    "Below are a question about a bug and one part of the code of its repository. "
    "Find the places in this part that may cause the bug."
)
CLOSING = (
    "Write each place in this code that may cause the bug on a line of its own, the likeliest "
    "first, at most {most} lines:\n"
    "path:line: why\n"
    "If none of this code causes the bug, write NONE."
)


def render_window(
    question: Question,
    excerpts: Sequence[Excerpt],
    *,
    most: int,
    sized_for: tuple[Profile, Tokenizer],
) -> Prompt:
    """The prompt, counted whole; `most` is how many suspects are asked for."""
    code = f"{templates.NUMBERED}\n{joined(excerpt.text for excerpt in excerpts)}"
    sections = [TASK, *evidence_sections(question), code, CLOSING.format(most=most)]
    messages = (
        Message("system", templates.SYSTEM),
        Message("user", templates.BETWEEN_SECTIONS.join(sections)),
    )
    profile, tokenizer = sized_for
    return as_prompt(messages, profile=profile, tokenizer=tokenizer)
