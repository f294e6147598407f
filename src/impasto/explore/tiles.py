"""Patches as small pictures of one size, each drawn from its image at the place it has in its receptive field.

Beyond the border of the image a tile is transparent: there shows what it is laid on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from impasto.explore.ahead import read_ahead
from impasto.explore.index import Patch, PatchIndex
from impasto.explore.sources import Source, Sources, common_kind, view
from impasto.media.image.view import enlarged
from impasto.media.registry import views
from impasto.media.signal import Signal, Values
from impasto.networks.layers import Interval

_LARGEST = 320  # pixels of a tile's side; the fields of VGG-19 are no larger

Panel = Callable[[Signal, str, int, Patch], Values]
"""What is shown of a patch: from the image as the network saw it, the layer, the unit and the patch, to values
(channels, *space of the field) in 0..1."""


def patch_values(signal: Signal, layer: str, unit: int, patch: Patch) -> Values:
    """The patch itself: the receptive field, cropped."""
    return signal.values[(slice(None), *(slice(start, stop) for start, stop in patch.field))]


class Tile(NamedTuple):
    """A small picture of what a panel shows of the patch of a unit: of those it shows, that of this rank."""

    layer: str
    unit: int
    panel: int
    rank: int
    picture: Image.Image


def tiles_of_images(
    index: PatchIndex,
    units: Mapping[str, Sequence[int]],
    pixels: Mapping[str, int],
    *,
    sources: Sources | None = None,
    panels: Sequence[Panel] = (patch_values,),
) -> Iterator[tuple[str, Signal, Iterator[Tile]]]:
    """Each image in which these units have a patch, as the network saw it, with the tiles that are drawn of it.

    ``pixels`` is the side of a tile of each layer.
    Every image is read once, ahead of the drawing. A patch to which the unit does not respond (activation 0) shows nothing
    and is left out.

    Raises:
        SignalError: an image is no longer where the index says.
    """
    wanted: dict[str, list[tuple[str, int, int, Patch]]] = defaultdict(list)
    for layer, numbers in units.items():
        for unit in numbers:
            for rank, patch in enumerate(excited(index.layers[layer][unit])):
                wanted[patch.image].append((layer, unit, rank, patch))

    def tiles(name: str, signal: Signal) -> Iterator[Tile]:
        seen = views()[signal.kind]
        whole = seen.overview(signal, max(signal.shape)) if seen.cuts and patch_values in panels else None
        for layer, unit, rank, patch in wanted[name]:
            field = whole_field(index, layer, patch, min(seen.dims, 2))
            for number, panel in enumerate(panels):
                picture = Image.new("RGBA", (pixels[layer], pixels[layer]))
                if panel is patch_values and whole is not None:
                    # thousands of patches overlap in one picture, which is made of its values once
                    (top, bottom), (left, right) = patch.field[-2:]
                    part = whole.crop((left, top, right, bottom))
                    _draw_in_field(picture, field, patch, partial(enlarged, part))
                else:
                    part = signal.with_values(panel(signal, layer, unit, patch))
                    _draw_in_field(picture, field, patch, partial(seen.draw, part))
                yield Tile(layer, unit, number, rank, picture)

    for name, signal in read_ahead(sorted(wanted), lambda name: see(name, index, sources)):
        if isinstance(signal, Exception):
            raise signal
        yield name, signal, tiles(name, signal)


def draw_tiles(
    index: PatchIndex,
    units: Mapping[str, Sequence[int]],
    pixels: int,
    *,
    sources: Sources | None = None,
    panels: Sequence[Panel] = (patch_values,),
) -> dict[tuple[str, int], list[list[Image.Image]]]:
    """For each unit, and for each of the ``panels``, the tiles of its patches in their order; raises as above."""
    found = {
        (layer, unit): [[Image.new("RGBA", (0, 0))] * len(excited(index.layers[layer][unit])) for _ in panels]
        for layer, numbers in units.items()
        for unit in numbers
    }
    for _, _, tiles in tiles_of_images(index, units, dict.fromkeys(units, pixels), sources=sources, panels=panels):
        for layer, unit, panel, rank, picture in tiles:
            found[layer, unit][panel][rank] = picture
    return found


def excited(patches: Sequence[Patch]) -> list[Patch]:
    """Those to which the unit responds."""
    return [patch for patch in patches if patch.activation > 0]


def kind_of_index(index: PatchIndex, sources: Sources | None = None) -> str:
    """Of which kind the images of an index are: a row of :func:`impasto.media.registry.views`."""
    return common_kind({name: (sources or {}).get(name, Path(name)) for name in islice(index.images, 1)})


def see(name: str, index: PatchIndex, sources: Sources | None = None) -> Signal:
    """The image of that name as the network saw it.

    Raises:
        SignalError: it cannot be read.
    """
    source: Source = (sources or {}).get(name, Path(name))
    return view(source, index.size)


def tile_side(index: PatchIndex, layer: str, least: int) -> int:
    """The side of a tile: as many pixels as the field has, so that a patch is seen at full size; small ones are enlarged."""
    fields = index.fields_of(layer)
    return _LARGEST if fields is None else min(max(least, *(field.size for field in fields)), _LARGEST)


def whole_field(index: PatchIndex, layer: str, patch: Patch, axes: int = 2) -> Sequence[Interval]:
    """The receptive field of a patch along the last axes as if the image had no border; it may begin below 0."""
    fields = index.fields_of(layer)
    if fields is None:  # the field of a layer that looks everywhere is the whole image
        return patch.field[-axes:]
    return [field.at(i) for field, i in zip(fields[-axes:], patch.position[-axes:], strict=True)]


def _draw_in_field(
    tile: Image.Image, whole: Sequence[Interval], patch: Patch, draw: Callable[[tuple[int, int]], Image.Image]
) -> None:
    """Draw what the image has of the field where the field has it; beyond the image's border the tile stays clear."""
    axes = len(whole)
    boxes = [(0, tile.height)] * (2 - axes)
    for (first, last), (start, stop), pixels in zip(
        whole, patch.field[-axes:], (tile.height, tile.width)[-axes:], strict=True
    ):
        scale = pixels / (last - first)
        low, high = round((start - first) * scale), round((stop - first) * scale)
        boxes.append((low, max(high, low + 1)))
    (top, bottom), (left, right) = boxes
    tile.paste(draw((right - left, bottom - top)), (left, top))
