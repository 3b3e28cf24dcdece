"""The engine that recites a text: for tests and demonstrations, where no model is to be loaded."""

import re
from collections.abc import Iterator
from pathlib import Path

from repoqa.errors import ModelError
from repoqa.protocols import Progress
from repoqa.records import Prompt

NEXT_ANSWER = "\f"


class ScriptedModel:
    """A Model that answers every prompt with the same text, word by word; where form feeds part the
    text, the first prompt with what is before the first of them, and so on, the last again."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._answers = text.split(NEXT_ANSWER)

    def stream(self, prompt: Prompt, *, progress: Progress) -> Iterator[str]:
        """Yield the text's words, each with the blanks behind it."""
        progress.start("Reading the prompt", total=prompt.tokens, unit="tokens")
        progress.advance(prompt.tokens)
        progress.finish()
        text = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return (match.group() for match in re.finditer(r"\S+\s*|\s+", text))


def read_script(path: Path) -> str:
    """The text to recite. Raises ModelError where the file cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"the script {path} cannot be read: {error}",
            remedy="Set the profile's `weights` to a text file, written from / or ./ on.",
        ) from error
