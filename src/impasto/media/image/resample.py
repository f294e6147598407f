"""Resizes pictures, and lays them on white."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.media.signal import Signal, Values

# rows of the result that are made at a time
_ROWS = 256


def made_smaller(samples: NDArray[Any], factor: int) -> NDArray[Any]:
    """The means of squares of ``factor`` x ``factor`` pixels of (height, width, channels), in the type of the samples."""
    if factor == 1:
        return samples
    columns = np.arange(0, samples.shape[1], factor)
    wide = np.minimum(factor, samples.shape[1] - columns)[:, None]
    parts: list[NDArray[Any]] = []
    for top in range(0, samples.shape[0], factor * _ROWS):
        part = samples[top : top + factor * _ROWS].astype(np.float32)
        rows = np.arange(0, part.shape[0], factor)
        tall = np.minimum(factor, part.shape[0] - rows)[:, None, None]
        means = np.add.reduceat(np.add.reduceat(part, rows, 0) / tall, columns, 1) / wide
        parts.append(means.round().astype(samples.dtype) if samples.dtype.kind in "iu" else means)
    return np.concatenate(parts)


def scaled_shape(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """(height, width) in the proportions of ``shape``, with a longest side of ``longest`` pixels."""
    height, width = (max(1, round(n * longest / max(shape))) for n in shape)
    return height, width


def resample_image(picture: Signal, shape: tuple[int, int]) -> Signal:
    """The picture with (height, width) = ``shape``, by Lanczos in float32."""
    values = np.stack([_resample(channel, shape) for channel in picture.values])
    if "alpha" not in picture.header or shape == picture.shape:
        return Signal(values.clip(0, 1), picture.kind, picture.header)
    # weighted by opacity, or the colours of transparent places would bleed into the visible ones
    alpha = picture.header["alpha"]
    weighed = np.stack([_resample(channel * alpha, shape) for channel in picture.values])
    alpha = _resample(alpha, shape)
    visible = alpha > 1 / 255
    values = np.where(visible, weighed / np.where(visible, alpha, 1), values).clip(0, 1)
    return Signal(values, picture.kind, {**picture.header, "alpha": alpha.clip(0, 1)})


def _resample(channel: Values, shape: tuple[int, int]) -> Values:
    if channel.shape == shape:
        return channel
    resized = Image.fromarray(channel).resize((shape[1], shape[0]), Image.Resampling.LANCZOS)
    return np.asarray(resized, np.float32)


def over_white(picture: Signal) -> Signal:
    """The picture laid on white, without opacity."""
    if "alpha" not in picture.header:
        return picture
    alpha = picture.header["alpha"]
    header = {name: value for name, value in picture.header.items() if name != "alpha"}
    return Signal(picture.values * alpha + (1 - alpha), picture.kind, header)
