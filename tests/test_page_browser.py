"""The page in a real Chromium: it renders, leads to the code, obeys the keys, and can be read."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import chromium, prefer, resize
from commands import ANSWER, QUESTION, SHOP, repoqa, write_profile
from conftest import RepositoryMaker

LEAST_CONTRAST = 4.5  # WCAG 2.2, level AA, for text of any size
# The contrast of every visible text with what is painted behind it, the lowest of each kind first.
CONTRASTS = """
const colour = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
  .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const paint = colour(getComputedStyle(each).backgroundColor);
    if (paint.length < 4 || paint[3] === 1) return paint;
  }
};
const kinds = {};
for (const details of document.querySelectorAll("details")) details.open = true;
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  const shown = element.checkVisibility({ visibilityProperty: true });
  if (!texts.currentNode.data.trim() || !shown) continue;
  const [one, two] = [light(colour(getComputedStyle(element).color)), light(behind(element))];
  const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  const kind = element.tagName + "." + element.className;
  kinds[kind] = Math.min(kinds[kind] ?? 99, contrast);
}
return kinds;
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(make_repository: RepositoryMaker, tmp_path: Path, browser: Any) -> Iterator[Path]:
    """The page of an answered question, opened; at the end nothing was logged or loaded."""
    root = make_repository({f"{n}/<b>{n}.py": SHOP["shop/service.py"] for n in "xyz"} | SHOP)
    write_profile("reciter", ANSWER)
    path = tmp_path / "page.html"
    options = ("--model", "reciter", "--html", str(path))
    assert repoqa("ask", *options, QUESTION, where=root).code == 0
    prefer(browser, prefers_color_scheme="light", prefers_reduced_motion="reduce")
    resize(browser, 1280, 900)
    browser.get(path.as_uri())
    yield path
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


def run(browser: Any, script: str, *arguments: object) -> Any:
    return browser.execute_script(f"return {script}", *arguments)


def press(browser: Any, *keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def found(browser: Any, selector: str) -> list[Any]:
    elements: list[Any] = browser.find_elements("css selector", selector)
    return elements


def test_the_map_is_drawn_to_scale_and_leads_to_the_code(browser: Any, page: Path) -> None:
    cells = found(browser, "#treemap a")
    assert len(cells) == len(found(browser, ".excerpt")) > 3
    areas = run(
        browser,
        """[...document.querySelectorAll("#treemap ul li")].map((cell) => {
          const { width, height } = cell.getBoundingClientRect();
          return [width * height, +cell.innerText.match(/([\\d,]+) tokens/)?.[1].replace(",", "")];
        }).filter(([, tokens]) => tokens > 50).map(([area, tokens]) => area / tokens)""",
    )
    assert len(areas) > 2
    assert max(areas) / min(areas) < 1.5, "borders and names of folders take a little"
    cells[0].click()
    anchor = cells[0].get_attribute("href").partition("#")[2]
    assert run(browser, "location.hash") == f"#{anchor}"
    assert 0 <= run(browser, "document.querySelector(':target').getBoundingClientRect().top") < 200


def test_the_answer_leads_to_its_lines(browser: Any, page: Path) -> None:
    link = next(a for a in found(browser, "#answer a.cited") if "passwords" in a.text)
    link.click()
    assert run(browser, "document.querySelector(':target').dataset.n") == "11"
    assert "def strengthen" in run(browser, "document.querySelector(':target').textContent")
    assert len(found(browser, "#answer .invented")) == 2


def test_every_key_does_what_the_page_says(browser: Any, page: Path) -> None:
    press(browser, "?")
    assert run(browser, "document.getElementById('keys').open")
    told = {each.text for each in found(browser, "#keys kbd")}
    assert told == {*"/jkambrclp?", "Esc"}
    press(browser, "\ue00c")
    assert not run(browser, "document.getElementById('keys').open")
    press(browser, "j", "j")
    assert run(browser, "document.activeElement.id") == "e2"
    press(browser, "k")
    assert run(browser, "document.activeElement.id") == "e1"
    for key, section in zip("ambrclp", found(browser, "main > section"), strict=True):
        press(browser, key)
        assert run(browser, "document.activeElement.parentElement") == section
    press(browser, "/")
    press(browser, "strengthen", " ", "rounds")
    count = len([each for each in found(browser, ".excerpt") if each.is_displayed()])
    everything = len(found(browser, ".excerpt"))
    assert 0 < count < everything
    assert found(browser, "#found")[0].text == f"{count} of {everything} excerpts"
    assert len(found(browser, "#treemap .faint")) == everything - count
    press(browser, "\ue00c")
    assert all(each.is_displayed() for each in found(browser, ".excerpt"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(browser: Any, page: Path, scheme: str) -> None:
    prefer(browser, prefers_color_scheme=scheme)
    for width in (1280, 360):
        resize(browser, width, 900)
        contrasts = browser.execute_script(CONTRASTS)
        assert len(contrasts) > 20
        assert {kind: c for kind, c in contrasts.items() if c < LEAST_CONTRAST} == {}
        assert run(browser, "document.documentElement.scrollWidth") <= width
    colour = run(browser, "getComputedStyle(document.documentElement).backgroundColor")
    assert (colour == "rgb(21, 23, 26)") == (scheme == "dark")


def test_it_is_named_and_reached_without_a_mouse(browser: Any, page: Path) -> None:
    press(browser, "\ue004")
    assert run(browser, "document.activeElement.className") == "skip"
    assert run(browser, "getComputedStyle(document.activeElement).outlineStyle") == "solid"
    nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if "role" in n]
    for role in ("main", "navigation", "search", "searchbox", "contentinfo"):
        assert role in {r for r, _ in named}
    links = ("link", "button", "searchbox", "region")
    assert [r for r, name in named if r in links and not name.strip()] == []


@contextlib.contextmanager
def without_scripts(browser: Any) -> Iterator[None]:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        yield
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_it_is_whole_without_scripts_and_in_print(browser: Any, page: Path) -> None:
    with without_scripts(browser):
        browser.get(page.as_uri())
    assert not found(browser, "#search")[0].is_displayed()
    assert all(cell.size["width"] > 0 for cell in found(browser, "#treemap a"))
    assert all(each.is_displayed() for each in found(browser, ".excerpt, .result, details"))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not found(browser, "nav")[0].is_displayed()
    assert all(each.is_displayed() for each in found(browser, ".excerpt"))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_nothing_of_the_repository_runs(
    make_repository: RepositoryMaker, browser: Any, tmp_path: Path
) -> None:
    payload = "<script>window.owned=1</script><img src=x onerror=window.owned=1>"
    root = make_repository(
        {
            f'a"{payload}.py': f"def log_in():\n    strengthen('''{payload}</pre>''')\n",
            "<script>.py": "def strengthen():\n    '</script><script>window.owned=1</script>'\n",
        }
    )
    write_profile("reciter", f"{payload}\n\n[x](javascript:window.owned=1) `{payload}`\n")
    path = tmp_path / "page.html"
    options = ("--model", "reciter", "--html", str(path))
    assert repoqa("ask", *options, f"{QUESTION} {payload}", where=root).code == 0
    browser.get(path.as_uri())
    assert run(browser, "window.owned ?? null") is None
    assert run(browser, "document.images.length + document.scripts.length") == 1
    assert "<script>.py:1-2" in found(browser, "#code")[0].text
    assert browser.get_log("browser") == []
    # Even markup that is put there by hand does nothing: the policy holds.
    run(browser, "document.body.insertAdjacentHTML('beforeend', arguments[0])", payload)
    assert run(browser, "window.owned ?? null") is None
    assert any("Content Security Policy" in e["message"] for e in browser.get_log("browser"))
