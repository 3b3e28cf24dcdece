"""Single lines of a user's own files, masked one at a time, to be filled in exactly.

After the single-line infilling benchmark (Fried et al. 2022, arXiv 2204.05999; arXiv 2308.12950,
Table 14), but on code that no model has been measured on before.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from repoqa.infill.place import Site, Text

# A line of brackets alone tells nothing.
_LETTER = re.compile(r"[^\W_]")
_COMMENT = re.compile(r"\s*(?:#|//|\*|/\*)")


@dataclass(frozen=True, slots=True)
class Masked:
    """A line taken out of a file, the gap in its place, and what stood there."""

    site: Site
    line: str

    @property
    def name(self) -> str:
        """`path:12`."""
        return f"{self.site.file.path}:{self.site.line}"


def masked_lines(files: Sequence[Text], *, most: int | None = None) -> list[Masked]:
    """The lines of code, or so many of them, taken evenly from all files."""
    found = [each for file in files for each in _lines(file)]
    if most is None or most >= len(found):
        return found
    return [found[number * len(found) // most] for number in range(most)]


def text_written(pieces: Iterable[str], *, trained: bool) -> str:
    """What a model wrote for a line, without blank lines around it. Of one that was not trained to
    fill gaps the first line counts, since it cannot know where to end; of others all of it, though
    no more is asked for than shows that it is not one line."""
    text = ""
    for piece in pieces:
        text += piece
        first, _, rest = text.lstrip("\n").partition("\n")
        if rest.strip() or (not trained and first and "\n" in text.lstrip("\n")):
            return text.strip("\n") if trained else first
    return text.strip("\n")


def _lines(file: Text) -> Iterator[Masked]:
    start = 0
    for line in file.text.split("\n"):
        text = line.removesuffix("\r")
        if _LETTER.search(text) and not _COMMENT.match(text):
            end = start + len(text)
            yield Masked(Site(file, file.text[:start], file.text[end:], marked=text), text)
        start += len(line) + 1
