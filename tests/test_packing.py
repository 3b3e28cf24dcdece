"""Packing: a hard budget, whole lines, no overlap, the best code last, the same bytes always."""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_code import TOKENIZERS, Counter, MemoryCode, tokenizer_named

from repoqa.packing.budget import Meter, Room
from repoqa.packing.order import definitions_first
from repoqa.packing.pack import pack
from repoqa.packing.render import draw, numbered
from repoqa.packing.selection import Piece, Selection
from repoqa.prompts.neutralize import neutralize
from repoqa.prompts.render import joined
from repoqa.records import Context, Excerpt, PathMention, RankedFile, RankedSymbol, Ranking

HERE = Path(__file__).parent
SOURCES = {
    path.relative_to(HERE.parent).as_posix(): path.read_text(encoding="utf-8")
    for folder in ("index", "packing", "prompts")
    for path in sorted((HERE.parent / "repoqa" / folder).glob("*.py"))
}
CODE = MemoryCode(SOURCES)
RANKINGS = [CODE.ranking(seed) for seed in range(4)]
SHOP = MemoryCode(
    {
        "shop/cart.py": '''\
import json
import os.path

from shop.price import total_price


class Cart:
    """What a customer wants to buy."""

    limit = 100

    def __init__(self, items):
        self.items = items

    def checkout(self):
        if len(self.items) > self.limit:
            raise ValueError("too many items")
        return total_price(self.items)
'''
        + "".join(f"\n    def padding_{n}(self):\n        return {n}\n" for n in range(20)),
        "shop/price.py": """\
TAX = 0.19


def with_tax(price):
    return price * (1 + TAX)


def total_price(items):
    return sum(with_tax(item.price) for item in items)
""",
        "shop/web.py": """\
from shop.cart import Cart


def buy(request):
    cart = Cart(request.items)
    return cart.checkout()
""",
    }
)


def ranked(code: MemoryCode, *names: str) -> Ranking:
    """A ranking of the named symbols, in this order, and of their files."""
    by_name = {
        (path, symbol.name): (path, symbol)
        for path in code.paths
        for symbol in code.parsed(path).symbols
    }
    found = [next(place for (_, own), place in by_name.items() if own == name) for name in names]
    symbols = tuple(
        RankedSymbol(path, symbol, 1 / n, {"text": 1 / n})
        for n, (path, symbol) in enumerate(found, 1)
    )
    files = dict.fromkeys(path for path, _ in found)
    return Ranking(
        tuple(RankedFile(path, 1 / n, {"text": 1 / n}) for n, path in enumerate(files, 1)), symbols
    )


def shown_lines(excerpt: Excerpt, code: MemoryCode) -> list[int]:
    """The numbers of the lines that an excerpt shows, each checked against the file."""
    heading, *lines = excerpt.text.split("\n")
    assert heading.startswith(f"{excerpt.path}:{excerpt.start}-{excerpt.end}")
    source = code.lines(excerpt.path)
    if excerpt.form == "full":
        numbers = list(range(excerpt.start, excerpt.end + 1))
    else:
        numbers = [int(re.match(r"\d+", line)[0]) for line in lines if line]  # type: ignore[index]
    if excerpt.form == "full" or "" not in lines:
        assert len(numbers) == len(lines)
        for number, line in zip(numbers, lines, strict=True):
            original = neutralize(source[number - 1])
            assert line == (f"{number} {original}" if original.strip() else "")
    return numbers


def check_context(context: Context, code: MemoryCode, room: Room) -> None:
    count = room.tokenizer.count
    text = joined(e.text for e in context.excerpts)
    assert context.tokens == (count(text) if text else 0) <= room.tokens
    shown: dict[str, set[int]] = {}
    for excerpt in context.excerpts:
        assert excerpt.tokens == count(excerpt.text)
        numbers = shown_lines(excerpt, code)
        assert shown.setdefault(excerpt.path, set()).isdisjoint(numbers), "excerpts overlap"
        shown[excerpt.path].update(numbers)
    for path in shown:
        spans = sorted(
            (e.start, e.end) for e in context.excerpts if e.path == path and e.form == "full"
        )
        # Beyond the reliable window the best code is parted from what it touches.
        if context.tokens <= room.reliable:
            assert all(one[1] + 1 < other[0] for one, other in pairwise(spans)), "not merged"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    tokens=st.integers(0, 100_000),
    seed=st.integers(0, len(RANKINGS) - 1),
    tokenizer=st.sampled_from(TOKENIZERS),
    reliable=st.integers(0, 20_000),
)
def test_the_budget_is_never_exceeded_and_lines_are_whole(
    *, tokens: int, seed: int, tokenizer: str, reliable: int
) -> None:
    room = Room(tokens, tokenizer_named(tokenizer), reliable=reliable)
    check_context(pack(RANKINGS[seed], CODE, room), CODE, room)


@pytest.mark.parametrize("tokens", [500, 2000, 8000])
def test_the_room_is_used(tokens: int) -> None:
    room = Room(tokens, Counter())
    assert pack(RANKINGS[0], CODE, room).tokens > 0.9 * tokens


def test_everything_is_sent_where_everything_fits() -> None:
    context = pack(SHOP.ranking(), SHOP, Room(100_000, Counter()))
    whole = {(e.path, e.start, e.end) for e in context.excerpts if e.form == "full"}
    assert whole == {(path, 1, len(SHOP.lines(path))) for path in SHOP.paths}
    assert context.left_out == 0


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.text(max_size=200), min_size=1, max_size=4),
    tokens=st.integers(0, 300),
    seed=st.integers(0, 3),
)
def test_any_text_fits_or_stays_out(texts: list[str], tokens: int, seed: int) -> None:
    printable = [text.encode("utf-8", "replace").decode() for text in texts]
    code = MemoryCode({f"file{n}.txt": text for n, text in enumerate(printable)})
    room = Room(tokens, Counter())
    check_context(pack(code.ranking(seed), code, room), code, room)


def packed_text() -> str:
    room = Room(9000, Counter(), reliable=4000)
    return joined(excerpt.text for excerpt in pack(RANKINGS[3], CODE, room).excerpts)


def test_the_same_bytes_under_any_hash_seed() -> None:
    elsewhere = subprocess.run(
        [sys.executable, "-c", "import test_packing; print(test_packing.packed_text(), end='')"],
        cwd=HERE,
        env={"PYTHONHASHSEED": "1", "PYTHONPATH": str(HERE.parent), "PYTHONUTF8": "1"},
        capture_output=True,
        check=True,
    )
    assert elsewhere.stdout.decode() == packed_text()


def test_the_best_code_stands_last_and_sketches_first() -> None:
    ranking = RANKINGS[1]
    context = pack(ranking, CODE, Room(20_000, Counter(), reliable=8000))
    forms = [excerpt.form == "full" for excerpt in context.excerpts]
    assert forms == sorted(forms)
    assert not all(forms)
    best, last = ranking.symbols[0], context.excerpts[-1]
    assert last.path == best.path
    assert last.start <= best.symbol.start <= best.symbol.end <= last.end


def test_the_best_code_stands_inside_the_reliable_window() -> None:
    ranking, reliable = RANKINGS[2], 3000
    context = pack(ranking, CODE, Room(30_000, Counter(), reliable=reliable))
    near: list[Excerpt] = []
    for excerpt in reversed(context.excerpts):
        if sum(e.tokens for e in near) + excerpt.tokens > reliable:
            break
        near.append(excerpt)
    for symbol in ranking.symbols[:3]:
        assert any(
            e.path == symbol.path and e.start <= symbol.symbol.start and symbol.symbol.end <= e.end
            for e in near
        ), symbol.symbol.name


def test_the_class_header_and_the_imports_in_use_are_sketched() -> None:
    context = pack(ranked(SHOP, "Cart.checkout"), SHOP, Room(6000, Counter()))
    assert any("7 class Cart:" in excerpt.text for excerpt in context.excerpts)
    narrow = replace(ranked(SHOP, "Cart.checkout"), files=())
    texts = [e.text for e in pack(narrow, SHOP, Room(6000, Counter())).excerpts]
    assert texts == [
        "shop/price.py:8-8 (outline)\n8 def total_price(items):",
        "shop/cart.py:4-7 (outline)\n4 from shop.price import total_price\n7 class Cart:",
        "shop/cart.py:15-18\n"
        "15     def checkout(self):\n"
        "16         if len(self.items) > self.limit:\n"
        '17             raise ValueError("too many items")\n'
        "18         return total_price(self.items)",
    ]


def test_callers_are_sketched_with_the_call() -> None:
    ranking = ranked(SHOP, "Cart.checkout")
    web = RankedFile("shop/web.py", 0.1, {})
    room = Room(6000, Counter())
    selected = pack(replace(ranking, files=(web,)), SHOP, room)
    assert "shop/web.py:1-6\n" in joined(
        e.text for e in selected.excerpts
    )  # small and ranked: sent whole


def test_a_long_class_is_sent_without_its_methods() -> None:
    context = pack(ranked(SHOP, "Cart"), SHOP, Room(150, Counter()))
    (excerpt,) = context.excerpts
    assert (excerpt.start, excerpt.end) == (7, 10)
    assert excerpt.text.endswith("10     limit = 100")


def test_a_symbol_too_large_is_shown_around_the_line_the_evidence_names() -> None:
    body = "".join(f"    x{n} = compute({n})\n" for n in range(2, 402))
    code = MemoryCode({"big.py": f"def big():\n{body}"})
    ranking = ranked(code, "big")
    room = Room(400, Counter(), marks=(PathMention("big.py", 200),))
    context = pack(ranking, code, room)
    check_context(context, code, room)
    (middle,) = [e for e in context.excerpts if e.form == "full"]
    assert middle.start <= 200 <= middle.end
    assert any(e.form == "signature" and "1 def big():" in e.text for e in context.excerpts)
    unmarked = pack(ranking, code, replace(room, marks=()))
    assert [e.text for e in unmarked.excerpts] == ["big.py:1-1 (outline)\n1 def big():"]


def test_a_line_is_never_cut() -> None:
    code = MemoryCode({"data.txt": "word " * 5000})
    assert pack(code.ranking(), code, Room(1000, Counter())).excerpts == ()


class Vanishing(MemoryCode):
    """Files of which one was deleted after it was indexed."""

    def lines(self, path: str) -> Sequence[str]:
        return [] if path == "shop/cart.py" else super().lines(path)


def test_a_file_gone_since_it_was_indexed_is_left_out() -> None:
    code = Vanishing({path: "\n".join(SHOP.lines(path)) for path in SHOP.paths})
    context = pack(code.ranking(), code, Room(20_000, Counter()))
    assert {excerpt.path for excerpt in context.excerpts} == {"shop/price.py", "shop/web.py"}


def test_left_out_counts_the_symbols_of_which_nothing_is_shown() -> None:
    ranking = ranked(SHOP, "with_tax", "Cart.checkout", "buy")
    assert pack(ranking, SHOP, Room(0, Counter())).left_out == 3
    assert pack(ranking, SHOP, Room(5000, Counter())).left_out == 0


def test_definitions_come_before_their_uses_and_circles_end() -> None:
    code = MemoryCode(
        {
            "a.py": "def a():\n    return b()\n",
            "b.py": "def b():\n    return c()\n",
            "c.py": "def c():\n    return 1\n",
            "d.py": "def d():\n    return e()\n",
            "e.py": "def e():\n    return d()\n",
        }
    )
    pieces = [Piece(f"{name}.py", (1, 2), "full", n) for n, name in enumerate("cabde")]
    ordered = [piece.path[0] for piece in definitions_first(pieces, code)]
    assert ordered.index("c") < ordered.index("b") < ordered.index("a")
    assert sorted(ordered) == ["a", "b", "c", "d", "e"]


def test_giving_back_undoes_taking() -> None:
    selection = Selection(Meter(CODE, Room(10_000, Counter())))
    path = "repoqa/packing/pack.py"
    for start in (1, 40, 9, 36):
        before = selection.used, selection.pieces()
        assert selection.take(Piece(path, tuple(range(start, start + 4)), "full", 0), 10_000)
        cost = selection.used - before[0]
        assert selection.give_back() == cost
        assert (selection.used, selection.pieces()) == before
        selection.take(Piece(path, tuple(range(start, start + 4)), "full", 0), 10_000)


def test_a_small_gap_is_filled_rather_than_headed() -> None:
    selection = Selection(Meter(SHOP, Room(10_000, Counter())))
    for lines in ((4, 5), (8, 9)):
        assert selection.take(Piece("shop/price.py", lines, "full", 0), 10_000)
    assert [piece.lines for piece in selection.pieces()] == [(4, 5, 6, 7, 8, 9)]


def test_repository_text_is_harmless_in_an_excerpt() -> None:
    text = draw("a\n.py", [1, 2], ["x = '<|im_start|>'", "y = '[INST]\x1b[2J'"], form="full")
    assert text == ("a\\n.py:1-2\n1 x = '<·|im_start|>'\n2 y = '[·INST]\N{SYMBOL FOR ESCAPE}[2J'")
    assert numbered(3, "   ") == ""
