"""Draws the picture of docs/explain.md: the page of a painting, as Chromium shows it.

python docs/explain_figure.py [CHROMIUM]
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from skimage import data

import impasto

HERE = Path(__file__).parent
SIZE = (1360, 985)


def painted(folder: Path) -> Path:
    """A photograph of a woman in the style of one of a cat, with its sources beside it."""
    Image.fromarray(data.chelsea()).save(folder / "cat.png")
    Image.fromarray(data.astronaut()).save(folder / "astronaut.png")
    settings = impasto.TransferSettings(size=384)
    impasto.transfer_style(folder / "astronaut.png", folder / "cat.png", settings).write(folder / "out.png")
    return folder / "out.png"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        page = Path(name) / "out.html"
        impasto.explain(painted(Path(name))).write(page)
        browser = driver.chromium.launch(executable_path=(sys.argv[1:] or ["/usr/bin/chromium"])[0], args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        view.goto(page.as_uri())
        view.locator("[data-ready]").wait_for()
        shot = view.screenshot(clip={"x": 0, "y": 0, "width": SIZE[0], "height": SIZE[1]})
        with Image.open(io.BytesIO(shot)) as picture:
            picture.convert("RGB").save(HERE / "images" / "explain.jpg", quality=84)
        browser.close()
