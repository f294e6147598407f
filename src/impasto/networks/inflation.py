"""Weights trained on pictures, for signals of other dimensions.

One principle: a signal that is constant along an axis has the features of the signal without that axis. It holds where the
border is padded by replication; zeros beyond a border are not constant, and their effect grows with the depth.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def to_dimensions(weights: Mapping[str, Tensor], spatial_dims: int, axis: int = 0) -> dict[str, Tensor]:
    """The weights of a 2D network for signals of ``spatial_dims`` = 1, 2 or 3 dimensions.

    2D to 1D sums the kernels over the lost axis; 2D to 3D repeats them along the new axis and divides by their length.

    Args:
        weights: ``NAME.weight`` (out, in, height, width) and others, which stay as they are.
        spatial_dims: 1, 2 or 3.
        axis: of the two axes the one that is lost, or of the three the one that is new. By default the first: the
            height is lost, or a depth comes before height and width.

    Raises:
        ValueError: there is no such axis or number of dimensions.
    """
    if spatial_dims not in (1, 2, 3) or not 0 <= axis < max(2, spatial_dims):
        raise ValueError(
            f"axis {axis} of {spatial_dims} dimensions: 1, 2 or 3 dimensions and one of their axes were expected"
        )

    def convert(kernel: Tensor) -> Tensor:
        if spatial_dims == 1:
            return kernel.sum(2 + axis)
        length = kernel.shape[2]
        return kernel.unsqueeze(2 + axis).repeat_interleave(length, 2 + axis) / length

    if spatial_dims == 2:
        return dict(weights)
    return {name: convert(tensor) if name.endswith(".weight") else tensor for name, tensor in weights.items()}
