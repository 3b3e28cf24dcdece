"""Ranking by meaning: the step with an embedder of the test's own, the cache, the real model."""

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import repoqa
from conftest import RepositoryMaker
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_code import MemoryCode
from numpy.typing import NDArray

from repoqa.checkup.reranking import reranker
from repoqa.evidence import question as evidence
from repoqa.index.terms import count_terms
from repoqa.index.vectors import FILE_NAME, VECTORS, CachedEmbedder
from repoqa.models.minilm import MODEL, TOKENIZER, MiniLM, Part, is_installed
from repoqa.protocols import Progress, Silent
from repoqa.ranking.rerank import CANDIDATES, REASON, SYMBOL_WEIGHT, rerank
from repoqa.records import RankedFile, RankedSymbol, Ranking, Symbol
from repoqa.settings import Settings

SILENT = Silent()
SIZE = 64
CART = """\
def total(items):
    return sum(items)


def empty(items):
    items.clear()
"""
CODE = {"shop/cart.py": CART, "shop/mail.py": "def send(letter):\n    letter.post()\n"}


QUESTION = "the letter is never posted when items are in the total"


class SharedWords:
    """An Embedder whose texts are near where they share words; counts the texts it read."""

    name = "shared-words"

    def __init__(self) -> None:
        self.read: list[str] = []

    def embed(self, texts: Sequence[str], *, progress: Progress) -> NDArray[np.float32]:
        self.read.extend(texts)
        vectors = np.full((len(texts), SIZE), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for term, number in count_terms(text).items():
                vectors[row, sum(term.encode()) % SIZE] += number
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


def ranked(path: str, name: str, score: float, *, kind: str = "function") -> RankedSymbol:
    (symbol,) = (s for s in MemoryCode(CODE).parsed(path).symbols if s.name == name)
    assert symbol.kind == kind
    return RankedSymbol(path, symbol, score, {"text": score})


RANKING = Ranking(
    (
        RankedFile("shop/cart.py", 5.0, {"text": 5.0}),
        RankedFile("shop/mail.py", 4.5, {"text": 4.5}),
    ),
    (
        ranked("shop/cart.py", "total", 5.0),
        ranked("shop/mail.py", "send", 4.8),
        ranked("shop/cart.py", "empty", 3.0),
    ),
)


def reranked(text: str, ranking: Ranking = RANKING) -> Ranking:
    return rerank(
        ranking,
        evidence.read(text),
        code=MemoryCode(CODE),
        embedder=SharedWords(),
        progress=SILENT,
    )


def test_what_means_the_same_comes_first() -> None:
    found = reranked("send letter post")
    assert [symbol.symbol.name for symbol in found.symbols] == ["send", "total", "empty"]
    assert found.files[0].path == "shop/mail.py"
    assert REASON in found.files[0].reasons


@given(st.text(max_size=60), st.lists(st.floats(0.01, 9), min_size=3, max_size=3))
@settings(max_examples=30, deadline=None)
def test_reasons_still_add_up(text: str, scores: list[float]) -> None:
    symbols = tuple(
        RankedSymbol(found.path, found.symbol, score, {"text": score})
        for found, score in zip(RANKING.symbols, scores, strict=True)
    )
    found = reranked(text, Ranking(RANKING.files, symbols))
    for file in found.files:
        assert sum(file.reasons.values()) == pytest.approx(file.score, abs=1e-6)
    for symbol in found.symbols:
        assert sum(symbol.reasons.values()) == pytest.approx(symbol.score, abs=1e-6)
    assert {s.symbol.name for s in found.symbols} == {"total", "empty", "send"}
    assert [s.score for s in found.symbols] == sorted(
        (s.score for s in found.symbols), reverse=True
    )
    assert all(0 <= s.reasons.get(REASON, 0) <= SYMBOL_WEIGHT for s in found.symbols)


def test_a_pin_stays_first() -> None:
    first, *others = RANKING.symbols
    pinned = RankedSymbol(first.path, first.symbol, 105.0, {"text": 5.0, "pinned": 100.0})
    found = reranked("send letter post", Ranking(RANKING.files, (pinned, *others)))
    assert [symbol.symbol.name for symbol in found.symbols] == ["total", "send", "empty"]


def test_nothing_to_compare_stays_as_it_is() -> None:
    assert reranked("send", Ranking((), ())) == Ranking((), ())
    one = Ranking(RANKING.files, RANKING.symbols[:1])
    assert reranked("send", one) is one


def test_only_the_first_candidates_are_read() -> None:
    count = CANDIDATES + 5
    source = "".join(f"def part{number}():\n    pass\n" for number in range(count))
    symbols = MemoryCode({"many.py": source}).parsed("many.py").symbols
    section = Symbol("L1-9", "section", 1, 9, header_end=1)
    ranking = Ranking(
        (),
        (
            RankedSymbol("many.py", section, 99.0, {"text": 99.0}),
            *(
                RankedSymbol("many.py", s, 50.0 - s.start, {"text": 50.0 - s.start})
                for s in symbols
            ),
        ),
    )
    embedder = SharedWords()
    code = MemoryCode({"many.py": source})
    rerank(ranking, evidence.read("part7"), code=code, embedder=embedder, progress=SILENT)
    assert len(embedder.read) == 2 + CANDIDATES
    assert embedder.read[-1] == f"part{CANDIDATES - 1}\ndef part{CANDIDATES - 1}():\n    pass"


def test_a_text_is_embedded_once(tmp_path: Path) -> None:
    first, second = SharedWords(), SharedWords()
    texts = ["send a letter", "empty the cart", "send a letter"]
    fresh = CachedEmbedder(first, tmp_path / "new").embed(texts, progress=SILENT)
    kept = CachedEmbedder(second, tmp_path / "new").embed([*texts, "total"], progress=SILENT)
    assert first.read == texts[:2]
    assert second.read == ["total"]
    assert kept[:3].tobytes() == fresh.tobytes()
    np.testing.assert_allclose(fresh, SharedWords().embed(texts, progress=SILENT), atol=1e-3)


def test_another_model_has_vectors_of_its_own(tmp_path: Path) -> None:
    CachedEmbedder(SharedWords(), tmp_path).embed(["total"], progress=SILENT)
    other = SharedWords()
    other.name = "other-words"
    CachedEmbedder(other, tmp_path).embed(["total"], progress=SILENT)
    assert other.read == ["total"]


def test_a_damaged_vector_is_embedded_again(tmp_path: Path) -> None:
    expected = CachedEmbedder(SharedWords(), tmp_path).embed(["total", "send"], progress=SILENT)
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        rows = database.execute("SELECT rowid, sealed FROM vectors").fetchall()
        rowid, sealed = rows[0]
        broken = sealed[:-1] + bytes([sealed[-1] ^ 1])
        database.execute("UPDATE vectors SET sealed = ? WHERE rowid = ?", (broken, rowid))
    database.close()
    again = SharedWords()
    found = CachedEmbedder(again, tmp_path).embed(["total", "send"], progress=SILENT)
    assert again.read == ["total"]
    assert found.tobytes() == expected.tobytes()


def test_a_file_that_is_no_database_is_replaced(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"not a database" * 100)
    read = []
    for _ in range(3):
        embedder = SharedWords()
        CachedEmbedder(embedder, tmp_path).embed(["total"], progress=SILENT)
        read.append(embedder.read)
    assert read in ([["total"], [], []], [["total"], ["total"], []])


def test_without_a_folder_to_write_every_text_is_embedded(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for _ in range(2):
        embedder = SharedWords()
        found = CachedEmbedder(embedder, tmp_path / "file").embed(["total"], progress=SILENT)
        assert embedder.read == ["total"]
        assert found.shape == (1, SIZE)


def test_the_vectors_kept_longest_go_first(tmp_path: Path) -> None:
    embedder = SharedWords()
    cached = CachedEmbedder(embedder, tmp_path, most=3)
    for text in ("one", "two", "three", "four", "five"):
        cached.embed([text], progress=SILENT)
    embedder.read.clear()
    cached.embed(["five", "four", "three"], progress=SILENT)
    assert embedder.read == []
    cached.embed(["two", "one"], progress=SILENT)
    assert embedder.read == ["two", "one"]


TEXTS = [
    "the login fails with a wrong password",
    "def authenticate(user, secret):\n    return user.check(secret)",
    "def render_chart(axis, colors):\n    return axis.plot(colors)",
    "sign-in is refused",
]
# Of the original 32-bit weights, by transformers' BertModel, averaged over the tokens.
COSINES = [
    [1.0, 0.341, 0.106, 0.485],
    [0.341, 1.0, 0.228, 0.309],
    [0.106, 0.228, 1.0, 0.008],
    [0.485, 0.309, 0.008, 1.0],
]


@pytest.fixture(scope="module")
def model() -> MiniLM:
    assert is_installed()
    return MiniLM()


def test_the_model_sees_what_the_original_sees(model: MiniLM) -> None:
    vectors = model.embed(TEXTS, progress=SILENT)
    np.testing.assert_allclose(vectors @ vectors.T, COSINES, atol=0.02)


def test_a_vector_does_not_depend_on_the_texts_beside_it(model: MiniLM) -> None:
    together = model.embed(TEXTS, progress=SILENT)
    alone = np.concatenate([model.embed([text], progress=SILENT) for text in TEXTS])
    assert together.tobytes() == alone.tobytes()


def test_texts_of_any_kind_and_length(model: MiniLM) -> None:
    texts = ["", "\0", "\udc80", "é" * 10, "word " * 5_000, "x" * 100_000]
    vectors = model.embed(texts, progress=SILENT)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert model.embed(["word " * 6_000], progress=SILENT).tobytes() == vectors[4].tobytes()


def test_parts_that_are_not_installed_or_not_the_ones_known() -> None:
    assert Part("no-such-package-anywhere", MODEL.file, "").path() is None
    assert Part(MODEL.package, "no/such/file", "").path() is None
    for part in (MODEL, TOKENIZER):
        path = part.path()
        assert path is not None
        assert path.stat().st_size > 100_000


@pytest.fixture
def shop(make_repository: RepositoryMaker, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPOQA_RERANK", "auto")
    return make_repository(CODE)


def packed(where: Path, *options: str) -> dict[str, Any]:
    done = repoqa("pack", "--json", "--no-stdin", *options, QUESTION, where=where)
    assert done.code == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    del report["run"]
    return report


def test_questions_are_reranked_alike_each_time(shop: Path) -> None:
    first = packed(shop)
    kept = Path(os.environ["REPOQA_CACHE_DIR"]) / VECTORS / FILE_NAME
    before = kept.read_bytes()
    assert packed(shop) == first
    assert kept.read_bytes() == before
    best = max(symbol["reasons"].get(REASON, 0) for symbol in first["symbols"])
    assert best == pytest.approx(SYMBOL_WEIGHT)
    for symbol in first["symbols"]:
        assert sum(symbol["reasons"].values()) == pytest.approx(symbol["score"], abs=1e-6)


@pytest.mark.parametrize(("options", "setting"), [(["--no-rerank"], "auto"), ([], "off")])
def test_it_can_be_left_out(
    shop: Path, monkeypatch: pytest.MonkeyPatch, *, options: list[str], setting: str
) -> None:
    monkeypatch.setenv("REPOQA_RERANK", setting)
    report = packed(shop, *options)
    assert all(REASON not in symbol["reasons"] for symbol in report["symbols"])
    assert not (Path(os.environ["REPOQA_CACHE_DIR"]) / VECTORS).exists()


def test_localize_measures_with_it_and_without(shop: Path, tmp_path: Path) -> None:
    report = {
        "id": "shop-1",
        "lang": "python",
        "repo": "shop",
        "history": shop.name,
        "base_commit": "HEAD",
        "problem_statement": QUESTION,
        "gold": [{"path": "shop/mail.py", "ranges": [[2, 2]]}],
    }
    (tmp_path / "reports.jsonl").write_text(json.dumps(report))
    localize = (
        "eval",
        "localize",
        "reports.jsonl",
        "--repos",
        str(shop.parent),
        "--out",
        "f.jsonl",
    )
    done = repoqa(*localize, "--rerank", where=tmp_path)
    assert done.code == 0, done.stderr
    words, meaning = done.stdout.split("\n\n")[:2]
    assert words.startswith("| all gold places in the first k, % |")
    assert meaning.startswith("| the same, reranked ")
    figures = json.loads((tmp_path / "f.jsonl").read_text())
    assert figures["reranked"].keys() == figures["hits"].keys()
    assert figures["seconds"].keys() == {"rank", "rerank", "pack"}


def test_doctor_says_whether_it_is_there(shop: Path) -> None:
    wanted = Settings(cache_dir=shop)
    assert reranker(wanted).state == "fine"
    assert "installed" in reranker(wanted).found
    assert reranker(replace(wanted, rerank="off")).found == "off: the setting `rerank` says so"
