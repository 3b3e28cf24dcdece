"""Whether a prompt fits what a server reads, before it is sent and by what was read of it after.

Where the model's own tokenizer does not count, a count is an upper bound: only what is sure to be
too long is refused here, and the server has the last word.
"""

from collections.abc import Callable

from repoqa.errors import ServerError
from repoqa.models.dialect import Served
from repoqa.models.profile import Profile
from repoqa.records import Prompt

# Of an upper bound, a prompt has at least this share; of an exact count, all but a server's own
# chat format, which is guessed.
LEAST_SHARE = 0.5
LEAST_EXACT_SHARE = 0.97
FORMAT_TOKENS = 32
# An answer of a prompt that may or may not fit is asked for with this much.
SHORT_ANSWER = 128
# Conversions round the RoPE base.
SAME_THETA = 0.01


def refuse_wrong_theta(profile: Profile, served: Served, server: str) -> None:
    """Raise ServerError where the server runs the model with another RoPE base than its own."""
    theta = served.theta
    if not profile.rope_theta or theta is None:
        return
    if abs(theta - profile.rope_theta) > SAME_THETA * profile.rope_theta:
        raise ServerError(
            f"{server} runs {served.model} with a RoPE base of {theta:,.0f}, not "
            f"{profile.rope_theta:,.0f}: its conversion lost it, and long prompts give gibberish",
            remedy="Serve another conversion of the model.",
        )


def answer_tokens(
    prompt: Prompt, served: Served, profile: Profile, *, server: str, note: Callable[[str], None]
) -> int:
    """How long the answer may be, said where that is less than the profile's.

    Raises ServerError where not even the prompt fits.
    """
    window = served.window
    if window is None or prompt.tokens + profile.answer <= window:
        return profile.answer
    about = "" if prompt.exact else "about "
    if least_tokens(prompt) >= window:
        fitting = window - profile.answer
        smaller = f"Ask with --budget {fitting}, or start" if fitting > 0 else "Start"
        raise ServerError(
            f"{server} reads {window:,} tokens at most, the prompt has {about}{prompt.tokens:,}",
            remedy=f"{smaller} the server with a longer window.",
        )
    left = window - prompt.tokens
    answer = left if prompt.exact else min(max(left, SHORT_ANSWER), profile.answer)
    note(
        f"{server} reads {window:,} tokens at most, the prompt has {about}{prompt.tokens:,}: "
        f"the answer is limited to {answer:,} tokens"
    )
    return answer


def tell_truncation(
    read: int | None, prompt: Prompt, *, server: str, note: Callable[[str], None]
) -> None:
    """Say that the server read less than it was sent, by its own count."""
    if not read or read + FORMAT_TOKENS >= least_tokens(prompt):
        return
    about = "" if prompt.exact else "about "
    note(
        f"{server} read only {read:,} tokens of the prompt's {about}{prompt.tokens:,}: it cut off "
        "the rest, and the answer knows nothing of it; start it with a longer window, or ask with "
        "a smaller --budget"
    )


def least_tokens(prompt: Prompt) -> int:
    """The fewest tokens that the prompt can have, by any vocabulary where the count is no exact
    one."""
    return int(prompt.tokens * (LEAST_EXACT_SHARE if prompt.exact else LEAST_SHARE))
