"""What a medium makes of content and styles, so that they can be painted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from impasto.descent.descend import Progress, descend
from impasto.media.signal import Signal, Values
from impasto.networks.convnet import ConvNet, vgg19
from impasto.networks.layers import NETWORKS, LayerTable, up_to_deepest
from impasto.networks.tiling.statistics import Blend
from impasto.objective.objective import Objective
from impasto.transfer.settings import TransferSettings


def table_of(settings: TransferSettings) -> LayerTable:
    """The rows of the settings' network down to the deepest layer that its costs look at."""
    return up_to_deepest(NETWORKS[settings.network].table, {**settings.content_weights, **settings.style_lambdas})


def vgg19_of(settings: TransferSettings, spatial_dims: int = 2) -> ConvNet:
    """VGG-19 with the weights, the padding and the pooling of the settings."""
    return vgg19(
        spatial_dims,
        weights=settings.weights,
        preprocessing=settings.preprocessing,
        padding=settings.padding,
        pooling=settings.pooling,
    )


@dataclass(frozen=True)
class Prepared:
    """Content and style on the grid on which they are compared.

    Attributes:
        content: C, (1, channels, *space).
        style: the styles S, each (1, channels, *space), of any size, with their shares.
        network: what takes G, of the shape of C, and names of layers, and gives their activations.
        restore: makes a signal like the content of values (channels, *space) on its grid.
        fit: another signal of the kind on the content's grid, where G may start.
        random: mean and standard deviation of a random G.
        noise: standard deviation of what is added to a G that starts from a signal.
        bounds: the range of the values, or None.
        natural: whether their spectrum falls as 1/frequency, as that of photographs.
        in_tiles: whether J may be computed tile by tile, as far as the network can be cut.
        held: bytes that the objective holds, beside the content, the styles and what the costs take of them.
        objective: makes J of network, content, style and settings.
        descent: descends it, as :func:`impasto.descent.descend.descend` does.
    """

    content: Tensor
    style: Blend
    network: nn.Module
    restore: Callable[[Values], Signal]
    fit: Callable[[Signal], Tensor]
    random: tuple[float, float]
    noise: float = 0.0
    bounds: tuple[float, float] | None = None
    natural: bool = False
    in_tiles: bool = True
    held: int = 0
    objective: Callable[[Any, Tensor, Blend, TransferSettings], Any] = Objective
    descent: Callable[..., Iterator[Progress]] = descend
