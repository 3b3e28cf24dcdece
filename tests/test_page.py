"""The page of a packed context: what it holds, and that nothing it is made of can break out."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from commands import ANSWER, QUESTION, SHOP, repoqa, repoqa_process, write_profile
from conftest import RepositoryMaker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import repoqa as interface
from repoqa.diagnosis.prepare import Preparation
from repoqa.formats.html.answer import Answered
from repoqa.formats.html.colours import coloured
from repoqa.formats.html.markup import Markup, element
from repoqa.formats.html.page import pack_page
from repoqa.formats.html.treemap import Rectangle, squarify
from repoqa.formats.json import printable
from repoqa.records import Answer, Citation, Context, Message, RankedSymbol, Suspect
from repoqa.visible import visible

ALLOWED = re.compile(
    "html|head|meta|title|link|style|body|a|header|p|h1|h2|h3|pre|dl|div|dt|dd|nav|ul|ol|li|form|"
    "label|input|output|button|main|section|span|b|i|svg|rect|table|thead|tbody|tr|th|td|details|"
    "summary|article|code|footer|dialog|kbd|script|strong|em|s|blockquote|hr|br|mark|small"
)
ATTRIBUTES = re.compile(
    "lang|charset|http-equiv|content|name|rel|href|class|id|hidden|for|role|type|placeholder|"
    "autocomplete|spellcheck|aria-(live|label|labelledby|hidden)|tabindex|viewbox|"
    "preserveaspectratio|x|width|height|scope|title|data-n|method"
)
VOID = ("meta", "link", "input", "rect", "hr", "br")
PIECES = [
    *("<script>", "</script>", "<img src=x onerror=alert(1)>", "</style>", "<!--", "-->", "]]>"),
    *('"', "'", "&", "&lt;", "<", ">", "`", "$style", "${title}", "\n", "\r", "\x00", "\x1b[2J"),
    *("\udcff", "\ud800", "\u202e", "](javascript:alert(1))", "[x](http://e.example)", "**", "12 "),
]
HOSTILE = st.lists(st.sampled_from(PIECES) | st.characters(), min_size=1, max_size=6).map("".join)


class Page(HTMLParser):
    """A page as read: its elements, whether they nest, and its texts by element."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(content.decode("utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.texts[-1][0] == self.open[-1]:
            self.texts[-1] = (self.open[-1], self.texts[-1][1] + data)

    def text_of(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def packed(root: Path) -> Preparation:
    return interface.pack(QUESTION, interface.open_repository(root))


@pytest.fixture
def shop(make_repository: RepositoryMaker) -> Path:
    return make_repository(SHOP)


def hostile(preparation: Preparation, word: str) -> Preparation:
    """A preparation in which everything that comes from outside says `word`."""
    question = replace(preparation.question, text=word, log=word, diff=word)
    symbols = tuple(
        RankedSymbol(word, replace(each.symbol, name=word), each.score, {word: each.score})
        for each in preparation.ranking.symbols
    )
    excerpts = tuple(
        replace(each, path=path, text=f"{path}:1-3\n1 {word}\n\n3 {word}")
        for each in preparation.context.excerpts
        for path in (word, f"{word}.py")
    )
    return replace(
        preparation,
        snapshot=replace(preparation.snapshot, name=word, revision=word),
        question=question,
        shown=question,
        ranking=replace(preparation.ranking, symbols=symbols),
        context=replace(preparation.context, excerpts=excerpts),
        prompt=replace(preparation.prompt, messages=(Message("user", word),)),
    )


def check_policy(page: Page, benign: Page) -> None:
    """Nothing but what this package writes runs, loads or leads anywhere."""
    for tag, attributes in page.tags:
        assert ALLOWED.fullmatch(tag)
        assert all(map(ATTRIBUTES.fullmatch, attributes))
        assert re.fullmatch(r"#[a-z0-9-]+|data:,", attributes.get("href") or "#a")
    assert page.text_of("script") == benign.text_of("script")
    assert page.text_of("style")[0] == benign.text_of("style")[0]
    assert re.fullmatch(r"(#[gm]\d+\{[a-z:.%;\d-]+\}\n|\s)*", page.text_of("style")[1])
    assert len(page.text_of("style")) == 2


def test_no_input_can_break_out(shop: Path) -> None:
    preparation = packed(shop)
    benign = Page(pack_page(preparation))

    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(HOSTILE)
    def holds(word: str) -> None:
        citations = (Citation(word, word, 1, 1, valid=True), Citation(word, "", 0, 0, valid=False))
        answered = Answered(
            Answer(f"# {word}\n\n{word} `{word}`\n\n```\n{word}\n```\n", citations),
            (Suspect(word, 1, 2, word, 1.0, word),),
            prompt_tokens=1,
            answer_tokens=1,
        )
        page = Page(pack_page(hostile(preparation, word), answered))
        check_policy(page, benign)
        safe = printable(visible(word))
        assert f"\n{safe}" in page.text_of("pre"), "the prompt is shown as it is"
        assert page.text_of("h1") in ([safe.partition("\n")[0]], ["What the log says"])

    holds()


def test_the_page_of_a_repository_that_means_harm(make_repository: RepositoryMaker) -> None:
    evil = '"><script>alert(1)</script>.py'
    root = make_repository({evil: f"def log_in(strengthen):\n    return '{evil}'\n", **SHOP})
    content = pack_page(packed(root))
    check_policy(Page(content), Page(pack_page(packed(make_repository(SHOP)))))
    assert b"&lt;script&gt;alert(1)&lt;/script&gt;.py" in content
    assert content.count(b"<script>") == 1


def test_markup_is_made_by_elements_alone() -> None:
    assert element("a", "<b>", href='"#', hidden=True, title=None) == (
        '<a href="&quot;#" hidden>&lt;b&gt;</a>'
    )
    assert element("p", element("b", "x"), ("y", Markup("<br>"))) == "<p><b>x</b>y<br></p>"


def test_the_whole_story_is_told(shop: Path) -> None:
    preparation = packed(shop)
    content = pack_page(preparation).decode()
    page = Page(content.encode())
    assert page.text_of("h2")[:-1] == ["Map", "Budget", "Ranking", "Code", "Left out", "Prompt"]
    anchors = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(anchors) == len(set(anchors))
    linked = {a["href"] for tag, a in page.tags if tag == "a" and a.get("href")}
    assert {(address or "")[1:] for address in linked} <= set(anchors)
    for excerpt in preparation.context.excerpts:
        assert f"{excerpt.path}:{excerpt.start}-{excerpt.end}" in content
    numbers = [a["data-n"] for _, a in page.tags if "data-n" in a]
    assert len(numbers) == sum(
        bool(line) for e in preparation.context.excerpts for line in e.text.split("\n")[1:]
    )


def test_the_budgets_parts_add_up(shop: Path) -> None:
    preparation = packed(shop)
    rows = re.findall(
        r'<tr><th scope="row">.*?</i>([\w ]+)</th><td class="number">([\d,]+)<',
        pack_page(preparation).decode(),
    )
    tokens = {name: int(count.replace(",", "")) for name, count in rows}
    assert tokens.pop("answer") == preparation.setup.profile.answer
    assert sum(tokens.values()) == preparation.setup.budget
    assert tokens["code"] == sum(
        each.tokens for each in preparation.context.excerpts if each.form == "full"
    )


def test_reasons_are_signed_and_add_up(shop: Path) -> None:
    content = pack_page(packed(shop)).decode()
    for result in re.findall(r'<li class="result">.*?</ul></li>', content, re.DOTALL):
        score = re.search(r'class="score">([\d.-]+)<', result)
        told = re.findall(r'class="number">([+-][\d.]+)<', result)
        assert score
        assert told
        assert sum(map(float, told)) == pytest.approx(float(score[1]), abs=0.01 * len(told) + 0.02)


def test_nothing_packed_is_a_page_too(shop: Path) -> None:
    preparation = replace(packed(shop), context=Context((), 0, 3))
    assert "No code of the repository matched" in pack_page(preparation).decode()


def test_a_treemap_by_hand() -> None:
    placed = squarify([6, 6, 4, 3, 2, 2, 1], Rectangle(0, 0, 6, 4))
    assert placed[:2] == [Rectangle(0, 0, 3, 2), Rectangle(0, 2, 3, 2)]
    assert [(r.left, r.top) for r in placed[2:4]] == [(3, 0), (pytest.approx(33 / 7 + 0.0), 0)]


@given(
    st.lists(st.integers(1, 10_000), min_size=1, max_size=40),
    st.floats(10, 2000),
    st.floats(10, 2000),
)
def test_a_treemap_fills_its_frame(sizes: list[int], width: float, height: float) -> None:
    sizes.sort(reverse=True)
    placed = squarify(sizes, Rectangle(0, 0, width, height))
    assert len(placed) == len(sizes)
    for size, place in zip(sizes, placed, strict=True):
        share = place.width * place.height / (width * height)
        assert share == pytest.approx(size / sum(sizes), rel=1e-6)
        assert place.left >= -1e-6 <= place.top
        assert place.left + place.width <= width * (1 + 1e-9) + 1e-6
        assert place.top + place.height <= height * (1 + 1e-9) + 1e-6


@given(st.lists(st.text(st.characters(blacklist_characters="\n\r\ufeff")), max_size=8))
@pytest.mark.parametrize("name", ["a.py", "b.js", "c.html", "Makefile", "x.unknown", "d.c"])
def test_colours_lose_no_character(name: str, lines: list[str]) -> None:
    shown = [visible(line) for line in lines]
    assert ["".join(text for _, text in line) for line in coloured(name, shown)] == shown


def test_colours() -> None:
    assert coloured("shop/a.py", ["def f():", '    return "x"  # y']) == [
        [("k", "def"), ("", " "), ("f", "f"), ("", "():")],
        [("", "    "), ("k", "return"), ("", " "), ("s", '"x"'), ("", "  "), ("c", "# y")],
    ]
    assert coloured("a.py", ["def " * 300]) == [[("", "def " * 300)]], "too long a line"
    assert coloured("a.py", []) == []


def test_pack_writes_the_page_and_nothing_else(shop: Path, tmp_path: Path) -> None:
    done = repoqa("pack", "--html", str(tmp_path / "page.html"), QUESTION, where=shop)
    assert (done.code, done.stdout) == (0, "")
    assert done.stderr == f"repoqa: page: {tmp_path / 'page.html'}\n"
    page = (tmp_path / "page.html").read_bytes()
    assert page.startswith(b"<!DOCTYPE html>")
    both = repoqa("pack", "--json", "--html", str(tmp_path / "2.html"), QUESTION, where=shop)
    assert json.loads(both.stdout)["question"] == QUESTION
    other = str(tmp_path / "3.html")
    repoqa_process("pack", "--html", other, QUESTION, where=shop, PYTHONHASHSEED="77")
    assert (tmp_path / "2.html").read_bytes() == (tmp_path / "3.html").read_bytes() == page


def test_a_page_that_cannot_be_written_is_told_at_once(shop: Path, tmp_path: Path) -> None:
    for command in ("pack", "ask"):
        done = repoqa(command, "--html", str(tmp_path), QUESTION, where=shop)
        assert (done.code, done.stdout) == (2, "")
        assert done.stderr == (
            f"repoqa: --html: {tmp_path} cannot be written: it is a folder\n"
            "Name another file: --html FILE\n"
        )


def test_ask_adds_the_answer_with_links_and_marks(shop: Path, tmp_path: Path) -> None:
    write_profile("reciter", ANSWER + "\n- **see** [this](http://e.example)\n")
    page = tmp_path / "page.html"
    done = repoqa("ask", "--model", "reciter", "--html", str(page), QUESTION, where=shop)
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("Suspects\n")
    assert done.stderr.endswith(f"repoqa: page: {page}\n")
    content = page.read_text()
    cited = re.findall(r'<a href="(#e\d+-\d+)" class="cited">([^<]+)<', content)
    assert sorted(text for _, text in cited) == [
        "log_in()",
        "shop/passwords.py:11-13",
        "shop/service.py:9",
    ]
    assert content.count('class="invented"') == 2
    assert "<s>shop/ghost.py:3</s> <small>not in this code</small>" in content
    assert "<li><p><strong>see</strong> this (http://e.example)</p></li>" in content or (
        "<li><strong>see</strong> this (http://e.example)</li>" in content
    )
    assert "5 places named, 2 of them not in this code and marked." in content
    assert '<ol class="suspects"><li><b>' in content
    assert all(f'id="{address[1:]}"' in content for address, _ in cited)


def test_json_and_a_dry_run_write_the_page_too(shop: Path, tmp_path: Path) -> None:
    write_profile("reciter", ANSWER)
    for number, flags in enumerate((("--json",), ("--json", "--stream"), ("--dry-run",))):
        page = tmp_path / f"{number}.html"
        options = ("--model", "reciter", "--html", str(page))
        done = repoqa("ask", *flags, *options, QUESTION, where=shop)
        assert done.code == 0, done.stderr
        assert ('id="answer"' in page.read_text()) == (flags != ("--dry-run",))


def test_a_page_in_the_repository_is_no_code_to_answer_from(shop: Path) -> None:
    before = pack_page(packed(shop))
    repoqa("pack", "--html", "page.html", QUESTION, where=shop)
    after = packed(shop)
    assert [(file.path, file.why) for file in after.index.skipped] == [
        ("page.html", "generated: its first lines say so")
    ]
    assert after.context == packed(shop).context
    assert "page.html" not in after.index.paths
    assert (shop / "page.html").read_bytes() == before
