"""How long pages of `repoqa pack --html` take to open in Chromium: the median of several times.

python benchmarks/page_speed.py PAGE... (needs chromium, chromedriver and selenium)
"""

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from browser import chromium

RUNS = 5


def seconds_to_open(browser: Any, page: Path) -> tuple[float, float]:
    """Seconds until the page is loaded and drawn, and seconds that Chromium's own thread worked."""
    browser.get("about:blank")
    before = _work(browser)
    browser.get(page.resolve().as_uri())
    painted = browser.execute_async_script(
        "const done = arguments[0];"
        "requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())))"
    )
    return painted / 1000, _work(browser) - before


def _work(browser: Any) -> float:
    metrics = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


def main() -> None:
    """Print size, wall time and work for each page."""
    with tempfile.TemporaryDirectory() as folder, chromium(Path(folder)) as browser:
        browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        for page in map(Path, sys.argv[1:]):
            times = [seconds_to_open(browser, page) for _ in range(RUNS)]
            shown, worked = (statistics.median(column) for column in zip(*times, strict=True))
            print(
                f"{page.name}: {page.stat().st_size / 1e6:.2f} MB, drawn after {shown:.2f} s, "
                f"{worked:.2f} s of them work (medians of {RUNS})"
            )


if __name__ == "__main__":
    main()
