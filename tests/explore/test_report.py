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
from impasto.explore.report import TILE, write_report
from impasto.explore.tiles import excited, patch_values, whole_field
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
    start = empty_index({"relu1_1": (0, 1, 2, 3), "relu3_1": (0, 1, 3)}, network="small", size=64, top=9, per_image=1)
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
        with Image.open(report / layer / "units-0.jpg") as picture:
            assert picture.size == (3 * TILE, len(units) * 3 * TILE)
        for unit in units:
            for suffix in ("-gradients", "-wants"):
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
    page.wait_for_function("[...document.querySelectorAll('#units .nine span')].every(i => i.style.backgroundImage)")
    page.locator('[data-unit="3"]').click()
    page.wait_for_function("document.querySelector('#unit').open")
    assert page.locator("#name").inner_text() == "relu3_1, unit 3"
    index = PatchIndex.load(report / "index.json")
    shown = excited(index.layers["relu3_1"][3])
    assert page.locator("#patches figure").count() == len(shown) > 0
    assert page.locator(".patch").count() == 2 * len(shown)
    source = page.locator(".source").first.bounding_box()
    outline = page.locator(".field").first.bounding_box()
    (top, bottom), (left, right) = shown[0].field
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


def test_the_small_patches_of_many_units_share_few_files(tmp_path: Path, network: ConvNet) -> None:
    """Before, a file for each unit took most of the time that a report takes."""
    pictures = {f"p{i}.png": np.random.default_rng(i).integers(0, 256, (40, 50, 3), np.uint8) for i in range(3)}
    start = empty_index({"relu1_1": (0, 1, 2, 3)}, network="small", size=64, top=4, per_image=1)
    *_, progress = search(network, pictures, start)
    write_report(progress.index, tmp_path / "report", sources=pictures)
    files = [path.relative_to(tmp_path / "report").as_posix() for path in (tmp_path / "report").rglob("*.*")]
    images = [f"images/{i}.webp" for i in range(3)]
    assert sorted(files) == sorted(["index.html", "index.json", *images, "relu1_1/layer.js", "relu1_1/units-0.jpg"])
    strip = np.asarray(Image.open(tmp_path / "report" / "relu1_1" / "units-0.jpg").convert("RGB"), float)
    for unit, patches in progress.index.layers["relu1_1"].items():
        for rank, patch in enumerate(excited(patches)):
            (top, bottom), (left, right) = patch.field
            if (bottom - top, right - left) != (3, 3):
                continue
            y, x = (unit * 2 + rank // 2) * TILE, rank % 2 * TILE
            tile = strip[y : y + TILE, x : x + TILE].reshape(3, 32, 3, 32, 3).mean((1, 3))
            assert np.abs(tile - pictures[patch.image][top:bottom, left:right]).mean() < 12


def test_a_large_patch_is_cut_of_its_source(browser: Any, report: Path) -> None:
    page, trouble = open_report(browser, report, "#relu3_1/3")
    page.wait_for_function("document.querySelector('#unit').open")
    index = PatchIndex.load(report / "index.json")
    field = whole_field(index, "relu3_1", excited(index.layers["relu3_1"][3])[0])
    view, picture = (page.locator(f".patch.cut{part}").first.bounding_box() for part in ("", " img"))
    scale = view["width"] / (field[1][1] - field[1][0])
    assert picture["width"] == pytest.approx(50 * scale, rel=0.01)
    assert picture["x"] - view["x"] == pytest.approx(-field[1][0] * scale, abs=1)
    assert picture["y"] - view["y"] == pytest.approx(-field[0][0] * scale, abs=1)
    assert not trouble
    page.close()


def test_units_stand_in_the_order_that_is_chosen(browser: Any, report: Path) -> None:
    page, trouble = open_report(browser, report, "#relu1_1")
    index = PatchIndex.load(report / "index.json")
    page.get_by_label("Order").select_option("strong")
    strongest = sorted(index.layers["relu1_1"], key=lambda unit: -index.layers["relu1_1"][unit][0].activation)
    shown = page.locator("#units button").evaluate_all("all => all.map(one => Number(one.dataset.unit))")
    assert shown == strongest
    page.locator("#units button").first.click()
    page.locator("#after").click()
    page.wait_for_function(f"document.querySelector('#name').textContent === 'relu1_1, unit {strongest[1]}'")
    assert not trouble
    page.close()


def test_numbers_say_what_they_are_and_the_histogram_ends_at_the_best(browser: Any, report: Path) -> None:
    page, trouble = open_report(browser, report, "#relu1_1/2")
    page.wait_for_function("document.querySelector('#unit').open")
    best = PatchIndex.load(report / "index.json").layers["relu1_1"][2][0].activation
    assert page.locator("#histogram text").last.text_content() == f"{best:.3g}"
    assert page.locator("#histogram rect").last.get_attribute("class") == "best"
    assert page.locator("figcaption").first.inner_text().startswith(f"activation {best:.3g} · ")
    assert page.locator("[data-unit='2'] .label span").text_content() == f"up to {best:.3g}"
    intro = page.locator("#intro").text_content() or ""
    assert all(word in intro for word in ("A layer is", "units is", "A patch is the field"))
    assert not trouble
    page.close()


def test_the_names_of_all_sixteen_layers_fit_at_1600_pixels(browser: Any, report: Path, tmp_path: Path) -> None:
    names = [f"relu{block}_{i}" for block, many in enumerate((2, 2, 4, 4, 4), 1) for i in range(1, many + 1)]
    text = (report / "index.html").read_text()
    layers = json.dumps({"relu1_1": 4} | dict.fromkeys(names, 4)).replace(" ", "")
    begin, end = text.index('"layers":{'), text.index(',"images"')
    (report / "many.html").write_text(text[:begin] + f'"layers":{layers}' + text[end:])
    page = browser.new_page(viewport={"width": 1600, "height": 900})
    page.goto((report / "many.html").as_uri())
    page.wait_for_selector("#units button")
    assert page.locator("#layers label").count() == 16
    assert page.evaluate("layers.scrollWidth <= layers.clientWidth && layers.offsetHeight < 60")
    page.close()
    (report / "many.html").unlink()


def test_with_the_keyboard_alone(browser: Any, report: Path) -> None:
    page, trouble = open_report(browser, report, "#relu1_1")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.hash === '#relu3_1'")
    page.wait_for_function("document.querySelectorAll('#units button').length === 3")
    for _ in range(3):  # order, number, units
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
