"""The index of a search while it goes on: patches as arrays, to which an image is added without a loop over units.

The rule is that of :mod:`impasto.explore.index`, and so is the result, patch for patch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.explore.growing import Growing
from impasto.explore.index import PatchIndex
from impasto.explore.near_duplicates import Groups
from impasto.explore.numbered import Best, BestOfLayer, Images, Shape
from impasto.networks.network import Network


class Found(NamedTuple):
    """What may be among the best patches in one image.

    Attributes:
        rows: of the units for which there is something, among all units of all layers.
        activations: (rows, patches), the highest first, of equal ones the first place first; -inf where there are no more.
        places: as many, in the grid of the layer; -1 where there are no more.
        bins: of the histogram, of each unit of the layers that ``grids`` names.
        grids: of each layer that can see the image.
    """

    rows: NDArray[np.int_]
    activations: NDArray[np.float32]
    places: NDArray[np.int64]
    bins: NDArray[np.int_]
    grids: Mapping[str, Shape]


class Table:
    """What :func:`impasto.explore.patches.search` has found.

    Attributes:
        units: the numbers of the units of each layer.

    Args:
        network: whose units they are.
        left: the names of the images that are to be seen, which are numbered in this order.
        index: what was found before.
    """

    def __init__(self, network: Network, left: Sequence[str], index: PatchIndex) -> None:
        self._groups = Groups(index.images.values())
        self._left = left
        self._images = Images(network, left, index, self._groups)
        self._best = self._images.best(index)
        self._index = replace(index, images=_growing(index.images), skipped=_growing(index.skipped))
        self._counts = np.concatenate([index.histograms[layer] for layer in index.layers])
        ends = np.cumsum([len(units) for units in index.layers.values()]).tolist()
        self.units = {layer: np.fromiter(units, int, len(units)) for layer, units in index.layers.items()}
        self._slices = {layer: slice(end - len(u), end) for end, (layer, u) in zip(ends, index.layers.items(), strict=True)}
        self._known_rows: dict[tuple[str, ...], NDArray[np.int_]] = {}
        self._rows = {
            layer: {unit: row for row, unit in enumerate(units, start=self._slices[layer].start)}
            for layer, units in index.layers.items()
        }

    @property
    def index(self) -> PatchIndex:
        """The index so far; it stays as it is while images are added."""
        return self._index

    def rows(self, layers: tuple[str, ...]) -> NDArray[np.int_]:
        """Which rows the units of these layers have, in the order of the layers."""
        known = self._known_rows.get(layers)
        if known is None:
            slices = [self._slices[layer] for layer in layers]
            known = self._known_rows[layers] = np.concatenate([np.arange(s.start, s.stop) for s in slices])
        return known

    def may_change(self, image: int, rows: NDArray[np.int_], peaks: NDArray[np.float32]) -> NDArray[np.bool_]:
        """In which rows an image can put a patch, if these are its highest activations."""
        last = self._best.activations[rows, -1]
        first = self._images.numbers[image] < self._best.images[rows, -1]
        return (peaks > last) | ((peaks == last) & first)

    def lowest(self) -> NDArray[np.float32]:
        """For each row the activation of the last patch, below which no other one counts."""
        return self._best.activations[:, -1].copy()

    def skip(self, image: int, reason: str) -> None:
        """The image cannot be seen."""
        skipped = _growing(self._index.skipped).extended({self._left[image]: reason})
        self._index = replace(self._index, skipped=skipped)

    def add(self, image: int, signature: str, shape: Shape, found: Found) -> None:
        """Put in what was found in an image of that shape."""
        number = int(self._images.numbers[image])
        groups_before = len(self._groups)
        group = self._groups.number(signature)
        self._images.groups[number] = group
        self._images.saw(number, shape, found.grids)
        if len(found.rows):
            self._best = self._including(found, number, alone=group == groups_before)
        self._counts = self._counts.copy()
        self._counts[self.rows(tuple(found.grids)), found.bins] += 1
        self._index = replace(
            self._index,
            layers={layer: BestOfLayer(self._images, layer, rows, self._best) for layer, rows in self._rows.items()},
            histograms={layer: self._counts[some] for layer, some in self._slices.items()},
            images=_growing(self._index.images).extended({self._left[image]: self._groups.name(group)}),
        )

    def _including(self, found: Found, number: int, *, alone: bool) -> Best:
        top, none = self._best.activations.shape[1], self._images.none
        old = self._best.at(found.rows)
        new = Best(found.activations, np.where(found.places < 0, none, number).astype(np.int32), found.places)
        both, order = old.beside(new), _order(old, new)
        if not alone:
            both = both.ordered(order, both.images.shape[1])
            beyond = self._beyond(both.images, number)
            both.activations[beyond], both.images[beyond] = -np.inf, none
            order = beyond.argsort(1, kind="stable")
        return self._best.replaced(found.rows, both.ordered(order, top))

    def _beyond(self, images: NDArray[np.int32], number: int) -> NDArray[np.bool_]:
        """What is beyond ``per_image`` of the group of an image; of other groups there is nothing new."""
        same = self._images.groups[images] == self._images.groups[number]
        return same & (same.cumsum(1) > self._index.per_image)


def _order(old: Best, new: Best) -> NDArray[np.int_]:
    """In which order the patches of both stand beside one another; each of the two is in order, and of other images."""
    if new.images.shape[1] > 1:
        both = old.beside(new)
        return np.lexsort((both.images, -both.activations))
    top = old.images.shape[1]
    before = (old.activations > new.activations) | ((old.activations == new.activations) & (old.images < new.images))
    at, columns = before.sum(1)[:, None], np.arange(top + 1)
    return np.where(columns < at, columns, np.where(columns == at, top, columns - 1))


def _growing(texts: Mapping[str, str]) -> Growing:
    return texts if isinstance(texts, Growing) else Growing(texts)
