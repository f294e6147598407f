"""Pictures that are painted: grey ones stay grey, small ones small, and styles are read as large as strokes want them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

from impasto import TransferSettings, transfer_style
from impasto.media.image.read import read_image
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from impasto.transfer.inputs import take_in
from impasto.transfer.scales import plan_scales

GREY = np.asarray(Image.fromarray(data.camera()).resize((40, 32)))
COLOUR = np.asarray(Image.fromarray(data.coffee()).resize((40, 32)))
QUICK: dict[str, Any] = {"iterations": 2, "content_layers": "relu1_1", "style_layers": "relu1_1"}


@pytest.mark.parametrize("colour", ["style", "content", "luminance", "match"])
@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".avif", ".npy"])
def test_grey_and_grey_is_grey(tmp_path: Path, ending: str, colour: Any):
    if ending != ".png" and colour != "style":
        return
    painting = transfer_style(GREY, GREY[::-1].copy(), TransferSettings(colour=colour, init_noise=0.5, **QUICK))
    red, green, blue = painting.signal.values
    assert np.array_equal(red, green)
    assert np.array_equal(red, blue)
    painting.write(tmp_path / f"out{ending}")
    assert read_image(tmp_path / f"out{ending}").header["grey"]
    if ending != ".npy" and ending != ".avif":
        with Image.open(tmp_path / f"out{ending}") as image:
            assert image.mode == "L"


@pytest.mark.parametrize(("content", "styles"), [(GREY, [COLOUR]), (COLOUR, [GREY]), (GREY, [GREY, COLOUR])])
def test_one_of_them_in_colour_is_colour(tmp_path: Path, content: Any, styles: list[Any]):
    painting = transfer_style(content, styles, TransferSettings(**QUICK))
    red, green, _ = painting.signal.values
    assert np.abs(red - green).max() > 0.02
    painting.write(tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as image:
        assert image.mode == "RGB"


@pytest.mark.parametrize(("side", "size", "painted"), [(32, None, 32), (32, 48, 48), (40, "full", 40), (600, None, 512)])
def test_nothing_is_enlarged_unless_it_is_asked_for(tmp_path: Path, side: int, size: Any, painted: int):
    picture = Image.fromarray(data.coffee()).resize((side, side * 3 // 4))
    picture.save(tmp_path / "a.png")
    for content in (picture, np.asarray(picture), str(tmp_path / "a.png"), read_image(picture)):
        settings = take_in(content, COLOUR, TransferSettings(size=size)).settings
        scales = plan_scales(medium_of("image"), settings, read_image(picture))
        assert (scales[-1].size or side) == painted
    if side < 100:
        result = transfer_style(picture, COLOUR, TransferSettings(size=size, **QUICK)).signal
        assert max(result.shape) == painted


def test_a_style_is_read_as_large_as_its_strokes_want_it():
    asked: list[Any] = []
    known = read_image(COLOUR)

    def read(source: Any, rate: Any, longest: Any, memory: Any) -> Signal:
        asked.append(longest)
        return known

    medium = replace(medium_of("image"), read=read)
    take_in("a.png", ["b.png", "c.png"], TransferSettings(size=100, stroke=2.5), medium=medium, read_style=read)
    assert asked == [100, 250, 250]
