"""The sheet: what is drawn where, and how it is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import SignalError
from impasto.explore.index import Patch
from impasto.explore.patches import empty_index
from impasto.explore.render import sheet_of
from impasto.explore.sheet import GAP, PAPER, Block, draw_sheet, mosaic, write_sheet
from impasto.explore.tiles import draw_tiles


def test_a_mosaic_is_filled_row_by_row() -> None:
    tiles = [Image.new("RGB", (10, 10), (i, 0, 0)) for i in range(5)]
    square = mosaic(tiles, 9, 10)
    assert square.size == (30 + 2 * GAP, 30 + 2 * GAP)
    at = [square.getpixel((5 + i % 3 * (10 + GAP), 5 + i // 3 * (10 + GAP))) for i in range(9)]
    assert at == [*((i, 0, 0, 255) for i in range(5)), *[(0, 0, 0, 0)] * 4]


def test_a_patch_at_the_border_is_drawn_where_its_field_has_it() -> None:
    source = np.full((20, 20, 3), 255, np.uint8)
    source[0, 0] = (255, 0, 0)
    patch = Patch("p", 1.0, (0, 0), ((0, 2), (0, 2)))
    index = empty_index({"relu1_1": (0,)}, network="n", size="full", top=1, per_image=1)
    index = index.including(empty_index({}, network="n", size="full", top=1, per_image=1))
    index = type(index)(**{**vars(index), "layers": {"relu1_1": {0: (patch,)}}, "images": {"p": "x"}})
    tile = draw_tiles(index, {"relu1_1": [0]}, 30, sources={"p": source})["relu1_1", 0][0][0]
    pixel = np.asarray(tile)[5::10, 5::10]
    assert (pixel[0] == 0).all()
    assert (pixel[:, 0] == 0).all()
    assert pixel[1, 1].tolist() == [255, 0, 0, 255]
    assert (pixel[[1, 2, 2], [2, 1, 2]] == 255).all()
    sheet = sheet_of(index, sources={"p": source})
    assert (255, 0, 0) in {colour for _, colour in sheet.getcolors(1 << 24) or []}


def test_a_silent_unit_is_drawn_empty() -> None:
    patch = Patch("gone.png", 0.0, (0, 0), ((0, 2), (0, 2)))
    index = empty_index({"relu1_1": (0,)}, network="n", size="full", top=1, per_image=1)
    index = type(index)(**{**vars(index), "layers": {"relu1_1": {0: (patch,)}}, "images": {"gone.png": "x"}})
    assert draw_tiles(index, {"relu1_1": [0]}, 30) == {("relu1_1", 0): [[]]}
    excited = type(index)(**{**vars(index), "layers": {"relu1_1": {0: (patch._replace(activation=1.0),)}}})
    with pytest.raises(SignalError, match=r"gone\.png: no such file"):
        sheet_of(excited)


@pytest.mark.parametrize("count", [1, 16, 300])
def test_sheets_have_the_proportions_of_a_page(count: int) -> None:
    panel = Image.new("RGB", (60, 60))
    sheet = draw_sheet({"relu1_1": [Block([panel], f"unit {i}", "1.0") for i in range(count)]}, "a title of usual length")
    assert count == 1 or 0.9 < sheet.width / sheet.height < 2.2
    assert (np.asarray(sheet)[:, -20:] == PAPER).all()
    black = np.all(np.asarray(sheet) == 0, axis=2).sum()
    assert black >= count * 60 * 60


def test_a_sheet_is_written_for_print_whole_or_not_at_all(tmp_path: Path) -> None:
    sheet = Image.new("RGB", (30, 20))
    for ending in ("png", "jpg", "tif", "webp"):
        write_sheet(sheet, tmp_path / f"sheet.{ending}")
        with Image.open(tmp_path / f"sheet.{ending}") as written:
            assert written.size == (30, 20)
            if ending != "webp":
                assert written.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    with pytest.raises(SignalError, match="no picture format"):
        write_sheet(sheet, tmp_path / "sheet.doc")
    assert not list(tmp_path.glob("*.doc"))
