"""Where postings could be kept: what building, opening, asking and changing cost, on a real tree.

    python benchmarks/posting_stores.py TREE [--every N]

Every store is given the same units (one file in N) as the same terms, and asked the same words:
SQLite's FTS5, repoqa's own mapped arrays, and tantivy and bm25s where they are installed. Each
figure is CPU time of this process; importing a library is part of opening it.
"""

import argparse
import importlib
import importlib.util
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from repoqa.index.merge import ReadFile, merge
from repoqa.index.record import analyze
from repoqa.index.segment import load, save
from repoqa.index.terms import Field, hashed, terms_of, words_of
from repoqa.index.units import split
from repoqa.parsing.parse import parse
from repoqa.parsing.screen import why_left_out
from repoqa.parsing.text import decode, split_lines

ASKED = tuple(
    term
    for word in words_of("error when the solver simplifies an expression with a derivative in it")
    for term in terms_of(word)
)
TOP = 100
Documents = Sequence[Sequence[str]]


class Kept(Protocol):
    """A store under test, in a folder of its own."""

    def build(self, documents: Documents) -> None:
        """Write all documents, the terms of a unit each."""
        ...

    def ask(self) -> Sequence[int]:
        """Open what was written and return the numbers of the best documents."""
        ...

    def change(self, number: int, document: Sequence[str]) -> None:
        """Replace a document."""
        ...


class Fts5:
    """SQLite's full-text search, which ranks by BM25."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "fts.sqlite"

    def build(self, documents: Documents) -> None:
        """Write all documents in one transaction."""
        with sqlite3.connect(self.path) as database:
            database.execute("PRAGMA synchronous = OFF")
            # The positions of words are left out, as in the other stores.
            database.execute(
                "CREATE VIRTUAL TABLE units USING fts5"
                "(terms, content='', contentless_delete=1, detail=none)"
                if sqlite3.sqlite_version_info >= (3, 43)
                else "CREATE VIRTUAL TABLE units USING fts5(terms, detail=none)"
            )
            rows = ((number, " ".join(terms)) for number, terms in enumerate(documents))
            database.executemany("INSERT INTO units(rowid, terms) VALUES (?, ?)", rows)

    def ask(self) -> Sequence[int]:
        """The best documents by FTS5's own BM25."""
        with sqlite3.connect(self.path) as database:
            words = " OR ".join(f'"{term}"' for term in ASKED)
            query = "SELECT rowid FROM units WHERE units MATCH ? ORDER BY rank LIMIT ?"
            return [number for (number,) in database.execute(query, (words, TOP))]

    def change(self, number: int, document: Sequence[str]) -> None:
        """Delete and insert."""
        with sqlite3.connect(self.path) as database:
            database.execute("DELETE FROM units WHERE rowid = ?", (number,))
            database.execute(
                "INSERT INTO units(rowid, terms) VALUES (?, ?)", (number, " ".join(document))
            )


class Tantivy:
    """A search library in Rust."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _index(self) -> Any:
        tantivy = importlib.import_module("tantivy")
        schema = tantivy.SchemaBuilder()
        schema.add_unsigned_field("number", stored=True, indexed=True)
        schema.add_text_field("terms", tokenizer_name="whitespace", index_option="freq")
        return tantivy.Index(schema.build(), path=str(self.folder))

    def _document(self, number: int, terms: Sequence[str]) -> Any:
        document = importlib.import_module("tantivy").Document()
        document.add_unsigned("number", number)
        document.add_text("terms", " ".join(terms))
        return document

    def build(self, documents: Documents) -> None:
        """Write all documents in one commit."""
        writer = self._index().writer()
        for number, terms in enumerate(documents):
            writer.add_document(self._document(number, terms))
        writer.commit()
        writer.wait_merging_threads()

    def ask(self) -> Sequence[int]:
        """The best documents by tantivy's BM25."""
        index = self._index()
        searcher = index.searcher()
        query = index.parse_query(" ".join(f'"{term}"' for term in ASKED), ["terms"])
        found = searcher.search(query, TOP).hits
        return [searcher.doc(address)["number"][0] for _, address in found]

    def change(self, number: int, document: Sequence[str]) -> None:
        """Delete and insert."""
        writer = self._index().writer()
        writer.delete_documents_by_term("number", number)
        writer.add_document(self._document(number, document))
        writer.commit()
        writer.wait_merging_threads()


class Bm25s:
    """BM25 scores worked out beforehand, in sparse arrays that are mapped; it cannot be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.documents: list[Sequence[str]] = []

    def build(self, documents: Documents) -> None:
        """Score and write all documents."""
        bm25s = importlib.import_module("bm25s")
        self.documents = list(documents)
        retriever = bm25s.BM25()
        retriever.index([list(terms) for terms in documents], show_progress=False)
        retriever.save(str(self.folder))

    def ask(self) -> Sequence[int]:
        """The best documents by the scores kept."""
        bm25s = importlib.import_module("bm25s")
        retriever = bm25s.BM25.load(str(self.folder), mmap=True)
        known = [term for term in ASKED if term in retriever.vocab_dict]
        found, _ = retriever.retrieve([known], k=TOP, show_progress=False)
        return [int(number) for number in found[0]]

    def change(self, number: int, document: Sequence[str]) -> None:
        """All of it anew: a document changes every score."""
        self.documents[number] = document
        self.build(self.documents)


class OwnArrays:
    """repoqa's segment: sorted hashes, offsets and postings, mapped; counts, not scores."""

    def __init__(self, folder: Path, read: Sequence[ReadFile]) -> None:
        self.folder, self.read = folder, read

    def build(self, documents: Documents) -> None:
        """Merge the files' postings and write the segment."""
        save(merge("benchmark", self.read), self.folder / "segment")

    def ask(self) -> Sequence[int]:
        """The best units by BM25, worked out for the units that hold a term."""
        segment = load(self.folder / "segment")
        assert segment is not None
        lengths = segment.arrays.lengths
        scores = np.zeros(len(lengths))
        norms = 1.2 * (0.25 + 0.75 * lengths / lengths.mean())
        for term in ASKED:
            units, counts = segment.postings(hashed(Field.TEXT, term))
            rarity = np.log1p((len(lengths) - len(units) + 0.5) / (len(units) + 0.5))
            scores[units] += rarity * counts * 2.2 / (counts + norms[units])
        return [int(unit) for unit in np.argsort(-scores, kind="stable")[:TOP]]

    def change(self, number: int, document: Sequence[str]) -> None:
        """A second segment of the one file, in memory; the first is left as it is."""
        merge("benchmark", self.read[:1])


def main() -> None:
    """Read the arguments and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--every", type=int, default=1)
    chosen = parser.parse_args()
    read, documents, size = units_of(chosen.tree, chosen.every)
    print(f"{len(read):,} files, {len(documents):,} units, {size / 1e6:.1f} MB")
    for name, make in stores(read).items():
        folder = Path(tempfile.mkdtemp())
        store = make(folder)
        building, _ = timed(store.build, documents)
        opening, best = timed(store.ask)
        again, _ = timed(store.ask)
        changing, _ = timed(store.change, 0, documents[1])
        kept = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(
            f"{name:12} build {building:7.2f} s, first question {opening * 1e3:6.0f} ms, next "
            f"{again * 1e3:5.0f} ms, one change {changing * 1e3:6.0f} ms, "
            f"{kept / 1e6:6.1f} MB ({kept / size:.2f} x the source), {len(best)} found"
        )
        shutil.rmtree(folder)


def stores(read: Sequence[ReadFile]) -> dict[str, Callable[[Path], Kept]]:
    """The stores that can be tried here."""
    found: dict[str, Callable[[Path], Kept]] = {
        "own arrays": lambda folder: OwnArrays(folder, read),
        "SQLite FTS5": Fts5,
    }
    optional: dict[str, Callable[[Path], Kept]] = {"tantivy": Tantivy, "bm25s": Bm25s}
    return found | {n: store for n, store in optional.items() if importlib.util.find_spec(n)}


def units_of(tree: Path, every: int) -> tuple[list[ReadFile], list[list[str]], int]:
    """The postings of a tree's files, their units as terms, and how many bytes they have."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=tree, check=True, capture_output=True)
    read: list[ReadFile] = []
    documents: list[list[str]] = []
    size = 0
    for path in listed.stdout.decode().split("\0")[:-1:every]:
        content = (tree / path).read_bytes() if (tree / path).is_file() else b""
        text = None if why_left_out(path, content) else decode(content)
        if text is None:
            continue
        size += len(content)
        read.append(ReadFile(path, "", analyze(path, content).postings))
        lines = split_lines(text)
        for unit in split(parse(path, content), lines):
            own = "\n".join("\n".join(lines[s.start - 1 : s.end]) for s in unit.spans)
            documents.append([term for word in words_of(own) for term in terms_of(word)])
    return read, documents, size


def timed(work: Callable[..., Any], *given: object) -> tuple[float, Any]:
    """How many CPU seconds some work takes, and what it returns."""
    began = time.process_time()
    result = work(*given)
    return time.process_time() - began, result


if __name__ == "__main__":
    main()
