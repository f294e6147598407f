"""What a network is: named layers and their activations, and what is known of receptive fields, strides and memory.

:class:`OfTable` knows all of it from a layer table; :class:`impasto.networks.wrap.Wrapped` measures it. A network that can
be cut in segments is :class:`impasto.networks.tiling.segments.Segmented` as well: J is then computed tile by tile. Of any
other J is computed whole, and takes :meth:`Network.memory`.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from math import prod
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from impasto.networks.layers import (
    Field,
    Interval,
    LayerTable,
    channels_of,
    field_of,
    grid_sizes,
    receptive_field,
    smallest_size,
    total_stride,
    up_to_deepest,
)
from impasto.networks.tiling.plan import FLOAT, Task, untiled_memory


@runtime_checkable
class Network(Protocol):
    """Named layers, and their activations for a signal.

    Layers are named as in :attr:`layers`; any other name is an :class:`impasto.UnknownLayerError` with the nearest one.
    """

    @property
    def name(self) -> str:
        """What it is called, e.g. "vgg19"; an index of patches keeps it."""
        ...

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of its layers, in the order in which they are computed."""
        ...

    @property
    def spatial_dims(self) -> int:
        """Along how many axes it looks."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        ...

    def __call__(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The activations a^[l] of ``layers``, each (N, n_C, \\*space of the layer), differentiable with respect to x.

        The signal x is (N, channels, \\*space) with values in 0..1; with one channel it is grey.

        Raises:
            SizeError: the signal is too small for a layer.
        """
        ...

    def to(self, device: Any) -> Any:
        """The same network on another device."""
        ...

    def channels(self, layer: str) -> int:
        """n_C: how many units the layer has."""
        ...

    def smallest_size(self, layers: Collection[str]) -> int:
        """The fewest positions along every axis for which each of the layers has at least one."""
        ...

    def total_stride(self, layers: Collection[str]) -> int:
        """By how many positions a signal may be shifted so that the activations of all these layers only shift with it."""
        ...

    def grid(self, layer: str, space: Sequence[int]) -> tuple[int, ...]:
        """The positions of the layer along all axes, for a signal of so many."""
        ...

    def field(self, layer: str, axis: int = 0) -> Field | None:
        """The receptive fields of the layer along an axis of space, without borders; None if it looks everywhere."""
        ...

    def receptive_field(self, layer: str, position: int, extent: int, axis: int = 0) -> Interval:
        """The positions along an axis of space, of ``extent``, that can change the activation at ``position``.

        Raises:
            SettingsError: the layer has no such position.
        """
        ...

    def memory(self, shape: Sequence[int], layers: Collection[str], *, gradient: bool = True) -> int:
        """Bytes at the peak of an evaluation of J and its gradient that is computed whole, without the weights.

        Args:
            shape: of the signal, (N, channels, \\*space).
            layers: at which J looks.
            gradient: False for the activations alone.
        """
        ...


class OfTable(nn.Module):
    """A network that is a layer table, from which all follows.

    Attributes:
        table: the rows.
        name: what it is called.
        spatial_dims: along how many axes it looks.
        padded: whether convolutions keep the size.
    """

    table: LayerTable
    name: str = "network"
    spatial_dims: int
    padded: bool = True

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the rows."""
        return tuple(row.name for row in self.table)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.buffers()).device

    def channels(self, layer: str) -> int:
        """See :meth:`Network.channels`, as for all that follow."""
        return channels_of(self.table, layer)

    def smallest_size(self, layers: Collection[str]) -> int:
        """The fewest positions along an axis for which every named layer has at least one."""
        return smallest_size(up_to_deepest(self.table, layers), padded=self.padded)

    def total_stride(self, layers: Collection[str]) -> int:
        """The product of the strides down to the deepest layer."""
        return total_stride(up_to_deepest(self.table, layers))

    def grid(self, layer: str, space: Sequence[int]) -> tuple[int, ...]:
        """The positions of the layer along all axes."""
        table = up_to_deepest(self.table, [layer])
        return tuple(grid_sizes(table, extent, padded=self.padded)[-1] for extent in space)

    def field(self, layer: str, axis: int = 0) -> Field | None:
        """The receptive fields without borders, along every axis the same."""
        return field_of(up_to_deepest(self.table, [layer]), padded=self.padded)

    def receptive_field(self, layer: str, position: int, extent: int, axis: int = 0) -> Interval:
        """The receptive field, clipped in every row."""
        return receptive_field(up_to_deepest(self.table, [layer]), position, extent, padded=self.padded)

    def memory(self, shape: Sequence[int], layers: Collection[str], *, gradient: bool = True) -> int:
        """By the table, as :func:`impasto.networks.tiling.plan.untiled_memory` counts it."""
        (items, channels, *space), table = shape, up_to_deepest(self.table, layers)
        if gradient:
            return round(untiled_memory(Task(table, tuple(space), channels, items, (), tuple(space))))
        sizes = {name: items * prod(self.grid(name, space)) * self.channels(name) for name in (row.name for row in table)}
        # in the order of the rows, each beside the one before
        largest = max((a + b for a, b in itertools.pairwise([0, *sizes.values()])), default=0)
        return FLOAT * (sum(sizes[name] for name in dict.fromkeys(layers)) + largest)
