"""The engine that recites a text: for tests and demonstrations, where no model is to be loaded."""

import re
from collections.abc import Iterator
from pathlib import Path

from repoqa.errors import ModelError
from repoqa.protocols import Progress
from repoqa.records import Prompt


class ScriptedModel:
    """A Model that answers every prompt with the same text, word by word."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._text = text

    def stream(self, prompt: Prompt, *, progress: Progress) -> Iterator[str]:
        """Yield the text's words, each with the blanks behind it."""
        progress.start("Reading the prompt", total=prompt.tokens, unit="tokens")
        progress.advance(prompt.tokens)
        progress.finish()
        return (match.group() for match in re.finditer(r"\S+\s*|\s+", self._text))


def read_script(path: Path) -> str:
    """The text to recite. Raises ModelError where the file cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"the script {path} cannot be read: {error}",
            remedy="Set the profile's `weights` to a text file, written from / or ./ on.",
        ) from error
