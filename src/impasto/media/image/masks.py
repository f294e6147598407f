"""Masks: pictures whose flat areas tell which style goes where, and which part of the content is protected.

The colour of an area is its label. A saved mask also has other colours, from softened edges or JPEG; each of them is taken
for the label nearest in colour.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError
from impasto.media.image.read import over_white, read_image, resample_image
from impasto.media.signal import Signal, Values
from impasto.objective.region_weights import Region

log = logging.getLogger("impasto")

TOLERANCE = 32
"""Colours that differ by no more than this in R, G and B, of 0..255, can be the same label."""

# a smaller share of the pixels is dirt, not an area, if the mask has softened edges or was a JPEG
_SMALLEST = 0.0005
_MOST_LABELS = 32
# the least share of flat pixels: a small JPEG of a mask had 0.4, photographs at most 0.16
_FLAT = 0.2
# JPEG turns white into nearly white: values this near to white or black count as that
_NEARLY = 0.03
# width of the soft edge around what is protected, as a share of the longest side
_EDGE = 0.02

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Labels:
    """A mask as areas with labels.

    Attributes:
        name: the path of the file, for messages.
        colours: the labels, that of the largest area first.
        index: the label of each position, as an index into ``colours``, (height, width).
    """

    name: str
    colours: tuple[Colour, ...]
    index: NDArray[np.uint8]

    def resized(self, shape: tuple[int, ...]) -> Labels:
        """The labels on a grid of another (height, width), by nearest neighbour."""
        rows, columns = (
            ((np.arange(n) + 0.5) * given / n).astype(int) for n, given in zip(shape, self.index.shape, strict=True)
        )
        return Labels(self.name, self.colours, self.index[np.ix_(rows, columns)])

    def area(self, label: int) -> NDArray[np.float32]:
        """1 where the label is, else 0."""
        return (self.index == label).astype(np.float32)


def read_labels(path: str | Path) -> Labels:
    """The labels of a mask: colours that fill a square of 3 x 3 pixels somewhere.

    If the mask has no other colours, all of them are labels, however similar, as the greys 0, 1 and 2. If it has, it was
    softened or a JPEG, and its labels differ by more than :data:`TOLERANCE`.

    Raises:
        SignalError: the file is missing or no picture, or has too few flat areas or too many labels.
    """
    r, g, b = (over_white(read_image(path)).values * 255).round().astype(np.uint32)
    packed = r << 16 | g << 8 | b
    found, counts = np.unique(packed, return_counts=True)
    inside = _inside(packed)
    if inside.mean() < _FLAT:
        raise SignalError(
            f"{path} is no mask: areas of one colour fill {inside.mean():.0%} of it; at least {_FLAT:.0%} were expected"
        )
    flat, sizes = np.unique(packed[inside], return_counts=True)
    areas = np.zeros_like(counts)
    areas[np.searchsorted(found, flat)] = sizes
    exact = bool(areas.all())
    colours = np.stack([found >> 16, found >> 8 & 255, found & 255], 1).astype(np.int64)
    kept: list[int] = []
    for i in np.argsort(-areas, kind="stable")[: np.count_nonzero(areas)]:
        far = not kept or abs(colours[kept] - colours[i]).max(1).min() > TOLERANCE
        if exact or (far and counts[i] >= _SMALLEST * packed.size):
            kept.append(int(i))
        if len(kept) > _MOST_LABELS:
            most = f"{_MOST_LABELS} colours; a mask with at most {_MOST_LABELS} labels was expected"
            raise SignalError(f"{path} has areas of more than {most}")
    # a table of all colours is faster than to look up each pixel of a large mask
    nearest = np.zeros(2**24, np.uint8)
    nearest[found] = np.stack([((colours - colours[i]) ** 2).sum(1) for i in kept]).argmin(0)
    return Labels(str(path), tuple((r, g, b) for r, g, b in colours[kept].tolist()), nearest[packed])


def _inside(index: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a pixel equals its eight neighbours; the border continues outwards."""
    from scipy.ndimage import maximum_filter, minimum_filter

    return minimum_filter(index, 3, mode="nearest") == maximum_filter(index, 3, mode="nearest")


def matches(content: Labels, style: Labels) -> dict[int, int]:
    """The style's label for each label of the content that has one: both are each other's nearest, within the tolerance."""
    c, s = (np.array(labels.colours) for labels in (content, style))
    distance = ((c[:, None] - s) ** 2).sum(2)
    near = abs(c[:, None] - s).max(2) <= TOLERANCE
    return {i: j for i, j in enumerate(distance.argmin(1).tolist()) if near[i, j] and distance[:, j].argmin() == i}


def regions(
    content: Labels | None, styles: Sequence[Labels | None], painted: Values, shapes: Sequence[tuple[int, ...]]
) -> list[Region]:
    """The regions of the content that are painted, each with the areas of the same label in the styles.

    Args:
        content: the labels of the content; None makes it one region, which takes all of every style.
        styles: the labels of each style; from a style without (None) every region takes all.
        painted: how much of each position of the content is painted, (height, width) in 0..1.
        shapes: (height, width) of each style.

    Raises:
        SignalError: no style has an area for a region.
    """
    if content is None:
        return [Region(painted, tuple(np.ones(shape, np.float32) for shape in shapes))]
    here = content.resized(painted.shape)
    found: list[Region] = []
    for label, colour in enumerate(content.colours):
        area = here.area(label) * painted
        if not area.any():
            continue
        parts = tuple(_counterpart(label, content, mask, shape) for mask, shape in zip(styles, shapes, strict=True))
        if all(part is None for part in parts):
            there = "; ".join(f"{mask.name} has {', '.join(map(in_words, mask.colours))}" for mask in styles if mask)
            share = (content.index == label).mean()
            raise SignalError(
                f"{content.name}: the region {in_words(colour)}, {share:.1%} of the content, has no counterpart: {there}"
            )
        found.append(Region(area, parts))
    return found


def _counterpart(label: int, content: Labels, mask: Labels | None, shape: tuple[int, ...]) -> Values | None:
    if mask is None:
        return np.ones(shape, np.float32)
    match = matches(content, mask)
    return mask.resized(shape).area(match[label]) if label in match else None


def read_protection(path: str | Path, shape: tuple[int, ...]) -> Values:
    """How much of the content stays, on a grid of (height, width): 1 where the mask is white, falling to 0 around it.

    The soft edge lies around the white area, and is about 2% of the longest side wide. Transparent counts as black.

    Raises:
        SignalError: the file is missing or no picture, or protects everything.
    """
    from scipy.ndimage import maximum_filter, uniform_filter

    picture = read_image(path)
    grey = picture.values.mean(0, keepdims=True) * picture.header.get("alpha", 1)
    kept = resample_image(Signal(grey), (shape[0], shape[1])).values[0]
    kept = ((kept - _NEARLY) / (1 - 2 * _NEARLY)).clip(0, 1)
    half = max(1, round(_EDGE * max(shape) / 4))
    # grown by more than the blur reaches, so that white stays white
    kept = maximum_filter(kept, 2 * (2 * half + 1) + 1, mode="nearest")
    for _ in range(2):
        kept = uniform_filter(kept, 2 * half + 1, mode="nearest")
    if kept.min() > 1 - _NEARLY:
        raise SignalError(f"{path} protects the whole picture: nothing is left to be painted")
    if kept.max() == 0:
        log.warning("%s protects nothing: it is black everywhere, and what is white stays as it is", path)
    return np.where(kept > 0.999, 1, kept).astype(np.float32)


def in_words(colour: Colour) -> str:
    """A label as people write it: #rrggbb."""
    return "#" + "".join(f"{n:02x}" for n in colour)
