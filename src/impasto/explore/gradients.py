"""What in a patch excites the unit: the gradient of its activation with respect to the image.

Plain (Simonyan, Vedaldi and Zisserman 2014, section 3) or guided (Springenberg et al. 2015), which joins the plain gradient
with the deconvnet of Zeiler and Fergus (2014): at every ReLU only what is positive goes back.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from impasto.explore.activations import activations_of
from impasto.explore.index import Patch
from impasto.explore.tiles import Panel
from impasto.media.signal import Signal, Values
from impasto.networks.network import Network
from impasto.networks.precision import computing_in

Gradient = Literal["guided", "plain"]


def activation_gradient(
    network: Network, signal: Signal, layer: str, unit: int, patch: Patch, kind: Gradient = "guided"
) -> Values:
    """The gradient of the patch's activation, (channels, *space of its field); beyond the field it is zero.

    Only the field is computed, from the last common multiple of the strides before it: the same positions as in the whole
    image, without their surroundings.
    """
    dims = network.spatial_dims
    alone = (1,) * (len(signal.shape) - dims)  # for the axis of leads or channels, each of which is seen by itself
    fields = [network.field(layer, axis) for axis in range(dims)]
    steps = (*alone, *(1 if field is None else field.step for field in fields))
    strides = (*alone, *(network.total_stride([layer]),) * dims)
    # a layer that looks everywhere depends on the whole axis
    everywhere = (*(False,) * len(alone), *(field is None for field in fields))
    origins = [
        0 if whole else start // stride * stride
        for whole, stride, (start, _) in zip(everywhere, strides, patch.field, strict=True)
    ]
    # a field cut by the border may be smaller than the network takes, and is then computed with its surroundings
    smallest = (*alone, *(network.smallest_size([layer]),) * dims)
    window = tuple(
        slice(origin, None if whole else max(stop, origin + least))
        for whole, origin, least, (_, stop) in zip(everywhere, origins, smallest, patch.field, strict=True)
    )
    x = torch.from_numpy(signal.values[(slice(None), *window)]).requires_grad_()
    position = (i - origin // step for i, origin, step in zip(patch.position, origins, steps, strict=True))
    with computing_in("float32", network.device):
        activation = activations_of(network, x, [layer])[layer][(unit, *position)]
        if kind == "guided":
            _pass_only_positive(activation)
        (gradient,) = torch.autograd.grad(activation, x)
    field = tuple(slice(start - origin, stop - origin) for origin, (start, stop) in zip(origins, patch.field, strict=True))
    return gradient.numpy()[(slice(None), *field)]


def _pass_only_positive(activation: Tensor) -> None:
    """Let every ReLU before this activation hand back positive gradients only."""
    seen, waiting = set[object](), [activation.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.name() == "ReluBackward0" or getattr(node, "rectified", False):
            node.register_prehook(lambda gradients: tuple(g.clamp_min(0) for g in gradients))
        waiting += [before for before, _ in node.next_functions]


def gradient_panel(network: Network, kind: Gradient = "guided") -> Panel:
    """The gradient as a picture: grey where nothing matters, each patch in units of its own largest values."""

    def panel(signal: Signal, layer: str, unit: int, patch: Patch) -> Values:
        gradient = activation_gradient(network, signal, layer, unit, patch, kind)
        largest = float(np.quantile(np.abs(gradient), 0.995)) or 1.0
        return (0.5 + gradient / (2 * largest)).clip(0, 1).astype(np.float32)

    return panel
