"""The model's answer: Markdown by markdown-it, no HTML and no link of its own, its citations as
links to the code on the page and marked where they do not exist."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repoqa.formats.html.markup import Markup, element, join, text
from repoqa.formats.html.shown import Anchors
from repoqa.records import Answer, Citation, Suspect

if TYPE_CHECKING:
    from markdown_it.token import Token

BLOCKS = {
    "paragraph_open": "p",
    "bullet_list_open": "ul",
    "ordered_list_open": "ol",
    "list_item_open": "li",
    "blockquote_open": "blockquote",
    "table_open": "table",
    "thead_open": "thead",
    "tbody_open": "tbody",
    "tr_open": "tr",
    "th_open": "th",
    "td_open": "td",
    "heading_open": "h3",
}
INLINE = {"strong_open": "strong", "em_open": "em", "s_open": "s"}
INVENTED = "not in this code"


@dataclass(frozen=True, slots=True)
class Answered:
    """A question's answer, its suspects and the tokens of its prompts and of itself."""

    answer: Answer
    suspects: tuple[Suspect, ...]
    prompt_tokens: int
    answer_tokens: int


def answer(answered: Answered, anchors: Anchors) -> Markup:
    """The suspects, the answer, and what its citations are worth."""
    citations = answered.answer.citations
    wrong = sum(not citation.valid for citation in citations)
    named = f"{len(citations):,} {'place' if len(citations) == 1 else 'places'} named"
    verdict = f"{wrong:,} of them not in this code and marked" if wrong else "all in this code"
    summary = f"{named}, {verdict}. " if citations else ""
    used = f"{answered.prompt_tokens:,} tokens read, {answered.answer_tokens:,} written."
    return join(
        (
            element("h3", "Suspects, by the ranking"),
            element(
                "ol", (_suspect(each, anchors) for each in answered.suspects), class_="suspects"
            ),
            element("h3", "The model's answer"),
            element(
                "div", _Writer(citations, anchors).written(answered.answer.text), class_="said"
            ),
            element("p", summary, used, class_="hint"),
        )
    )


def _suspect(suspect: Suspect, anchors: Anchors) -> Markup:
    place = f"{suspect.path}:{suspect.start}-{suspect.end}"
    address = anchors.of(suspect.path, suspect.start, suspect.end)
    where = element("a", place, href=address) if address else place
    name = element("b", suspect.name)
    return element("li", name, " ", where, element("p", suspect.why, class_="why"))


class _Writer:
    """Writes Markdown as markup, with links and marks in place of citations."""

    def __init__(self, citations: Sequence[Citation], anchors: Anchors) -> None:
        self._marks = {each.text: _mark(each, anchors) for each in citations if each.text}
        longest_first = sorted(self._marks, key=lambda name: (-len(name), name))
        named = "|".join(map(re.escape, longest_first))
        self._named = re.compile(rf"(?<![\w/.])({named})(?!\w)") if named else None

    def written(self, content: str) -> Markup:
        """The whole answer."""
        from markdown_it import MarkdownIt

        parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
        return _nested(parser.parse(content), self._block)

    def _block(self, token: "Token") -> Markup:
        if token.type == "inline":
            return _nested(token.children or (), self._inline)
        if token.type in ("fence", "code_block"):
            return element("pre", "\n", element("code", self._cited(token.content)), tabindex=0)
        return element("hr") if token.type == "hr" else text(token.content)

    def _inline(self, token: "Token") -> Markup:
        if token.type == "code_inline":
            return element("code", self._cited(token.content))
        if token.type in ("softbreak", "hardbreak"):
            return Markup("\n" if token.type == "softbreak" else "<br>")
        if token.type == "image":  # never loaded: its description alone
            return text(f"[{token.content}]({token.attrGet('src')})")
        return join(self._cited(token.content))

    def _cited(self, content: str) -> Iterator[Markup]:
        parts = self._named.split(content) if self._named else [content]
        for part in parts:
            yield self._marks.get(part) or text(part)


def _nested(tokens: "Sequence[Token]", leaf: "Callable[[Token], Markup]") -> Markup:
    """markdown-it's flat list of openings and closings as elements inside each other."""
    levels: list[list[Markup]] = [[]]
    addresses: list[str] = []
    for token in tokens:
        if token.nesting == 1:
            levels.append([])
            addresses.append(str(token.attrGet("href") or ""))
        elif token.nesting == -1:
            inside, address = join(levels.pop()), addresses.pop()
            levels[-1].append(_closed(token.type, inside, address))
        else:
            levels[-1].append(leaf(token))
    return join(levels[0])


def _closed(kind: str, inside: Markup, address: str) -> Markup:
    opened = kind.replace("_close", "_open")
    if opened == "link_open":  # where it leads is shown, and not followed
        return join((inside, f" ({address})" if address not in inside else ""))
    name = BLOCKS.get(opened) or INLINE.get(opened)
    return element(name, inside) if name else inside


def _mark(citation: Citation, anchors: Anchors) -> Markup:
    if not citation.valid:
        claim, verdict = element("s", citation.text), element("small", INVENTED)
        return element("mark", claim, " ", verdict, class_="invented")
    address = anchors.of(citation.path, citation.start, citation.end) if citation.path else ""
    if address:
        return element("a", citation.text, href=address, class_="cited")
    return element(
        "span", citation.text, class_="cited", title="It exists, but was not in the prompt."
    )
