"""Means over positions: all that a cost may take from an activation.

A mean over all positions is the weighted mean of the means over parts. So a cost that is a function of such means can be
computed part by part, and activations are never needed whole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import reduce
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

Forward = Callable[[Tensor, Collection[str]], dict[str, Tensor]]
"""Takes a signal (N, channels, *space) and names of layers, and returns their activations by name."""

Window = tuple[slice, ...]
"""The place of a part of an activation (N, n_C, *space): a slice of the batch, and one of each axis of space."""

Blend = Sequence[tuple[Tensor, float]]
"""Signals (N, channels, *space), each of any size, and their weights, which sum to 1."""


class Statistic(NamedTuple):
    """A mean over the positions of a layer.

    Attributes:
        layer: its name.
        mean: takes a part of the activation (N, n_C, *space) and its place, and returns the mean over the positions of that
            part, a tensor of any shape. A tensor with a value for each position is cut to the place by :func:`at`.
    """

    layer: str
    mean: Callable[[Tensor, Window], Tensor]


def everywhere(of: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Window], Tensor]:
    """A mean ``of`` a part that does not depend on its place."""
    return lambda a, window: of(a)


def of_batch(batch: slice, statistic: Statistic) -> Statistic:
    """The statistic for a network that is given only this part of the batch."""
    return Statistic(statistic.layer, lambda a, window: statistic.mean(a, (batch, *window[1:])))


def weighted(of: Callable[..., Tensor], weight: Tensor) -> Callable[[Tensor, Window], Tensor]:
    """A mean ``of`` a part and the weights of its positions; ``weight`` has those of all, (N, 1, *space), of mean 1."""
    return lambda a, window: of(a, at(weight, window))


def at(whole: Tensor, window: Window) -> Tensor:
    """The part of (N, channels, *space) that lies in the window."""
    return whole[window[0], :, *window[1:]]


def measure(network: Forward, x: Tensor, statistics: Sequence[Statistic]) -> list[Tensor]:
    """The statistics of the signal x (N, channels, *space), in their order; differentiable.

    A network with a method ``measure``, like :class:`impasto.networks.tiling.tiles.InTiles`, measures by itself.
    """
    if isinstance(network, Measuring):
        return network.measure(x, statistics)
    activations = network(x, layers_of(statistics))
    whole = (slice(None),) * (x.dim() - 1)
    return [statistic.mean(activations[statistic.layer], whole) for statistic in statistics]


def measure_blend(network: Forward, blend: Tensor | Blend, statistics: Sequence[Statistic]) -> list[Tensor]:
    """The statistics of a blend, in their order: the weighted means of those of its signals."""
    measured = [[weight * mean for mean in measure(network, x, statistics)] for x, weight in as_blend(blend)]
    return [reduce(torch.add, means) for means in zip(*measured, strict=True)]


def as_blend(signal: Tensor | Blend) -> Blend:
    """A single signal as a blend, with weight 1; a blend stays as it is."""
    return [(signal, 1.0)] if isinstance(signal, Tensor) else signal


@runtime_checkable
class Measuring(Protocol):
    """A network that measures statistics by itself."""

    def measure(self, x: Tensor, statistics: Sequence[Statistic]) -> list[Tensor]:
        """See the function :func:`measure`."""
        ...


def layers_of(statistics: Iterable[Statistic]) -> list[str]:
    """The layers of the statistics, each once."""
    return list(dict.fromkeys(statistic.layer for statistic in statistics))
