"""The visible mark that stands in a secret's place."""

from repoqa.secrets.find import find


def mark(kind: str) -> str:
    """What is shown in place of a secret of this kind."""
    return f"[redacted: {kind}]"


def masked(text: str) -> str:
    """`text` with a mark in place of each secret; its lines are kept one to one."""
    pieces: list[str] = []
    end = 0
    for secret in find(text):
        pieces += (text[end : secret.start], mark(secret.kind))
        end = secret.end
    return "".join((*pieces, text[end:])) if pieces else text
