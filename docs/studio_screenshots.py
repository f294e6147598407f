"""Make the pictures of docs/studio.md: a studio is opened, used as people use it, and photographed.

    python docs/studio_screenshots.py [FOLDER [TAB...]] [--widths 1600,400] [--schemes light dark]

The content is scikit-image's `coffee` (CC0), the style a picture that impasto makes itself; the EKG ships with pydicom, the
volume with nilearn (pip install nilearn).
"""

from __future__ import annotations

import argparse
import base64
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from PIL import Image
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from playwright.sync_api import sync_playwright
from signals_figures import lead
from volumes_figure import brain

from impasto.media.volume import VOLUME
from impasto.media.volume.files import resample_volume

HERE = Path(__file__).parent / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"]
MINUTES = 600_000
HEIGHT = 1000
WIDEST = 1200  # pixels of a picture of a whole page, which is long


def paint(page: Any) -> None:
    """A cup of coffee, painted or found again, with the curtain half drawn."""
    if not found(page, "coffee in the style of evening"):
        for role, name in (("content", "coffee"), ("style", "evening")):
            page.locator(f"#{role} button[data-name={name}]").click()
            page.locator(f"#{role} .signal-input[data-filled]").wait_for()
        begin(page, iterations="60")
    shown(page, 38)


def found(page: Any, title: str) -> bool:
    """Whether it was painted before, and is opened again."""
    page.get_by_role("tab", name="History").click()
    run = page.locator("#history-list .open", has_text=title).first
    try:
        run.wait_for(timeout=20_000)
    except PlaywrightTimeoutError:
        page.get_by_role("tab", name="Paint").click()
        return False
    run.click()
    return True


def shown(page: Any, curtain: int = 0) -> None:
    """What is painted, with the curtain drawn so far."""
    page.locator("#download").wait_for()
    page.locator("#result-view .compare").evaluate(
        "(one, value) => { one.value = value; one.dispatchEvent(new Event('input')); }", curtain
    )
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(2500)


def masks(page: Any) -> None:
    """A cat whose eyes stay, in two styles."""
    page.get_by_role("tab", name="Paint").click()
    for role, name in (("content", "cat"), ("style", "evening")):
        page.locator(f"#{role} button[data-name={name}]").click()
        page.locator(f"#{role} .signal-input[data-filled]").wait_for()
    page.locator("#add-style").click()
    waves = page.locator("#style button[data-name=waves]").evaluate("button => button.style.backgroundImage.slice(5, -2)")
    picture = {"name": "waves.jpg", "mimeType": "image/jpeg", "buffer": base64.b64decode(waves.partition(",")[2])}
    page.locator("#style-2 .file").set_input_files(picture)
    page.locator("#style-2 .signal-input[data-filled]").wait_for()
    page.locator("#mask-painter .do", has_text="each style").wait_for()
    page.locator("#mask-painter .open").click()
    brush(page, 18, (0.34, 0.37), (0.42, 0.41))
    brush(page, 18, (0.7, 0.45), (0.76, 0.47))
    page.get_by_label("takes the style of waves").check(force=True)
    brush(page, 24, (0.0, 0.06), (1.0, 0.06))
    brush(page, 22, (0.0, 0.96), (1.0, 0.98))
    page.wait_for_timeout(1500)


def brush(page: Any, size: int, *points: tuple[float, float]) -> None:
    """A stroke over places of the content, in shares of its width and height."""
    page.locator("#mask-painter .size input").fill(str(size))
    box = page.locator("#mask-painter .picture").bounding_box()
    for number, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y, steps=6)
        if not number:
            page.mouse.down()
    page.mouse.up()


def explore(page: Any) -> None:
    """A unit, what excites it, what it wants to see, and where it is active."""
    page.get_by_role("tab", name="Explore").click()
    page.locator("#unit-patches .nine img").first.wait_for()
    page.locator("#unit-browser button[data-layer=relu4_1]").click()
    page.locator("#unit-patches h2", has_text="relu4_1").wait_for()
    page.locator("#unit-browser .sheet button[data-unit='17']").click()
    page.locator("#unit-patches h2", has_text="unit 17").wait_for()
    if page.locator("#feature-visualisation .begin").is_visible():
        page.locator("#feature-visualisation .begin").click()
    page.locator("#feature-visualisation img[src]").wait_for()
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(1500)


def learn(page: Any) -> None:
    """The lecture, as it is there at once."""
    page.get_by_role("tab", name="Learn").click()
    page.locator("#learn .maps canvas").first.wait_for()
    page.locator("#learn [data-volume=result][aria-label]").wait_for()
    page.wait_for_timeout(1500)


def series(page: Any) -> None:
    """A lead of an EKG that ships with pydicom, drawn as another lead of the same heart."""
    if not found(page, "Lead II in the style of Lead V1"):
        with tempfile.TemporaryDirectory() as folder:
            for role, name, part in (("content", "Lead II", slice(0, 5000)), ("style", "Lead V1", slice(5000, 10000))):
                path = Path(folder) / f"{name}.csv"
                table = np.stack([np.arange(5000) / 1000, lead(name, part).values[0]], 1)
                np.savetxt(path, table, "%g", ",", header=f"time,{name} (µV)", comments="", encoding="utf-8")
                give(page, role, path)
            begin(page, beta="1000")
    shown(page)


def volume(page: Any) -> None:
    """The T1 template that nilearn ships, in the style of impasto's own painting, with the curtain half drawn."""
    if not found(page, "brain in the style of evening"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "brain.nii.gz"
            path.write_bytes(VOLUME.encode(resample_volume(brain(), (40, 40, 40)), path, {}))
            give(page, "content", path)
            page.locator("#style button[data-name=evening]").click()
            page.locator("#style .signal-input[data-filled]").wait_for()
            begin(page, iterations="12")
    shown(page, 45)


def give(page: Any, role: str, path: Path) -> None:
    """A file for one of the tiles."""
    page.get_by_role("tab", name="Paint").click()
    page.locator(f"#{role} .file").set_input_files(path)
    page.locator(f"#{role} .note", has_text=path.name).wait_for()


def begin(page: Any, **settings: str) -> None:
    """Paint what is on the tiles, to its end."""
    page.locator("#more > button").click()
    page.locator("#set-size").wait_for()
    page.wait_for_timeout(1500)
    for name, value in settings.items():
        page.locator(f"#set-{name} :is(input, textarea)").fill(value)
    page.wait_for_timeout(500)
    page.locator("#more > button").click()
    page.locator("#paint").click()
    page.locator("#stop").wait_for()
    page.locator("#stop").wait_for(state="hidden")


def history(page: Any) -> None:
    """What was painted."""
    page.get_by_role("tab", name="History").click()
    page.locator("#history-list li").first.wait_for()
    page.wait_for_timeout(800)


Scheme = Literal["light", "dark"]
TABS: dict[str, Callable[[Any], None]] = {
    "paint": paint,
    "explore": explore,
    "learn": learn,
    "series": series,
    "volume": volume,
    "history": history,
    "masks": masks,
}


def photograph(address: str, folder: Path, tabs: list[str], widths: list[int], schemes: list[Scheme]) -> None:
    """A JPEG of each tab, as narrow or wide and as light or dark as is asked for."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for width in widths:
            for scheme in schemes:
                context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
                page = context.new_page()
                page.set_default_timeout(MINUTES)
                page.goto(address)
                page.locator("#content .ready button").first.wait_for()
                for tab in tabs:
                    TABS[tab](page)
                    page.mouse.move(0, 0)
                    name = f"studio-{tab}" if (width, scheme) == (1600, "light") else f"studio-{tab}-{width}-{scheme}"
                    whole = width < 800 or tab == "learn"
                    with Image.open(io.BytesIO(page.screenshot(full_page=whole))) as picture:
                        if whole:
                            picture.thumbnail((WIDEST, picture.height))
                        picture.convert("RGB").save(folder / f"{name}.jpg", quality=82, optimize=True)
                context.close()
        browser.close()


def main() -> None:
    """Open a studio in a folder of its own and photograph it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=HERE)
    parser.add_argument("tabs", nargs="*")
    parser.add_argument("--widths", default="1600")
    parser.add_argument("--schemes", nargs="+", choices=get_args(Scheme), default=["light"])
    parser.add_argument("--runs", type=Path, help="the folder of the studio; a new one if not given")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as new:
        folder = arguments.runs or Path(new) / "studio"
        command = [sys.executable, "-m", "impasto", "studio", "--no-browser", "--folder", str(folder)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        try:
            address = server.stdout.readline().split("open: ")[1].split()[0]
            widths = [int(width) for width in arguments.widths.split(",")]
            photograph(address, arguments.folder, arguments.tabs or list(TABS), widths, arguments.schemes)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
