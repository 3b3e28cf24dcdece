"""Takes the picture of a page of `repoqa pack --html` that the documentation shows.

python benchmarks/page_picture.py PAGE PNG (needs chromium, chromedriver and selenium)
"""

import io
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from browser import chromium, prefer, resize
from PIL import Image

WIDTH, HEIGHT = 1200, 1780  # CSS pixels: down to the first result
COLOURS = 256  # half the bytes; colours of small areas are kept


def picture(page: Path) -> Image.Image:
    """The top of a page, in its light colours."""
    with tempfile.TemporaryDirectory() as folder, chromium(Path(folder)) as browser:
        resize(browser, WIDTH, HEIGHT)
        prefer(browser, prefers_color_scheme="light")
        browser.get(page.resolve().as_uri())
        taken = Image.open(io.BytesIO(browser.get_screenshot_as_png()))
    return taken.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=2)


if __name__ == "__main__":
    picture(Path(sys.argv[1])).save(sys.argv[2], optimize=True)
