"""Random filters: a network for series and sounds that needs no training.

Filters of several widths stand side by side, with random weights and biases. They describe the texture of a signal without
having learned any (Ustyuzhaninov et al. 2017, "What does it take to generate natural textures?"): wide ones see a whole
heartbeat or a chord, narrow ones an edge.
"""

from __future__ import annotations

import torch

from impasto.networks.convnet import ConvNet
from impasto.networks.layers import ARCHITECTURES, LayerTable

SEED = 20150826


def random_bank(table: LayerTable, channels: int) -> ConvNet:
    """The 1D convolutions of ``table`` with random weights, for signals (N, channels, positions) with values of order 1.

    The weights are normal with variance 2 / (inputs of a filter) (He et al. 2015). The biases are normal with variance 1, so
    that filters of the same width begin to respond at different values. They are the same at every call.
    """
    generator = torch.Generator().manual_seed(SEED)
    weights = {"mean": torch.zeros(channels), "std": torch.ones(channels)}
    for row in table:
        if row.operation == "conv":
            kernel = torch.randn(row.channels, channels, row.kernel, generator=generator)
            weights[f"{row.name}.weight"] = kernel * (2 / (channels * row.kernel)) ** 0.5
            weights[f"{row.name}.bias"] = torch.randn(row.channels, generator=generator)
    return ConvNet(table, weights, name="bank")


def bank(spatial_dims: int = 1, *, channels: int = 1) -> ConvNet:
    """The random filters that series are painted with, for signals of so many ``channels``."""
    return random_bank(ARCHITECTURES["bank"].table, channels)
