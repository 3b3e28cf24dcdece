"""Whether an answer says that the code it was shown does not explain the bug.

That is an accepted answer: the prompt asks for it where it is true. Read from the words alone.
"""

import re

SAYS = re.compile(
    r"\b(?:code|context|excerpts?|files?|snippets?)\b[^.\n]{0,60}?\b"
    r"(?:does\s+not|do\s+not|don't|doesn't|cannot|can't)\s+(?:\w+\s+){0,2}explain"
    r"|\b(?:not\s+enough|insufficient|not\s+sufficient)\s+(?:code|context|information)\b"
    r"|\b(?:cannot|can't|unable\s+to|(?:im|not\s+)possible\s+to)\s+(?:be\s+)?(?:\w+\s+){0,2}"
    r"(?:determined?|explain(?:ed)?|find|found|identif(?:y|ied)|t(?:ell|old))\b[^.\n]{0,80}\b"
    r"(?:code|context|excerpts?|information|what\s+is)\b[^.\n]{0,30}\b"
    r"(?:given|provided|shown|alone)\b",
    re.IGNORECASE,
)


def says_unexplained(answer: str) -> bool:
    """Whether the answer says so."""
    return SAYS.search(answer.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")) is not None
