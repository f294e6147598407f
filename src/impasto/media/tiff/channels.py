"""The axes of TIFF files: which planes make one picture, which are its channels, and in which colours they are shown."""

from __future__ import annotations

import logging
import re
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile

from impasto.media.tiff.pages import Layout

log = logging.getLogger("impasto")

Colour = tuple[int, int, int]

# tifffile's letters of axes that can be the slices of a stack; the first of them that is longer than 1 is
_DEPTH = "ZIQTH"


def select_planes(layout: Layout) -> list[Any]:
    """The pages of one picture: all channels at the first position along every other axis.

    Only for a layout that ``is_whole``.
    """
    before = len(layout.axes) - layout.plane
    numbers = np.arange(prod(layout.shape[:before])).reshape(layout.shape[:before])
    chosen = numbers[tuple(slice(None) if letter in "CS" else 0 for letter in layout.axes[:before])]
    return [layout.pages[int(number)] for number in chosen.ravel()]


def channels_last(array: NDArray[Any], axes: str, path: Path, *, slices: bool) -> NDArray[Any]:
    """An array as (slices, height, width[, channels]), or without the first axis unless ``slices``.

    Of all other axes the first position is taken; of several stacks with a warning.
    """
    for at in reversed(range(array.ndim)):
        if array.shape[at] == 1 and axes[at] not in "YX":
            array, axes = array.squeeze(at), axes[:at] + axes[at + 1 :]
    others = [letter for letter in axes if letter not in "YXSC"]
    depth = min(others, key=lambda letter: (_DEPTH + letter).index(letter)) if slices and others else ""
    for letter in others:
        if letter != depth:
            at = axes.index(letter)
            if slices:
                log.warning("%s holds %d stacks along the axis %s; the first is taken", path, array.shape[at], letter)
            array, axes = array.take(0, at), axes[:at] + axes[at + 1 :]
    order = [axes.index(letter) for letter in depth + "YX"]
    colours = [at for at in range(array.ndim) if at not in order]
    array = array.transpose(order + colours)
    return array.reshape(*array.shape[: len(order)], -1) if colours else array


def channel_colours(file: TiffFile, layout: Layout, channels: int) -> list[Colour] | None:
    """The colours in which the file says that its channels are shown; None if it does not say, or all are grey."""
    colours = _omes(file, layout) if file.is_ome else _imagejs(file) if file.is_imagej else None
    if colours is None or len(colours) < channels or all(len(set(colour)) == 1 for colour in colours[:channels]):
        return None
    return colours[:channels]


def _omes(file: TiffFile, layout: Layout) -> list[Colour] | None:
    images = re.split(r"<(?:\w+:)?Image\b", file.ome_metadata or "")[1:]
    if layout.series >= len(images):
        return None
    found = [re.search(r'\bColor="(-?\d+)"', one) for one in re.findall(r"<(?:\w+:)?Channel\b[^>]*>", images[layout.series])]
    if not found or None in found:
        return None
    numbers = [int(one[1]) & 0xFFFFFFFF for one in found if one]
    return [(number >> 24, number >> 16 & 255, number >> 8 & 255) for number in numbers]


def _imagejs(file: TiffFile) -> list[Colour] | None:
    noted = file.imagej_metadata or {}
    tables = noted.get("LUTs")
    if noted.get("mode") not in ("composite", "color") or not isinstance(tables, list):
        return None
    return [(int(r), int(g), int(b)) for r, g, b in (np.asarray(table)[:, -1] for table in tables)]
