"""A picture goes through the network: shapes and channels are those of its activations, and the page goes by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torch import nn

import impasto
from impasto.errors import SettingsError, UnknownLayerError
from impasto.explanation.walk import walk, write_walk
from impasto.explore.trained import trained_network
from impasto.media.image.read import read_image
from tests.conftest import Run


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "coffee.jpg"
    Image.fromarray(data.coffee()).resize((120, 80)).save(path)
    return path


def test_each_step_has_the_shape_and_the_most_active_channels_of_its_layer(photo: Path):
    network, _ = trained_network()
    seen, steps = walk(read_image(photo), network, ["relu1_1", "pool2", "conv3_1"], size=96, channels=5)
    assert seen.shape == (3, 64, 96)
    a, order = np.zeros(0), np.zeros(0, int)
    for step in steps:
        a = np.asarray(network(torch.from_numpy(seen)[None], [step.layer])[step.layer][0], np.float64)
        assert step.shape == a.shape
        field = network.field(step.layer)
        assert field is not None
        assert step.field == field.size
        order = np.abs(a).mean((1, 2)).argsort()[::-1][:5]
        assert step.channels == tuple(order)
        np.testing.assert_allclose(step.peaks, np.abs(a[order]).max((1, 2)), rtol=1e-5)
        np.testing.assert_allclose(step.means, a[order].mean((1, 2)), rtol=1e-3)
        assert step.active == pytest.approx((a > 0).mean())
    small = np.abs(a[order])  # 16 x 24 positions are drawn as they are
    expected = np.round(255 * small / small.max((1, 2), keepdims=True))
    assert np.abs(steps[-1].maps - expected).max() <= 1
    assert [step.operation for step in steps] == ["relu", "pool", "conv"]


def test_a_module_of_ones_own_is_walked_through(photo: Path, tmp_path: Path):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.Tanh(), nn.Conv2d(4, 6, 3))
    own = impasto.wrap(module, {"first": "0", "last": "2"})
    steps = write_walk(photo, tmp_path / "own.html", network=own, size=64)
    assert [(step.layer, step.shape[0], step.field) for step in steps] == [("first", 4, 3), ("last", 6, 7)]


def test_what_cannot_be_walked_is_told(photo: Path, tmp_path: Path):
    table = tmp_path / "heart.csv"
    table.write_text("\n".join(str(i % 7) for i in range(200)))
    with pytest.raises(SettingsError, match=r"heart\.csv is a series; only pictures are walked through the layers yet"):
        write_walk(table, tmp_path / "walk.html")
    with pytest.raises(UnknownLayerError, match=r"did you mean .relu3_4"):
        write_walk(photo, tmp_path / "walk.html", "relu3_9")
    assert not (tmp_path / "walk.html").exists()


@pytest.fixture(scope="module")
def page_file(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("walk") / "walk.html"
    write_walk(photo, path, size=96, channels=12)
    return path


def test_the_command_writes_the_page(run: Run, photo: Path, tmp_path: Path):
    page = tmp_path / "walk.html"
    code, out, _ = run("explore", "walk", str(photo), "-o", str(page), "--size", "64", "--layer", "relu1_1,block2_conv1")
    assert (code, page.is_file()) == (0, True)
    assert "2 layers" in out
    code, _, told = run("explore", "walk", str(photo), "-o", str(photo))
    assert code == 1
    assert told == f"impasto: {photo}: a page is written with the ending .html, not '.jpg'\n"


@pytest.mark.parametrize(("width", "scheme"), [(1600, "light"), (400, "dark")])
def test_the_page_goes_from_layer_to_layer_by_keyboard(
    page_file: Path, chromium: Callable[..., Any], width: int, scheme: Any
):
    browser = chromium()
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(("data:", page_file.as_uri())) else trouble.append(r.url))
    page.goto(page_file.as_uri())
    page.locator("[data-ready]").wait_for()
    ladder = page.locator("[role=listbox]")
    assert ladder.locator("[role=option]").count() == 21
    ladder.focus()
    seen = set[str]()
    for key, title in (
        ("ArrowDown", "relu1_2"),
        ("ArrowDown", "pool1"),
        ("End", "pool5"),
        ("ArrowUp", "relu5_4"),
        ("Home", "relu1_1"),
    ):
        page.keyboard.press(key)
        assert page.locator("[data-place=title]").inner_text() == title
        assert ladder.locator("[aria-selected=true] b").inner_text() == title
        assert page.locator(".walked canvas").count() == 12
        seen.add(page.locator("canvas[data-place=large]").evaluate("(canvas) => canvas.toDataURL()"))
    assert len(seen) == 5
    assert "n_C = 64 channels of 96 × 64 positions: 393,216 values" in page.locator("[data-place=words]").inner_text()
    second = page.locator(".walked button").nth(1)
    second.press("Enter")
    assert f"channel {second.inner_text().strip()} of relu1_1" in page.locator("[data-place=large-caption]").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not trouble
    browser.close()
