"""The page: its sections in a frame, and the policy that keeps a browser from loading anything.

Scripts and styles run by their hashes alone (Content Security Policy, level 3), so that not even
markup that slipped through could do anything. The same context gives the same bytes.
"""

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Template

from repoqa import __version__
from repoqa.diagnosis.prepare import Preparation
from repoqa.formats.html.answer import Answered, answer
from repoqa.formats.html.excerpts import excerpts
from repoqa.formats.html.markup import Markup, element, join, text
from repoqa.formats.html.overview import budget, header, treemap, treemap_rules
from repoqa.formats.html.ranking import ranking
from repoqa.formats.html.remaining import left_out, prompt
from repoqa.formats.html.shown import Anchors, Shown, shown_excerpts

FOLDER = Path(__file__).parent
TITLE_LENGTH = 80


def pack_page(preparation: Preparation, answered: Answered | None = None) -> bytes:
    """The packed context as a page, with the answer to it where there is one."""
    shown = shown_excerpts(preparation)
    sections = list(_sections(preparation, shown, answered))
    style, script = _file("page.css"), _file("page.js")
    places = f"\n{treemap_rules(shown)}"
    question = preparation.shown.text.partition("\n")[0][:TITLE_LENGTH]
    return (
        Template(_file("page.html"))
        .substitute(
            title=text(f"{question or 'log'} · {preparation.snapshot.name} · repoqa"),
            policy=_policy(styles=(style, places), script=script),
            style=style,
            places=places,
            script=script,
            header=header(preparation, shown),
            links=join(
                element("li", element("a", name, href=f"#{anchor}")) for anchor, name, _ in sections
            ),
            sections=join(
                element(
                    "section",
                    element("h2", name, id=f"{anchor}-title"),
                    content,
                    id=anchor,
                    aria_labelledby=f"{anchor}-title",
                )
                for anchor, name, content in sections
            ),
            version=__version__,
        )
        .encode("utf-8")
    )


def _sections(
    preparation: Preparation, shown: list[Shown], answered: Answered | None
) -> Iterator[tuple[str, str, Markup]]:
    """Each section's id, its title and what it holds."""
    anchors = Anchors(shown)
    if answered:
        yield "answer", "Answer", answer(answered, anchors)
    yield "map", "Map", treemap(shown)
    yield "budget", "Budget", budget(preparation, shown)
    yield "ranking", "Ranking", ranking(preparation, anchors)
    yield "code", "Code", excerpts(shown)
    yield "left-out", "Left out", left_out(preparation, shown)
    yield "prompt", "Prompt", prompt(preparation.prompt.messages)


def _policy(*, styles: tuple[str, ...], script: str) -> str:
    allowed = " ".join(map(_hash, styles))
    return (
        f"default-src 'none'; style-src {allowed}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


@cache
def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
