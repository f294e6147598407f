"""Converts weights trained on pictures to signals of one and three dimensions.

By the constancy principle: a signal that is constant along an axis has the features of the signal without that axis. This
is exact with replicated borders. With zeros beyond the border the signal is not constant there, which changes activations
near the border, and the deeper the layer the further in.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def to_dimensions(weights: Mapping[str, Tensor], spatial_dims: int, axis: int = 0) -> dict[str, Tensor]:
    """The weights of a 2D network for signals of ``spatial_dims`` = 1, 2 or 3 dimensions.

    2D to 1D sums the kernels over the lost axis; 2D to 3D repeats them along the new axis and divides by their length.

    Args:
        weights: tensors by name; every ``NAME.weight`` (out, in, height, width) is converted, all others stay as they are.
        spatial_dims: 1, 2 or 3.
        axis: the one of the two axes of a picture that is lost, or the one of the three axes of a volume that is new. By
            default the first: the height is lost, or a depth comes before height and width.

    Raises:
        ValueError: ``spatial_dims`` or ``axis`` is none of these.
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
