"""What a network is: named layers with their activations, receptive fields, strides and memory.

:class:`OfTable` derives them from a layer table; :class:`impasto.networks.wrap.Wrapped` measures them. With a network that
is also :class:`impasto.networks.tiling.segments.Segmented` J can be computed tile by tile. With any other it is computed
whole, which takes :meth:`Network.memory`.
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
        """For messages and indexes of patches, e.g. "vgg19"."""
        ...

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of its layers, in the order in which they are computed."""
        ...

    @property
    def spatial_dims(self) -> int:
        """How many axes of space its signals have."""
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
        """Moves the network to another device, and returns it."""
        ...

    def channels(self, layer: str) -> int:
        """n_C: how many units the layer has."""
        ...

    def smallest_size(self, layers: Collection[str]) -> int:
        """The fewest positions along every axis for which each of the layers has at least one."""
        ...

    def total_stride(self, layers: Collection[str]) -> int:
        """The shift of a signal, in positions, by whose multiples the activations of all these layers shift with it."""
        ...

    def grid(self, layer: str, space: Sequence[int]) -> tuple[int, ...]:
        """How many positions the layer has along each axis, for a signal with ``space`` positions."""
        ...

    def field(self, layer: str, axis: int = 0) -> Field | None:
        """The receptive fields of the layer along an axis of space without borders; None if they cover the whole axis."""
        ...

    def receptive_field(self, layer: str, position: int, extent: int, axis: int = 0) -> Interval:
        """The positions along an axis of space, which has ``extent``, that can change the activation at ``position``.

        Raises:
            SettingsError: the layer has no such position.
        """
        ...

    def memory(self, shape: Sequence[int], layers: Collection[str], *, gradient: bool = True) -> int:
        """Bytes at the peak of an evaluation of J and its gradient, computed whole, beside the weights.

        Args:
            shape: of the signal, (N, channels, \\*space).
            layers: at which J looks.
            gradient: False if only the activations are computed.
        """
        ...


class OfTable(nn.Module):
    """A network given by a layer table, from which its receptive fields, strides and memory follow.

    Attributes:
        table: the rows.
        name: for messages and indexes of patches.
        spatial_dims: how many axes of space its signals have.
        padded: whether convolutions are padded to keep the size.
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
        """See :meth:`Network.channels`; likewise for the methods below."""
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
        """The receptive fields without borders, the same along every axis."""
        return field_of(up_to_deepest(self.table, [layer]), padded=self.padded)

    def receptive_field(self, layer: str, position: int, extent: int, axis: int = 0) -> Interval:
        """The receptive field, exact at the borders."""
        return receptive_field(up_to_deepest(self.table, [layer]), position, extent, padded=self.padded)

    def memory(self, shape: Sequence[int], layers: Collection[str], *, gradient: bool = True) -> int:
        """Counted as in :func:`impasto.networks.tiling.plan.untiled_memory`."""
        (items, channels, *space), table = shape, up_to_deepest(self.table, layers)
        if gradient:
            return round(untiled_memory(Task(table, tuple(space), channels, items, (), tuple(space))))
        sizes = {name: items * prod(self.grid(name, space)) * self.channels(name) for name in (row.name for row in table)}
        # while a row is computed there are its input and its output, beside the layers that are kept
        largest = max((a + b for a, b in itertools.pairwise([0, *sizes.values()])), default=0)
        return FLOAT * (sum(sizes[name] for name in dict.fromkeys(layers)) + largest)
