"use strict";
// Search and keys; the page is whole without them. Nothing here makes markup out of text.
(() => {
  const form = document.getElementById("search");
  const wanted = document.getElementById("wanted");
  const found = document.getElementById("found");
  const keys = document.getElementById("keys");
  const excerpts = [...document.querySelectorAll(".excerpt")];
  const results = [...document.querySelectorAll(".result")];
  const cells = new Map(
    [...document.querySelectorAll("#treemap a")].map((cell) => [cell.getAttribute("href"), cell]),
  );
  const sections = { a: "answer", m: "map", b: "budget", r: "ranking", c: "code", l: "left-out", p: "prompt" };
  let texts = null; // made by the first search

  function search() {
    texts ??= new Map([...excerpts, ...results].map((each) => [each, each.textContent.toLowerCase()]));
    const words = wanted.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [each, text] of texts) {
      const matches = words.every((word) => text.includes(word));
      each.hidden = !matches;
      if (!each.id) continue;
      count += matches;
      cells.get("#" + each.id)?.classList.toggle("faint", !matches);
    }
    found.textContent = words.length ? `${count} of ${excerpts.length} excerpts` : "";
  }

  function clear() {
    if (wanted.value) {
      wanted.value = "";
      search();
    }
    wanted.blur();
  }

  function go(element) {
    if (!element) return;
    element.scrollIntoView();
    element.focus({ preventScroll: true });
  }

  function step(by) {
    const open = excerpts.filter((each) => !each.hidden);
    const at = open.indexOf(document.activeElement?.closest(".excerpt"));
    const next = at < 0 ? (by > 0 ? 0 : open.length - 1) : Math.min(Math.max(at + by, 0), open.length - 1);
    go(open[next]);
  }

  // A place in code that the search hides, or in a closed part, is shown before it is gone to.
  function reveal() {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.closest("[hidden]")) clear();
    for (let around = target.closest("details"); around; around = around.parentElement.closest("details")) {
      around.open = true;
    }
    target.scrollIntoView();
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && !keys.open) return clear();
    if (keys.open || event.target.closest("input, textarea, select")) return;
    const section = sections[event.key];
    if (event.key === "/") go(wanted);
    else if (event.key === "?") keys.showModal();
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (section && document.getElementById(section)) {
      const title = document.getElementById(section + "-title");
      title.tabIndex = -1;
      go(title);
    } else return;
    event.preventDefault();
  }

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  wanted.addEventListener("input", search);
  document.getElementById("help").addEventListener("click", () => keys.showModal());
  document.addEventListener("keydown", pressed);
  window.addEventListener("hashchange", reveal);
  reveal();
})();
