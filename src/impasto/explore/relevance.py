"""How much units matter for others: in place of each activation what it adds to that of a unit further on.

Activation times gradient: a unit's activation a at a position, times the slope of the target's highest activation with
respect to it. If everything between them is piecewise linear, the relevances of a layer add up to that activation but for
what biases add (Shrikumar et al., "Not Just a Black Box: Learning Important Features Through Propagating Activation
Differences", 2016).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor

from impasto.errors import SettingsError
from impasto.explore.settings import Objective, parse_objective
from impasto.networks.layers import Field, Interval
from impasto.networks.network import Network


class Towards:
    """A network whose activations are those of another one, weighed by how much they matter for a target.

    Args:
        network: the other one.
        target: a unit, or a weighted sum of units, as :func:`impasto.synthesise` takes it; of each the highest activation
            in a signal counts.

    Raises:
        UnknownLayerError, SettingsError: there is no such unit.
    """

    def __init__(self, network: Network, target: str | Objective) -> None:
        self._network = network
        self._target = parse_objective(target, network)
        self._layers = tuple(dict.fromkeys(layer for layer, _ in self._target))
        self._before = network.layers[: min(network.layers.index(layer) for layer in self._layers)]
        self.layers = network.layers
        # so that all layers are those before the target
        self.table = tuple(row for row in getattr(network, "table", ()) if row.name in self._before)
        units = ",".join(f"{layer}:{unit}" + f"={w:g}" * (w != 1) for (layer, unit), w in self._target.items())
        self.name = f"{network.name} towards {units}"
        self.spatial_dims = network.spatial_dims

    @property
    def device(self) -> torch.device:
        """See :class:`impasto.networks.network.Network`; likewise for the others."""
        return self._network.device

    def __call__(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The relevances of ``layers``, of the shapes of their activations; they are constants for autograd."""
        with torch.inference_mode(False), torch.enable_grad():
            x = x.detach().clone().requires_grad_()
            found = self._network(x, [*layers, *self._layers])
            peaks = (w * found[layer][:, unit].flatten(1).amax(1).sum() for (layer, unit), w in self._target.items())
            activations = [found[layer] for layer in layers]
            slopes = torch.autograd.grad(sum(peaks, start=x.new_zeros(())), activations)
        pairs = zip(layers, activations, slopes, strict=True)
        return {layer: activation.detach() * slope for layer, activation, slope in pairs}

    def to(self, device: Any) -> Towards:
        """Moves the network, and returns this one."""
        self._network.to(device)
        return self

    def channels(self, layer: str) -> int:
        """How many units the layer has."""
        return self._network.channels(layer)

    def smallest_size(self, layers: Collection[str]) -> int:
        """The fewest positions with which the target has one.

        Raises:
            SettingsError: one of the layers is not before the target.
        """
        for layer in layers:
            if layer in self.layers and layer not in self._before:
                raise SettingsError(f"{layer} is not before {self._layers[0]}, so it does not matter for that")
        return self._network.smallest_size([*layers, *self._layers])

    def total_stride(self, layers: Collection[str]) -> int:
        """That of the layers."""
        return self._network.total_stride(layers)

    def grid(self, layer: str, space: Sequence[int]) -> tuple[int, ...]:
        """That of the layer."""
        return self._network.grid(layer, space)

    def field(self, layer: str, axis: int = 0) -> Field | None:
        """That of the layer: what its activation depends on. How much it matters depends on all that the target sees."""
        return self._network.field(layer, axis)

    def receptive_field(self, layer: str, position: int, extent: int, axis: int = 0) -> Interval:
        """That of the layer."""
        return self._network.receptive_field(layer, position, extent, axis)

    def memory(self, shape: Sequence[int], layers: Collection[str], *, gradient: bool = True) -> int:
        """With a gradient, in any case."""
        return self._network.memory(shape, [*layers, *self._layers], gradient=True)
