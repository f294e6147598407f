"""Patches as small pictures of one size, each drawn from its image at the place it has in its receptive field."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image

from impasto.explore.index import Patch, PatchIndex
from impasto.explore.kinds import KINDS
from impasto.explore.sources import Source, Sources, view
from impasto.network.layers import VGG19, receptive_field, up_to_deepest
from impasto.signals.signal import Signal, Values

PAPER = (243, 240, 233)

Panel = Callable[[Signal, str, int, Patch], Values]
"""What is shown of a patch: from the image as the network saw it, the layer, the unit and the patch, to values
(channels, *space of the field) in 0..1."""


def patch_values(signal: Signal, layer: str, unit: int, patch: Patch) -> Values:
    """The patch itself: the receptive field, cropped."""
    return signal.values[(slice(None), *(slice(start, stop) for start, stop in patch.field))]


def draw_tiles(
    index: PatchIndex,
    units: Mapping[str, Sequence[int]],
    pixels: int,
    *,
    sources: Sources | None = None,
    panels: Sequence[Panel] = (patch_values,),
) -> dict[tuple[str, int], list[list[Image.Image]]]:
    """For each unit, and for each of the ``panels``, the tiles of its patches in their order.

    Every image is read once. A patch to which the unit does not respond (activation 0) shows nothing and is left out.

    Raises:
        SignalError: an image is no longer where the index says.
    """
    wanted: dict[str, list[tuple[str, int, int, Patch]]] = defaultdict(list)
    tiles: dict[tuple[str, int], list[list[Image.Image]]] = {}
    for layer, numbers in units.items():
        for unit in numbers:
            shown = excited(index.layers[layer][unit])
            tiles[layer, unit] = [[Image.new("RGB", (pixels, pixels), PAPER) for _ in shown] for _ in panels]
            for rank, patch in enumerate(shown):
                wanted[patch.image].append((layer, unit, rank, patch))
    for name, places in wanted.items():
        signal = see(name, index, sources)
        for layer, unit, rank, patch in places:
            for panel, row in zip(panels, tiles[layer, unit], strict=True):
                _draw_in_field(row[rank], signal.with_values(panel(signal, layer, unit, patch)), layer, patch)
    return tiles


def excited(patches: Sequence[Patch]) -> list[Patch]:
    """Those to which the unit responds."""
    return [patch for patch in patches if patch.activation > 0]


def see(name: str, index: PatchIndex, sources: Sources | None = None) -> Signal:
    """The image of that name as the network saw it.

    Raises:
        SignalError: it cannot be read.
    """
    source: Source = (sources or {}).get(name, Path(name))
    return view(source, index.size)


def _draw_in_field(tile: Image.Image, crop: Signal, layer: str, patch: Patch) -> None:
    """Draw what the image has of the field where the field has it; beyond the image's border the tile stays paper."""
    table = up_to_deepest(VGG19, [layer])
    axes = min(KINDS[crop.kind].dims, 2)
    boxes = [(0, tile.height)] * (2 - axes)
    for position, (start, stop), pixels in zip(
        patch.position[-axes:], patch.field[-axes:], (tile.height, tile.width)[-axes:], strict=True
    ):
        first, last = receptive_field(table, position)
        scale = pixels / (last - first)
        low, high = round((start - first) * scale), round((stop - first) * scale)
        boxes.append((low, max(high, low + 1)))
    (top, bottom), (left, right) = boxes
    tile.paste(KINDS[crop.kind].draw(crop, (right - left, bottom - top)), (left, top))
