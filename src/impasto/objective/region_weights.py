"""The weights of the positions of a layer for a region of a picture.

After Gatys et al., "Controlling Perceptual Factors in Neural Style Transfer" (2017), arXiv:1611.07865, section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from impasto.networks.layers import SIGNAL, LayerTable, sources, up_to_deepest
from impasto.networks.network import Network

Mask = NDArray[np.floating[Any]]

Look = Callable[[Tensor, Sequence[str]], dict[str, Tensor]]
"""Takes a mask (1, 1, height, width) and names of layers; returns how much of the mask each position sees, in 0..1."""

PositionWeights = Mapping[str, Tensor]
"""For each layer the weights of its positions, (1, 1, height, width), with a mean of 1."""


class Region(NamedTuple):
    """Masks in 0..1: of the content's region, (height, width), and of what it takes from each style; None: nothing."""

    content: Mask
    styles: tuple[Mask | None, ...]


class RegionWeights(NamedTuple):
    """The weights of a region in the layers; a layer is missing if it sees nothing of the region.

    Attributes:
        share: of the content's area, 0..1.
        generated: the weights for G.
        styles: the weights for each style.
    """

    share: float
    generated: PositionWeights
    styles: tuple[PositionWeights, ...]


def region_weights(
    region: Region, content: Tensor, styles: Sequence[Tensor], look: Look, layers: Iterable[str]
) -> RegionWeights:
    """The weights of a region for a content and styles (1, channels, height, width).

    The weight of a position of G is how much of what it sees is in the region, so that regions blend where they meet. In a
    style only positions that mostly see the region count, as others would bring in neighbouring strokes; all do if there are
    no such positions.
    """
    here, layers = on_grid(region.content, content), list(layers)
    there = [None if part is None else on_grid(part, style) for part, style in zip(region.styles, styles, strict=True)]
    return RegionWeights(
        float(here.mean()),
        _normalised(look(here, layers)),
        tuple({} if part is None else _normalised(_inside(look(part, layers))) for part in there),
    )


def on_grid(mask: Mask, picture: Tensor) -> Tensor:
    """A mask (height, width) as a tensor (1, 1, height, width), resized to a picture by nearest neighbour."""
    x = torch.from_numpy(mask)[None, None].to(picture)
    return x if x.shape[2:] == picture.shape[2:] else F.interpolate(x, picture.shape[2:])


def seen(table: LayerTable, mask: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """How much of the mask (1, 1, height, width) each position of a layer sees, on the grid of the layer.

    Computed like the network, with averages in place of convolutions and poolings.
    """
    source, found = sources(table), {SIGNAL: mask}
    for row in up_to_deepest(table, layers):
        x = found[source[row.name]]
        margin = row.kernel // 2 if row.operation == "conv" else 0
        found[row.name] = F.avg_pool2d(F.pad(x, (margin,) * 4, "replicate"), row.kernel, row.stride) if row.kernel > 1 else x
    return {name: found[name] for name in layers}


def seen_on_grids(network: Network, mask: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """Like :func:`seen` for a network without a table: how much of the mask is at the place of each position."""
    space = tuple(mask.shape[2:])
    grids: dict[str, Any] = {name: network.grid(name, space) for name in layers}
    return {name: F.adaptive_avg_pool2d(mask, grid) for name, grid in grids.items()}


def _inside(share: dict[str, Tensor]) -> dict[str, Tensor]:
    inner = {name: (2 * x - 1).clamp_min(0) for name, x in share.items()}
    return {name: x if x.any() else share[name] for name, x in inner.items()}


def _normalised(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: x / x.mean() for name, x in weights.items() if x.any()}
