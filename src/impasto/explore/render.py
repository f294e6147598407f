"""An index of patches drawn as a sheet."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from impasto.explore.index import Patch, PatchIndex
from impasto.explore.sheet import TILE, Block, draw_sheet, mosaic
from impasto.explore.sources import Sources
from impasto.explore.tiles import Panel, draw_tiles, excited, kind_of_index, patch_values
from impasto.media.registry import medium_of


def sheet_of(index: PatchIndex, *, sources: Sources | None = None, panels: Sequence[Panel] = (patch_values,)) -> Image.Image:
    """Every unit of the index as a block of its patches, the layers side by side.

    Args:
        index: what is drawn.
        sources: the images by name, if they are no files.
        panels: what is shown of a patch, e.g. the patch and its gradient side by side.

    Raises:
        SignalError: an image cannot be read any more.
    """
    tiles = draw_tiles(index, index.units(), TILE, sources=sources, panels=panels)
    layers = {
        layer: [
            Block([mosaic(row, index.top) for row in tiles[layer, unit]], f"unit {unit}", _strength(patches))
            for unit, patches in units.items()
        ]
        for layer, units in index.layers.items()
    }
    seen = f"{len(index.images)} {medium_of(kind_of_index(index, sources)).plural(len(index.images))}"
    title = f"The {index.top} patches that excite each unit most, of {seen} · {index.network}"
    return draw_sheet(layers, title)


def _strength(patches: Sequence[Patch]) -> str:
    shown = excited(patches)
    return f"{shown[0].activation:.{0 if shown[0].activation >= 100 else 2}f}" if shown else "silent"
