"""What is printed around an answer: the suspects before it, what its citations are worth after."""

from collections.abc import Iterator, Sequence

from repoqa.records import Citation, Suspect
from repoqa.terminal.links import LinkOf
from repoqa.terminal.output import StyledText
from repoqa.visible import one_line


def place(path: str, start: int, end: int) -> str:
    """`path:12-30`, `path:12` for one line, `path` alone for none."""
    if not start:
        return one_line(path)
    lines = str(start) if start == end else f"{start}-{end}"
    return f"{one_line(path)}:{lines}"


def suspect_lines(
    suspects: Sequence[Suspect], link: LinkOf = lambda path, line: ""
) -> Iterator[StyledText]:
    """The numbered suspects, two lines each: where, with a link to it, and why."""
    if not suspects:
        yield ("No code here matches the question.\n", "")
        return
    yield ("Suspects\n", "bold")
    for number, suspect in enumerate(suspects, 1):
        yield (f"{number:>3}. ", "")
        url = link(suspect.path, suspect.start)
        style = f"bold cyan link {url}" if url else "bold cyan"
        yield (place(suspect.path, suspect.start, suspect.end), style)
        yield (f"  {one_line(suspect.name)}\n", "")
        yield (f"     {one_line(suspect.why)}\n", "dim")


def citation_summary(citations: Sequence[Citation]) -> str:
    """How many of the places that the answer names exist; "" where it names none."""
    if not citations:
        return ""
    wrong = sum(not citation.valid for citation in citations)
    named = f"{len(citations)} {'place' if len(citations) == 1 else 'places'} named"
    if not wrong:
        return f"{named}, all in this code"
    return f"{named}, {wrong} not in this code and marked [?: …]"
