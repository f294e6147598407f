"""What ConvNets learn: for some units of each layer, the nine patches that excite them most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from impasto.explore.index import PatchIndex
from impasto.explore.sheet import mosaic
from impasto.explore.sources import Sources
from impasto.explore.tiles import draw_tiles
from impasto.lecture.pictures import data_uri

_TILE = 44


def patches_part(index: PatchIndex, units: Mapping[str, Sequence[int]], sources: Sources | None = None) -> dict[str, Any]:
    """The patches of an index, of these units of its layers.

    Raises:
        SignalError: a photograph of the index cannot be read any more.
    """
    tiles = draw_tiles(index, units, _TILE, sources=sources)
    layers: dict[str, Any] = {}
    for layer, numbers in units.items():
        fields = index.fields_of(layer)
        layers[layer] = {
            "channels": len(index.layers[layer]),
            "field": fields[0].size if fields else None,
            "units": [
                {"unit": unit, "picture": data_uri(mosaic(tiles[layer, unit][0], index.top, _TILE), 80)} for unit in numbers
            ],
        }
    return {"layers": layers, "photographs": len(index.images), "top": index.top}
