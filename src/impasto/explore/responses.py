"""What excites units in images: the forward pass, and the highest activations of it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.explore.activations import activations_of
from impasto.explore.index import bins_of
from impasto.explore.numbered import Shape
from impasto.explore.table import Found
from impasto.media.signal import Signal, Values
from impasto.networks.device import free_memory
from impasto.networks.network import Network
from impasto.networks.precision import computing_in

BATCH, BATCH_MEMORY = 32, 2**31
"""A batch has at most so many images, and a forward pass over it takes at most so many bytes."""

Activations = dict[str, Tensor]
Part = tuple[NDArray[np.int_], NDArray[np.float32], NDArray[np.int_]]  # rows, and their highest activations and places


class Rows(Protocol):
    """What was found before, as far as a search has to know: a table, or what stands for one elsewhere."""

    @property
    def units(self) -> Mapping[str, NDArray[np.int_]]:
        """The numbers of the units of each layer."""
        ...

    def rows(self, layers: tuple[str, ...]) -> NDArray[np.int_]:
        """Which rows the units of these layers have, in the order of the layers."""
        ...

    def may_change(self, image: int, rows: NDArray[np.int_], peaks: NDArray[np.float32]) -> NDArray[np.bool_]:
        """In which rows an image can put a patch, if these are its highest activations."""
        ...


class Responses:
    """Looks for patches in images of one shape at a time.

    On a CPU each image is seen alone: one keeps all cores busy. On a GPU images of one shape are seen together. How many
    depends on their shape alone, and a batch is filled up with black, since a library may add in another order for another
    number: so the activations of an image do not depend on which others are seen in the same run.

    Args:
        network: whose units they are.
        table: what was found before.
        count: how many patches a unit can have in an image.

    Attributes:
        device: of the network.
        together: whether several images may be seen together.
    """

    def __init__(self, network: Network, table: Rows, count: int) -> None:
        self._network, self._table, self._count = network, table, count
        self.device = network.device
        self.together = self.device.type != "cpu" and count == 1
        self._dims = network.spatial_dims
        self._asked, self._free = -math.inf, 0
        self._smallest = {layer: network.smallest_size([layer]) for layer in table.units}
        self._memory = lru_cache(256)(self._memory_of)
        self._batch: Values = np.empty(0, np.float32)

    def obstacle(self, shape: Shape) -> str | None:
        """Why an image of this shape cannot be seen, if it cannot."""
        space = shape[-self._dims :]
        extent = " x ".join(str(n) for n in reversed(space))
        smallest, layer = min((n, layer) for layer, n in self._smallest.items())
        if min(space) < smallest:
            return f"{extent} is too small for {layer}, which needs {smallest} on each side"
        needed, free = self._memory(shape), self._free_memory()
        if needed > free:
            return f"{extent} needs {needed / 2**30:.1f} GiB of memory and {free / 2**30:.1f} are free; give a smaller size"
        return None

    def batch(self, shape: Shape) -> int:
        """How many images of this shape are seen together."""
        if not self.together or len(shape) != self._dims:
            return 1
        return max(1, min(BATCH, BATCH_MEMORY // max(1, self._memory(shape))))

    def find(self, images: Sequence[int], signals: Sequence[Signal], batch: int = 1) -> list[Found]:
        """What may be among the best patches in these images of one shape, which are at most ``batch``."""
        fitting = self._fitting(signals[0].shape)
        with torch.inference_mode(), computing_in("float32", self.device):
            if batch == 1:
                a = activations_of(self._network, torch.from_numpy(signals[0].values), fitting)
                if not self.together:
                    return [self._one(images[0], a)]
                return self._several(images, {layer: a.pop(layer)[None] for layer in fitting})
            x = torch.from_numpy(self._filled([signal.values for signal in signals], batch))
            return self._several(images, dict(self._network(x.to(self.device), fitting)))

    def _filled(self, values: Sequence[Values], batch: int) -> Values:
        """The values of a batch in one array, the last one if it has the shape: new memory takes as long as to fill it."""
        if self._batch.shape != (batch, *values[0].shape):
            self._batch = np.empty((batch, *values[0].shape), np.float32)
        for place, one in enumerate(values):
            self._batch[place] = one
        self._batch[len(values) :] = 0
        return self._batch

    def _one(self, image: int, activations: Activations) -> Found:
        """Of one image; only units that it can give a patch are looked at closely."""
        parts: list[Part] = []
        bins: list[NDArray[np.int_]] = []
        grids: dict[str, Shape] = {}
        for layer in list(activations):
            a = activations.pop(layer)
            grids[layer] = tuple(a.shape[1:])
            units, rows = self._table.units[layer], self._table.rows((layer,))
            a = a.flatten(1, -2) if a.dim() > 2 else a[:, None]
            of_lines = a.movedim(0, 2).amax(1).T.contiguous().cpu().numpy()  # to a.amax(2) the kernels' layout is slow
            peaks = of_lines.max(1)[units]
            bins.append(bins_of(peaks))
            changed = np.flatnonzero(self._table.may_change(image, rows, peaks))
            if len(changed):
                parts.append((rows[changed], *_highest(a, of_lines, units[changed], self._count)))
        return Found(*_joined(parts), np.concatenate(bins), grids)

    def _several(self, images: Sequence[int], activations: Activations) -> list[Found]:
        """Of images on another device: what leaves it is the highest activation of each unit, and where that is."""
        highest: list[Tensor] = []
        where: list[Tensor] = []
        rows, grids = self._table.rows(tuple(activations)), dict[str, Shape]()
        for layer in list(activations):
            a = activations.pop(layer)[: len(images)]
            grids[layer] = tuple(a.shape[2:])
            a, units = a.flatten(2), torch.from_numpy(self._table.units[layer]).to(a.device)
            highest.append(a.amax(2)[:, units])
            where.append(a.argmax(2)[:, units])
        found: list[Found] = []
        peaks, places = torch.cat(highest, 1).cpu().numpy(), torch.cat(where, 1).cpu().numpy()
        for image, own, own_places, bins in zip(images, peaks, places, bins_of(peaks), strict=True):
            changed = np.flatnonzero(self._table.may_change(image, rows, own))
            found.append(Found(rows[changed], own[changed, None], own_places[changed, None], bins, grids))
        return found

    def _free_memory(self) -> int:
        now = time.monotonic()
        if now > self._asked + 1:  # a second old is new enough, and to ask for it can take milliseconds
            self._asked, self._free = now, free_memory(self.device)
        return self._free

    def _fitting(self, shape: Shape) -> list[str]:
        return [layer for layer, smallest in self._smallest.items() if smallest <= min(shape[-self._dims :])]

    def _memory_of(self, shape: Shape) -> int:
        seen = (math.prod(shape[: -self._dims]), 3, *shape[-self._dims :])
        return self._network.memory(seen, self._fitting(shape), gradient=False)


def _highest(
    a: Tensor, of_lines: NDArray[np.float32], units: NDArray[np.int_], count: int
) -> tuple[NDArray[np.float32], NDArray[np.int_]]:
    """For each unit its highest activations in their order, of equal ones those that come first; and where they are.

    Args:
        a: the activations (units, lines, positions of a line).
        of_lines: the highest of each line.
        units: some of them.
        count: how many.
    """
    numbers = torch.from_numpy(units).to(a.device)
    if count > 1:
        rows = a[numbers].flatten(1).cpu().numpy()
        where = np.stack([_highest_of(row, min(count, row.size)) for row in rows])
        return np.take_along_axis(rows, where, 1), where
    # only the first line that has the highest one is gone through: the kernels lay activations unit beside unit, and to look
    # for a place in all of them takes ten times as long
    lines = of_lines[units].argmax(1)
    values = a[numbers, torch.from_numpy(lines).to(a.device)].cpu().numpy()
    where = values.argmax(1)[:, None]
    return np.take_along_axis(values, where, 1), lines[:, None] * a.shape[2] + where


def _highest_of(row: NDArray[np.float32], count: int) -> NDArray[np.int_]:
    where = np.flatnonzero(row >= np.partition(row, -count)[-count])
    return where[np.argsort(-row[where], kind="stable")][:count]


def _joined(parts: Sequence[Part]) -> Part:
    """The parts of several layers; a layer may have fewer positions than another."""
    if not parts:
        return np.zeros(0, int), np.zeros((0, 1), np.float32), np.zeros((0, 1), int)
    rows, highest, places = zip(*parts, strict=True)
    width = max(a.shape[1] for a in highest)
    return np.concatenate(rows), np.concatenate(_wide(highest, width, -np.inf)), np.concatenate(_wide(places, width, -1))


def _wide(columns: Sequence[NDArray[Any]], width: int, value: float) -> list[NDArray[Any]]:
    return [
        a if a.shape[1] == width else np.pad(a, ((0, 0), (0, width - a.shape[1])), constant_values=value) for a in columns
    ]
