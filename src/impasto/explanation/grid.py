"""Positions of a layer on the pixels they stand for, and pixels in the places that one can point at."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.networks.layers import Interval
from impasto.networks.network import Network

Array = NDArray[np.float64]

# the smallest side of a place in pixels, and the most places along the longer side of a picture
_SMALLEST, _MOST = 8, 64


@dataclass(frozen=True)
class Axis:
    """The positions of a layer along one axis of a picture.

    Attributes:
        extent: pixels along the axis.
        centres: the middle of the receptive field of each position, in pixels; fields count without borders.
        size: of a field in pixels; None if every position sees the whole axis.
    """

    extent: int
    centres: Array
    size: int | None

    def nearest(self, pixels: NDArray[Any]) -> NDArray[np.intp]:
        """The position whose centre is nearest to each of these places in pixels; of two as near ones the first."""
        return np.abs(np.asarray(pixels)[:, None] - self.centres).argmin(1)

    def field(self, position: int) -> Interval:
        """The pixels that a position sees, within the picture."""
        if self.size is None:
            return 0, self.extent
        start = round(float(self.centres[position]) - (self.size - 1) / 2)
        return max(0, start), min(self.extent, start + self.size)

    def spread(self) -> Array:
        """(extent, positions): of each position the parts that its pixels have, the pixels that are nearest to its centre.

        Each column sums to 1. A position to which no pixel is nearest has the pixel that it is nearest to.
        """
        owned = self.nearest(np.arange(self.extent))[:, None] == np.arange(len(self.centres))
        for position in np.flatnonzero(~owned.any(0)):
            owned[np.abs(np.arange(self.extent) - self.centres[position]).argmin(), position] = True
        return owned / owned.sum(0)


def axes_of(network: Network, layer: str, shape: tuple[int, ...]) -> tuple[Axis, Axis]:
    """The positions of a layer, or of the picture itself if its name is empty, along the axes of (height, width)."""
    counts = network.grid(layer, shape) if layer else shape
    vertical, horizontal = (_axis(network, layer, axis, extent, counts[axis]) for axis, extent in enumerate(shape))
    return vertical, horizontal


def _axis(network: Network, layer: str, axis: int, extent: int, count: int) -> Axis:
    positions = np.arange(count, dtype=np.float64)
    if not layer:
        return Axis(extent, positions, 1)
    field = network.field(layer, axis)
    if field is None:
        return Axis(extent, (positions + 0.5) * extent / count - 0.5, None)
    return Axis(extent, field.start + positions * field.step + (field.size - 1) / 2, field.size)


def on_pixels(shares: NDArray[Any], axes: tuple[Axis, Axis]) -> Array:
    """Shares of positions (height, width of the layer) on pixels (height, width), with the same sum."""
    vertical, horizontal = axes
    return vertical.spread() @ np.asarray(shares, np.float64) @ horizontal.spread().T


@dataclass(frozen=True)
class Places:
    """A picture cut into squares, the last ones of a row or column as large as is left.

    Attributes:
        shape: (height, width) of the picture.
        side: of a square in pixels.
    """

    shape: tuple[int, int]
    side: int

    @classmethod
    def of(cls, shape: tuple[int, int]) -> Places:
        """Squares of 8 pixels, or larger ones if there would be more than 64 along the longer side."""
        return cls(shape, max(_SMALLEST, ceil(max(shape) / _MOST)))

    @property
    def counts(self) -> tuple[int, int]:
        """Rows and columns."""
        height, width = (ceil(n / self.side) for n in self.shape)
        return height, width

    def centres(self, axis: int) -> Array:
        """The middle of each row (axis 0) or column (1), in pixels."""
        starts = np.arange(self.counts[axis]) * self.side
        return (starts + np.minimum(starts + self.side, self.shape[axis]) - 1) / 2

    def sums(self, pixels: NDArray[Any]) -> Array:
        """The sums over each place, (rows, columns), of what pixels (height, width) have."""
        starts = [np.arange(n) * self.side for n in self.counts]
        return np.add.reduceat(np.add.reduceat(pixels, starts[0], 0), starts[1], 1)
