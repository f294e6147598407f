"""Means over positions: all that a cost has to know of an activation.

A mean over all positions is the mean of the means over parts, so whatever is a function of such means can be computed in
parts of any size. Activations as such are never needed whole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import reduce
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

Forward = Callable[[Tensor, Collection[str]], dict[str, Tensor]]
"""What takes a signal (N, channels, *space) and names of layers, and gives their activations."""

Window = tuple[slice, ...]
"""Where a part of an activation (N, n_C, *space) lies in the whole: a slice of the batch, and one of each axis of space."""

Blend = Sequence[tuple[Tensor, float]]
"""Signals (N, channels, *space), each of any size, and their weights, which sum to 1."""


class Statistic(NamedTuple):
    """A mean over the positions of a layer.

    Attributes:
        layer: whose activation.
        mean: takes a part of the activation (N, n_C, *space) and where it lies in the whole, and gives the mean over the
            positions of that part, of any shape. What it compares with position by position it cuts with :func:`at`.
    """

    layer: str
    mean: Callable[[Tensor, Window], Tensor]


def everywhere(of: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Window], Tensor]:
    """The mean ``of`` a part, wherever it lies."""
    return lambda a, window: of(a)


def of_batch(batch: slice, statistic: Statistic) -> Statistic:
    """The statistic for who sees only this part of the batch."""
    return Statistic(statistic.layer, lambda a, window: statistic.mean(a, (batch, *window[1:])))


def weighted(of: Callable[..., Tensor], weight: Tensor) -> Callable[[Tensor, Window], Tensor]:
    """The mean ``of`` a part and its weights, which are cut from those of all positions (N, 1, *space), of mean 1."""
    return lambda a, window: of(a, at(weight, window))


def at(whole: Tensor, window: Window) -> Tensor:
    """The part of (N, channels, *space) that lies in the window."""
    return whole[window[0], :, *window[1:]]


def measure(network: Forward, x: Tensor, statistics: Sequence[Statistic]) -> list[Tensor]:
    """The statistics of the signal x (N, channels, *space), in their order; differentiable.

    A network may have a way of its own to measure, as :class:`impasto.networks.tiling.tiles.InTiles` has.
    """
    if isinstance(network, Measuring):
        return network.measure(x, statistics)
    activations = network(x, layers_of(statistics))
    whole = (slice(None),) * (x.dim() - 1)
    return [statistic.mean(activations[statistic.layer], whole) for statistic in statistics]


def measure_blend(network: Forward, blend: Tensor | Blend, statistics: Sequence[Statistic]) -> list[Tensor]:
    """The weighted means of the statistics of several signals, in their order."""
    measured = [[weight * mean for mean in measure(network, x, statistics)] for x, weight in as_blend(blend)]
    return [reduce(torch.add, means) for means in zip(*measured, strict=True)]


def as_blend(signal: Tensor | Blend) -> Blend:
    """A signal alone has all the weight."""
    return [(signal, 1.0)] if isinstance(signal, Tensor) else signal


@runtime_checkable
class Measuring(Protocol):
    """A network that measures by itself."""

    def measure(self, x: Tensor, statistics: Sequence[Statistic]) -> list[Tensor]:
        """As the function of this name."""
        ...


def layers_of(statistics: Iterable[Statistic]) -> list[str]:
    """The layers that are looked at, each once."""
    return list(dict.fromkeys(statistic.layer for statistic in statistics))
