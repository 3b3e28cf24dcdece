"""The first screen of the page: the question, the figures, the map and the budget."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from repoqa.diagnosis.prepare import Preparation
from repoqa.formats.html.markup import Markup, element, join
from repoqa.formats.html.shown import HEATS, Shown
from repoqa.formats.html.treemap import Rectangle, squarify
from repoqa.prompts.parts import evidence_parts, share

SHORT_REVISION = 12
LONG_TITLE = 140  # characters of a first line that is more than a heading
# The map's shape in a wide window, in pixels; cells are placed in percent of it.
MAP = Rectangle(0, 0, 1200, 460)
FOLDER_LABEL = 20  # pixels of a folder's name above its cells (page.css has them too)
MOST_FOLDERS = 12  # with more, folders are joined into those above them
SMALL_FOLDER = 0.05  # of the code's tokens: its name would not fit above its cells
ROOT = "(root)"
Group = tuple[str, list[Shown]]
"""A folder's name and the excerpts in it."""
UNITS = 1000  # of a bar's width
FORMS = {"full": "code", "outline": "outlines", "signature": "signatures"}


def header(preparation: Preparation, shown: Sequence[Shown]) -> Markup:
    """Whose code it is, the question, and what the page holds in figures."""
    snapshot, setup, prompt = preparation.snapshot, preparation.setup, preparation.prompt
    revision = snapshot.revision[:SHORT_REVISION] if snapshot.revision else "working tree"
    about = "" if prompt.exact else "≤ "
    figures = (
        (f"{about}{prompt.tokens:,}", f"tokens of {setup.budget:,}"),
        (f"{len(shown):,}", "excerpts"),
        (f"{len({each.excerpt.path for each in shown}):,}", "files shown"),
        (f"{len(preparation.index.paths):,}", "files read"),
    )
    title, _, rest = preparation.shown.text.partition("\n")
    return element(
        "header",
        element("p", f"{snapshot.name} · {revision} · {setup.profile.name}", class_="where"),
        element(
            "h1",
            title or "What the log says",
            class_="long" if len(title) > LONG_TITLE else None,
        ),
        _rest(rest.strip("\n")),
        element(
            "dl",
            (
                element("div", element("dt", name), element("dd", figure))
                for figure, name in figures
            ),
            class_="figures",
        ),
        _redacted(preparation.redacted),
        class_="top",
    )


def _rest(question: str) -> Markup:
    """The question below its first line."""
    if not question.strip():
        return Markup()
    label = "The rest of the question"
    return element("pre", question, class_="rest", tabindex=0, role="region", aria_label=label)


def _redacted(count: int) -> Markup:
    if not count:
        return Markup()
    secrets = "1 secret is" if count == 1 else f"{count:,} secrets are"
    return element("p", f"{secrets} redacted in the prompt and on this page.", class_="hint")


def treemap(shown: Sequence[Shown]) -> Markup:
    """The packed code as an area: a cell for each excerpt, in the box of its folder."""
    if not shown:
        return element("p", "No code of the repository matched the question.")
    scale = (element("span", class_=f"swatch h{heat}", aria_hidden="true") for heat in range(HEATS))
    return join(
        (
            element(
                "p",
                "Area: tokens in the prompt. Colour: how much it matters, ",
                element("span", "little ", scale, " most", class_="scale"),
                ". A cell leads to its code.",
                class_="hint",
            ),
            element(
                "ul",
                (_folder(*group) for group in enumerate(_folders(shown))),
                id="treemap",
                class_="map",
            ),
        )
    )


def _folder(number: int, group: Group) -> Markup:
    name, members = group
    tokens = _size(group)
    return element(
        "li",
        element("span", name, class_="folder", title=f"{name}: {tokens:,} tokens"),
        element("ul", (element("li", _cell(each), id=f"m{each.number}") for each in members)),
        id=f"g{number}",
    )


def _cell(each: Shown) -> Markup:
    tokens = f"{each.excerpt.tokens:,} tokens"
    described = f"{each.title}, {each.place}, {tokens}, score {each.score:.2f}"
    return element(
        "a",
        element("b", each.label),
        element("span", f"{each.file}:{each.excerpt.start}"),
        element("span", tokens),
        href=f"#{each.anchor}",
        title=described,
        aria_label=described,
        class_=f"h{each.heat}",
    )


def treemap_rules(shown: Sequence[Shown]) -> str:
    """The style rules that place the map's cells; numbers alone, nothing of the repository."""
    groups = _folders(shown)
    sizes = [float(_size(group)) for group in groups]
    rules = []
    for number, (frame, (_, members)) in enumerate(zip(squarify(sizes, MAP), groups, strict=True)):
        rules.append(_rule(f"g{number}", frame, MAP))
        inside = Rectangle(0, 0, frame.width, max(frame.height - FOLDER_LABEL, 1.0))
        cells = squarify([float(each.excerpt.tokens) for each in members], inside)
        rules += [
            _rule(f"m{each.number}", cell, inside)
            for each, cell in zip(members, cells, strict=True)
        ]
    return "".join(rules)


def _rule(name: str, place: Rectangle, inside: Rectangle) -> str:
    left, width = (100 * part / inside.width for part in (place.left, place.width))
    top, height = (100 * part / inside.height for part in (place.top, place.height))
    return f"#{name}{{left:{left:.3f}%;top:{top:.3f}%;width:{width:.3f}%;height:{height:.3f}%}}\n"


def _folders(shown: Sequence[Shown]) -> list[Group]:
    """The excerpts by folder, the largest folder and the largest excerpt first; small folders
    stand together."""
    deepest = max((each.folder.count("/") + 1 for each in shown), default=1)
    groups: list[Group] = []
    for depth in range(deepest, 0, -1):
        groups = _by_folder(shown, depth)
        if len(groups) <= MOST_FOLDERS:
            break
    least = SMALL_FOLDER * sum(map(_size, groups))
    small = [group for group in groups if _size(group) < least]
    if len(small) > 1:
        groups = [group for group in groups if _size(group) >= least]
        groups.append((f"{len(small)} other folders", [each for _, own in small for each in own]))
    largest_first = sorted(groups, key=lambda group: (-_size(group), group[0]))
    return [(name, sorted(own, key=_largest_first)) for name, own in largest_first]


def _size(group: Group) -> int:
    return sum(each.excerpt.tokens for each in group[1])


def _by_folder(shown: Iterable[Shown], depth: int) -> list[Group]:
    named = [("/".join(each.folder.split("/")[:depth]) or ROOT, each) for each in shown]
    ordered = sorted(named, key=lambda pair: pair[0])
    return [
        (name, [each for _, each in group])
        for name, group in groupby(ordered, key=lambda pair: pair[0])
    ]


def _largest_first(each: Shown) -> tuple[int, int]:
    return -each.excerpt.tokens, each.number


def budget(preparation: Preparation, shown: Sequence[Shown]) -> Markup:
    """What the budget is spent on, as a bar and in numbers; the answer's reserve on top of it."""
    parts = list(_parts(preparation, shown))
    total = sum(tokens for _, _, tokens, _ in parts)
    bar, left = [], 0.0
    for kind, _, tokens, _ in parts:
        width = UNITS * tokens / total
        bar.append(element("rect", x=f"{left:.2f}", width=f"{width:.2f}", height=10, class_=kind))
        left += width
    rows = (
        element(
            "tr",
            element("th", element("i", class_=f"swatch {kind}"), name, scope="row"),
            element("td", f"{tokens:,}", class_="number"),
            element("td", f"{100 * tokens / total:.1f} %", class_="number"),
            element("td", what),
        )
        for kind, name, tokens, what in parts
    )
    columns = ("part", "tokens", "share", "what it is")
    head = element("tr", (element("th", name, scope="col") for name in columns))
    return join(
        (
            element(
                "svg",
                bar,
                viewBox=f"0 0 {UNITS} 10",
                preserveAspectRatio="none",
                class_="budget",
                aria_hidden="true",
            ),
            element("table", element("thead", head), element("tbody", rows), class_="parts"),
        )
    )


def _parts(preparation: Preparation, shown: Sequence[Shown]) -> Iterator[tuple[str, str, int, str]]:
    """Each part's colour, name, tokens and description, in the prompt's order."""
    setup, prompt = preparation.setup, preparation.prompt
    code = [
        (f"p-{form}", name, sum(s.excerpt.tokens for s in shown if s.excerpt.form == form), "")
        for form, name in FORMS.items()
    ]
    given = [
        (f"p-{part.name.replace(' ', '-')}", part.name, part.tokens, share(part))
        for part in evidence_parts(
            preparation.question, preparation.shown, tokenizer=setup.tokenizer
        )
    ]
    rest = prompt.tokens - sum(tokens for _, _, tokens, _ in (*code, *given))
    described = {
        "code": "the best symbols and files, whole",
        "outlines": "what stands around them",
        "signatures": "what they call, what calls them, what did not fit whole",
    }
    yield "p-instructions", "instructions", rest, "the task, and the model's chat format"
    for kind, name, tokens, _ in code:
        if tokens:
            yield kind, name, tokens, described[name]
    yield from given
    unused = setup.budget - prompt.tokens
    if unused > 0:
        yield "p-unused", "unused", unused, f"of the budget of {setup.budget:,} tokens"
    answer = setup.profile.answer
    yield "p-answer", "answer", answer, "kept free for the answer, on top of the budget"
