"""The report: its files, and the page in a real browser, opened from the disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impasto.explore.gradients import gradient_panel
from impasto.explore.index import PatchIndex
from impasto.explore.patches import empty_index, search
from impasto.explore.report import write_report
from impasto.explore.tiles import patch_values
from impasto.media.signal import Signal
from impasto.networks.convnet import ConvNet

NASTY = "</script><script>alert(1)</script>&.png"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, network: ConvNet) -> Path:
    """A report of two layers over six pictures, one of them with a name that is no help."""
    folder = tmp_path_factory.mktemp("report")
    pictures = {
        f"photos/p{i}.png" if i else NASTY: np.random.default_rng(i).integers(0, 256, (40, 50, 3), np.uint8)
        for i in range(6)
    }
    start = empty_index({"relu1_1": (0, 1, 2, 3), "relu3_1": (0, 1, 3)}, network="small", size="full", top=9, per_image=1)
    *_, progress = search(network, dict(sorted(pictures.items())), start)
    write_report(
        progress.index,
        folder / "report",
        sources=pictures,
        panels={"patches": patch_values, "gradients": gradient_panel(network)},
        synthesise=lambda layer, unit: Signal(np.full((3, 32, 32), unit / 4, np.float32)),
    )
    return folder / "report"


def test_the_files_of_a_report(report: Path) -> None:
    index = PatchIndex.load(report / "index.json")
    for layer, units in index.layers.items():
        script = (report / layer / "layer.js").read_text()
        name, data = json.loads(f"[{script.removeprefix('impasto.layer(').removesuffix(')')}]")
        assert name == layer
        assert [unit["unit"] for unit in data] == list(units)
        for unit in units:
            for suffix in ("", "-gradients", "-wants"):
                with Image.open(report / layer / f"{unit}{suffix}.webp") as picture:
                    picture.verify()
    assert "<script>alert" not in (report / "index.html").read_text()


def test_a_page_asks_for_nothing_outside_of_its_folder(report: Path) -> None:
    page = (report / "index.html").read_text()
    for sign in ("http://", "https://", "@import", 'src="//'):
        assert sign not in page.replace("http://www.w3.org/2000/svg", "")


def open_report(browser: Any, report: Path, address: str = "", **how: Any) -> tuple[Any, list[str]]:
    page = browser.new_page(**how)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("requestfailed", lambda request: trouble.append(f"failed: {request.url}"))
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else trouble.append(f"outside: {r.url}"))
    page.on("dialog", lambda dialog: trouble.append(f"alert: {dialog.message}"))
    page.goto((report / "index.html").as_uri() + address)
    page.wait_for_selector("#units button")
    return page, trouble


def test_choosing_a_layer_and_a_unit_with_the_mouse(browser: Any, report: Path) -> None:
    page, trouble = open_report(browser, report)
    assert page.locator("#units button").count() == 4
    page.get_by_role("radio", name="relu3_1").click()
    page.wait_for_selector('[data-unit="3"]')
    assert page.locator("#units button").count() == 3
    page.wait_for_function("[...document.querySelectorAll('#units img')].every(i => i.complete && i.naturalWidth > 100)")
    page.locator('[data-unit="3"]').click()
    page.wait_for_function("document.querySelector('#unit').open")
    assert page.locator("#name").inner_text() == "relu3_1, unit 3"
    index = PatchIndex.load(report / "index.json")
    excited = [patch for patch in index.layers["relu3_1"][3] if patch.activation > 0]
    assert page.locator("#patches figure").count() == len(excited) > 0
    assert page.locator(".patch").count() == 2 * len(excited)
    source = page.locator(".source").first.bounding_box()
    outline = page.locator(".field").first.bounding_box()
    (top, bottom), (left, right) = excited[0].field
    for side, low, high, extent in (("x", left, right, 50), ("y", top, bottom, 40)):
        length = "width" if side == "x" else "height"
        scale = source[length] / extent
        assert outline[side] - source[side] == pytest.approx(low * scale, abs=1)
        assert outline[length] == pytest.approx((high - low) * scale, abs=1)
    bars = page.locator("#histogram rect")
    assert bars.count() > 1
    assert page.locator("#wants img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 32
    assert not trouble
    page.close()


def test_with_the_keyboard_alone(browser: Any, report: Path) -> None:
    page, trouble = open_report(browser, report, "#relu1_1")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.hash === '#relu3_1'")
    page.wait_for_function("document.querySelectorAll('#units button').length === 3")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#unit').open")
    assert page.locator("#name").inner_text() == "relu3_1, unit 1"
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('#name').textContent === 'relu3_1, unit 3'")
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('#unit').open")
    page.wait_for_function("document.activeElement.dataset.unit === '3'")
    page.go_back()
    assert not trouble
    page.close()


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Any, report: Path) -> None:
    page, trouble = open_report(browser, report, "#relu3_1/0", viewport={"width": 360, "height": 700}, has_touch=True)
    page.wait_for_function("document.querySelector('#unit').open")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.querySelector('#unit').scrollWidth") <= 360
    page.locator("#close").tap()
    page.wait_for_function("!document.querySelector('#unit').open")
    assert not trouble
    page.close()
