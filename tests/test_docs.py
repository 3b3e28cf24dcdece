"""The documentation holds together: all is listed, and every link and test it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = [target for target, _ in LINK.findall(text)]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_page_and_schema_is_in_the_index() -> None:
    index = DOCS / "README.md"
    listed = {(DOCS / target).resolve() for target, _ in LINK.findall(index.read_text("utf-8"))}
    pages = {page for page in DOCS.glob("*.md") if page != index}
    schemas = set((DOCS / "schema").iterdir())
    assert schemas
    assert (pages | schemas) - listed == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_is_named_is_there(page: Path) -> None:
    named = re.findall(r"`(tests/[\w/.-]+\.py)(?:::(\w+))?`", page.read_text(encoding="utf-8"))
    for path, test in named:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert f"def {test}(" in text if test else text, f"{path}::{test}"
