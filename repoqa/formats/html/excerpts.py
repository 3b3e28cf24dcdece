"""The packed code, best first, with line numbers, colours and an id for each line."""

from collections.abc import Iterator, Sequence

from repoqa.answers.suspects import why
from repoqa.formats.html.colours import coloured
from repoqa.formats.html.markup import Markup, element, join
from repoqa.formats.html.shown import Shown
from repoqa.formats.json import printable
from repoqa.visible import visible

FORMS = {"full": "", "outline": "outline", "signature": "signature"}
FILL = "the rest of a file of which most was chosen"
SKETCHED = {
    "outline": "what stands around the code shown, or belongs to its files",
    "signature": "calls the code shown, is called by it, or did not fit whole",
}


def excerpts(shown: Sequence[Shown]) -> Markup:
    """The excerpts."""
    return join(_excerpt(each, len(shown)) for each in shown)


def _excerpt(each: Shown, count: int) -> Markup:
    found, form = each.excerpt, FORMS[each.excerpt.form]
    reason = SKETCHED.get(found.form) or (why(each.ranked[0].reasons) if each.ranked else FILL)
    return element(
        "article",
        element(
            "header",
            element("i", class_=f"swatch h{each.heat}"),
            element(
                "h3",
                element("a", each.place, href=f"#{each.anchor}", tabindex="-1"),
                element("span", form, class_="badge") if form else "",
            ),
            element(
                "p",
                f"{each.title} · " if each.ranked else "",
                f"{found.tokens:,} tokens · score {each.score:.2f} · "
                f"no. {each.position:,} of {count:,} in the prompt",
                class_="place",
            ),
            element("p", reason, class_="why"),
        ),
        element(
            "pre",
            element("code", _lines(each)),
            tabindex=0,
            role="region",
            aria_label=f"Code of {each.place}",
        ),
        id=each.anchor,
        class_="excerpt",
        tabindex=-1,
    )


def _lines(each: Shown) -> Iterator[Markup]:
    texts = [printable(visible(line.text)) for line in each.lines]
    before = 0
    for line, pieces in zip(each.lines, coloured(each.excerpt.path, texts), strict=True):
        if line.number and before and line.number > before + 1:
            yield element("span", "⋯", class_="gap", aria_hidden="true")
        before = line.number or before + 1
        code = (element("span", text, class_=name) if name else text for name, text in pieces)
        number = line.number or None
        anchor = f"{each.anchor}-{number}" if number else None
        yield element("span", code, "\n", id=anchor, data_n=number, class_="l")
