"""The activations of one signal, of whatever kind."""

from __future__ import annotations

from collections.abc import Collection

from torch import Tensor

from impasto.networks.network import Network


def activations_of(network: Network, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
    """The activations of ``layers``, each (n_C, \\*space of that layer), for a signal x (channels, \\*space).

    A space of one axis more than the network looks along is (lines, \\*space): each line is seen alone.
    """
    x = x.to(network.device)
    if x.dim() - 1 == network.spatial_dims:
        return {name: a[0] for name, a in network(x[None], layers).items()}
    return {name: a.movedim(0, 1) for name, a in network(x.movedim(1, 0), layers).items()}
