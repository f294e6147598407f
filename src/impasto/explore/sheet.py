"""The sheet: units as blocks of 3 x 3 patches, layers side by side (figure 2 of Zeiler and Fergus 2014)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from math import ceil, log, sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from impasto.errors import SignalError
from impasto.files import write_whole
from impasto.media.icc import SRGB_PROFILE
from impasto.media.image.write import image_format

PAPER, INK, FAINT = (243, 240, 233), (38, 34, 30), (122, 114, 104)
TILE, GAP, PANEL_GAP, SPACE, MARGIN = 84, 3, 10, 36, 72
_CAPTION, _HEADING, _TITLE = 26, 40, 30
_ASPECT = 1.4
DOTS_PER_INCH = 300


class Block(NamedTuple):
    """One unit on a sheet: square pictures side by side (e.g. patches and gradients), and what is written below."""

    panels: Sequence[Image.Image]
    name: str
    note: str = ""


def mosaic(tiles: Sequence[Image.Image], count: int, pixels: int = TILE) -> Image.Image:
    """Tiles of one size as a square of ceil(sqrt(count)) on each side, row by row; between and after them it is clear."""
    side = ceil(sqrt(count))
    pitch = pixels + GAP
    square = Image.new("RGBA", (side * pitch - GAP, side * pitch - GAP))
    for i, tile in enumerate(tiles):
        square.paste(tile, (i % side * pitch, i // side * pitch))
    return square


def draw_sheet(layers: Mapping[str, Sequence[Block]], title: str) -> Image.Image:
    """The blocks of each layer under its name, the layers side by side in one frame, with a title below.

    All panels have one size. The blocks are laid in as many columns as bring the sheet near the proportions of a page.
    """
    first = next(iter(layers.values()))[0]
    width = sum(panel.width for panel in first.panels) + PANEL_GAP * (len(first.panels) - 1)
    height = first.panels[0].height + _CAPTION
    most = max(len(blocks) for blocks in layers.values())
    columns = min(range(1, most + 1), key=lambda n: abs(log(_aspect(len(layers), n, ceil(most / n), width, height))))
    rows = ceil(most / columns)
    layer_width = columns * (width + SPACE) - SPACE
    title_width = ceil(ImageFont.load_default(_TITLE).getlength(title))
    sheet_width = 2 * MARGIN + max(title_width, len(layers) * (layer_width + 2 * SPACE) - 2 * SPACE)
    sheet_height = 2 * MARGIN + 2 * _HEADING + rows * (height + SPACE) - SPACE + 2 * _TITLE
    sheet = Image.new("RGB", (sheet_width, sheet_height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for i, (layer, blocks) in enumerate(layers.items()):
        left = MARGIN + i * (layer_width + 2 * SPACE)
        pen.text((left, MARGIN), layer, INK, ImageFont.load_default(_HEADING))
        for j, block in enumerate(blocks):
            x = left + j % columns * (width + SPACE)
            y = MARGIN + 2 * _HEADING + j // columns * (height + SPACE)
            _draw_block(sheet, pen, block, x, y, width)
    pen.text((MARGIN, sheet_height - MARGIN), title, FAINT, ImageFont.load_default(_TITLE), anchor="ls")
    return sheet


def _aspect(layers: int, columns: int, rows: int, width: int, height: int) -> float:
    return layers * columns * (width + SPACE) / (rows * (height + SPACE)) / _ASPECT


def _draw_block(sheet: Image.Image, pen: ImageDraw.ImageDraw, block: Block, x: int, y: int, width: int) -> None:
    left = x
    for panel in block.panels:
        sheet.paste(panel, (left, y), panel if panel.mode == "RGBA" else None)
        left += panel.width + PANEL_GAP
    font = ImageFont.load_default(_CAPTION - 6)
    baseline = y + block.panels[0].height + _CAPTION
    pen.text((x, baseline), block.name, INK, font, anchor="ls")
    pen.text((x + width, baseline), block.note, FAINT, font, anchor="rs")


def write_sheet(sheet: Image.Image, path: str | Path) -> None:
    """Write the sheet as the ending of ``path`` says, at 300 dots per inch; whole or not at all.

    Raises:
        SignalError: no picture format has this ending, or the file cannot be written.
    """
    buffer, known = io.BytesIO(), image_format(path)
    dots = (DOTS_PER_INCH, DOTS_PER_INCH)
    try:
        if known == "NPY":
            np.save(buffer, np.asarray(sheet))
        else:
            sheet.save(buffer, known, dpi=dots, icc_profile=SRGB_PROFILE, quality=95)
    except (OSError, ValueError) as error:
        raise SignalError(f"{path}: a {known} of {sheet.width} x {sheet.height} cannot be written: {error}") from None
    write_whole(path, buffer.getvalue())
