"""The images of a search by number, so that patches can be kept in arrays and are made only when somebody looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.explore.index import Patch, Patches, PatchIndex
from impasto.explore.near_duplicates import Groups
from impasto.networks.layers import Interval
from impasto.networks.network import Network

Shape = tuple[int, ...]


class Best(NamedTuple):
    """The best patches of units, (units, top) each: of a patch its activation, its image and its place.

    Where there is no patch, the image has a number that is higher than those of all images.
    """

    activations: NDArray[np.float32]
    images: NDArray[np.int32]
    places: NDArray[np.int64]

    def at(self, rows: NDArray[np.int_]) -> Best:
        """Those of some units."""
        return Best(self.activations[rows], self.images[rows], self.places[rows])

    def beside(self, other: Best) -> Best:
        """Those of both, of the same units."""
        pairs = zip(self, other, strict=True)
        return Best(*(np.concatenate(pair, 1) for pair in pairs))  # pyright: ignore[reportArgumentType]

    def ordered(self, order: NDArray[np.int_], top: int) -> Best:
        """The first ones in an order that is given for each unit."""
        order = order[:, :top]
        return Best(*(np.take_along_axis(column, order, 1) for column in self))  # pyright: ignore[reportArgumentType]

    def replaced(self, rows: NDArray[np.int_], by: Best) -> Best:
        """A copy with others for some units."""
        best = Best(self.activations.copy(), self.images.copy(), self.places.copy())
        for column, others in zip(best, by, strict=True):
            column[rows] = others
        return best


class Images:
    """The images that are to be seen, and those of the patches there are, numbered in the order of their names.

    A place is the number of a position in the grid of a layer; of a patch that was there before it is its number in a list.

    Attributes:
        numbers: of the images that are to be seen, in the order in which they were given.
        none: a number that is higher than those of all images.
        groups: of each image the number of its group, -1 as long as it is not known.
    """

    def __init__(self, network: Network, left: Sequence[str], index: PatchIndex, groups: Groups) -> None:
        self._network = network
        self._given = [patch for units in index.layers.values() for patches in units.values() for patch in patches]
        old = list(dict.fromkeys(patch.image for patch in self._given))
        names = [*left, *old]
        order = sorted(range(len(names)), key=names.__getitem__)
        numbers = np.empty(len(names), np.int32)
        numbers[order] = np.arange(len(names))
        self._names = [names[i] for i in order]
        self.none = len(names)
        self.numbers = numbers[: len(left)]
        self._old = dict(zip(old, numbers[len(left) :].tolist(), strict=True))
        self.groups = np.full(len(names) + 1, -1, np.int32)
        known = groups.numbers({index.images[name] for name in old})
        for name, number in self._old.items():
            self.groups[number] = known[index.images[name]]
        self._shapes = np.full(len(names), -1, np.int32)
        self._kinds: dict[Shape, int] = {}
        self._grids: list[tuple[Shape, dict[str, Shape]]] = []

    def best(self, index: PatchIndex) -> Best:
        """The patches of the index with which these images were made, one row for each unit of each layer."""
        rows = [patches for units in index.layers.values() for patches in units.values()]
        shape = len(rows), index.top
        best = Best(np.full(shape, -np.inf, np.float32), np.full(shape, self.none, np.int32), np.zeros(shape, np.int64))
        place = 0
        for row, patches in enumerate(rows):
            for rank, patch in enumerate(patches):
                best.activations[row, rank] = patch.activation
                best.images[row, rank], best.places[row, rank] = self._old[patch.image], place
                place += 1
        return best

    def saw(self, number: int, shape: Shape, grids: Mapping[str, Shape]) -> None:
        """Keep what is needed to tell where a place is: the shape of an image, and the grids that layers have for it."""
        known = self._kinds.setdefault(shape, len(self._grids))
        if known == len(self._grids):
            self._grids.append((shape, dict(grids)))
        self._shapes[number] = known

    def patch(self, layer: str, activation: float, number: int, place: int) -> Patch:
        """The patch of an image at a place of the grid of a layer."""
        known = int(self._shapes[number])
        if known < 0:
            return self._given[place]
        shape, grids = self._grids[known]
        position = tuple(int(i) for i in np.unravel_index(place, grids[layer]))
        dims = self._network.spatial_dims
        lines, space = position[:-dims], zip(position[-dims:], shape[-dims:], strict=True)
        fields = [fields_along(self._network, layer, axis, extent)[i] for axis, (i, extent) in enumerate(space)]
        return Patch(self._names[number], activation, position, (*((i, i + 1) for i in lines), *fields))


class BestOfLayer(Mapping[int, Patches]):
    """The patches of each unit of a layer, made of their arrays when they are asked for.

    Args:
        images: those of the search.
        layer: the name.
        rows: of each unit, in ``best``.
        best: the arrays, which nobody changes any more.
    """

    __slots__ = ("_best", "_images", "_layer", "_rows")

    def __init__(self, images: Images, layer: str, rows: Mapping[int, int], best: Best) -> None:
        self._images, self._layer, self._rows, self._best = images, layer, rows, best

    def __getitem__(self, unit: int) -> Patches:
        columns = (column[self._rows[unit]].tolist() for column in self._best)
        return tuple(
            self._images.patch(self._layer, activation, number, place)
            for activation, number, place in zip(*columns, strict=True)
            if number < self._images.none
        )

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return repr(dict(self))


@lru_cache(256)
def fields_along(network: Network, layer: str, axis: int, extent: int) -> list[Interval]:
    """The receptive field of each position of the layer along an axis of the image."""
    smallest = network.smallest_size([layer])
    space = [extent if i == axis else smallest for i in range(network.spatial_dims)]
    return [network.receptive_field(layer, i, extent, axis) for i in range(network.grid(layer, space)[axis])]
