"""Samples of any numeric type as brightness in 0..1: by the range that the file tells, or by their values."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError
from impasto.media.signal import Values

log = logging.getLogger("impasto")

# bits a sample of cameras and microscopes; of few bits stored in 16, white would be nearly black
_DEPTHS = (8, 10, 12, 14, 16)


def brightness(samples: NDArray[Any], name: str, white: float | None = None) -> Values:
    """The samples as float32 in 0..1, in their shape.

    Unsigned integers are divided by ``white``. If that is not known it is the largest value of their type; or, if no sample
    needs more than 8, 10, 12 or 14 bits of 16 (of 32: or 16), the largest of so many bits, with a warning. Floats in 0..1
    stay as they are. Other floats, and signed integers, are scaled by their own range, with a warning.

    Args:
        samples: of any real type.
        name: of the file, for messages.
        white: the value of white, if the file tells it.

    Raises:
        SignalError: the samples are not real numbers, or none of them is finite.
    """
    kind = samples.dtype.kind
    if kind == "b":
        return samples.astype(np.float32)
    if kind not in "iuf":
        raise SignalError(f"{name} holds values of the type {samples.dtype}; real numbers were expected")
    if kind == "f":
        samples = _finite(samples, name)
    elif white is None and kind == "u":
        white = white_of(samples, name)
    if white:
        return (samples.astype(np.float32) / np.float32(white)).clip(0, 1)
    low, high = float(samples.min()), float(samples.max())
    if kind == "f" and low >= 0 and high <= 1:
        return samples.astype(np.float32)
    log.warning("%s: its values lie in %g..%g, which are taken for black and white", name, low, high)
    return ((samples.astype(np.float64) - low) / ((high - low) or 1)).astype(np.float32)


def _finite(samples: NDArray[Any], name: str) -> NDArray[Any]:
    finite = np.isfinite(samples)
    if finite.all():
        return samples
    if not finite.any():
        raise SignalError(f"{name} holds no numbers, only NaN or infinite values")
    log.warning("%s: where its values are NaN or infinite, it is taken for black", name)
    return np.where(finite, samples, min(samples[finite].min(), 0) if samples[finite].max() <= 1 else samples[finite].min())


def white_of(samples: NDArray[Any], name: str) -> float:
    """The value of white of unsigned integers: the largest of their type, or of fewer bits, with a warning."""
    own = 8 * samples.dtype.itemsize
    highest = int(samples.max())
    bits = next((n for n in _DEPTHS if n < own and highest < 2**n), own)
    # 0 and 1 tell nothing about the depth, and multiples of 257 are 8 bits widened to 16
    if bits == own or highest <= 1 or (own == 16 and not (samples % 257).any()):
        return float(np.iinfo(samples.dtype).max)
    log.warning(
        "%s: no value needs more than %d of its %d bits, so that %d is taken for white", name, bits, own, 2**bits - 1
    )
    return float(2**bits - 1)
