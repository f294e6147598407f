"""Scales the intensities of a volume to 0..1 and back, in a dtype that the format of the file has."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError
from impasto.media.signal import Signal

Array = NDArray[Any]

log = logging.getLogger("impasto")

# percent of the voxels beyond each end of the range: metal in a CT or a hot voxel must not make everything else dark
_OUTLIERS = 0.1
_ENOUGH_FOR_PERCENTILES = 2_000_000
_COLOUR_CHANNELS = (3, 4)

# NumPy's types that each format has, in the order in which they are tried
_ALL = "u1 i1 i2 u2 i4 u4 i8 u8 f4 f8"
_TYPES = {
    ".nii": _ALL,
    ".nii.gz": _ALL,
    ".mgh": "u1 i2 i4 f4",
    ".mgz": "u1 i2 i4 f4",
    ".tif": _ALL + " f2",
    ".tiff": _ALL + " f2",
    ".npy": _ALL + " f2 b1",
}
# bits of precision of float32, in which everything is painted
_PRECISION = 24


def stored_type(dtype: np.dtype[Any], low: float, high: float, ending: str) -> np.dtype[Any]:
    """The dtype in which a format stores numbers of ``dtype`` from ``low`` to ``high``: the same one if it has it."""
    known = [np.dtype(name) for name in _TYPES[ending].split()]
    if dtype in known:
        return dtype
    whole = [one for one in known if one.kind in "iu" and np.iinfo(one).min <= low and high <= np.iinfo(one).max]
    wide = [one for one in known if np.can_cast(dtype, one, "safe")]
    return (wide or (whole if dtype.kind in "iu" else []) or [np.dtype(np.float32)])[0]


def scale_voxels(array: Array, header: dict[str, Any], name: str) -> Signal:
    """The volume of an array, (a, b, c) or (a, b, c, 3 or 4), as :func:`impasto.media.volume.files.read_volume` returns it.

    Args:
        array: intensities.
        header: what the file holds beside them. ``colour`` in it tells whether a fourth axis is RGB or RGBA; without it an
            axis of three or four unsigned integers is.
        name: the file, for messages.

    Raises:
        SignalError: the array has another shape, or is not of real numbers, nowhere finite, or constant.
    """
    header = dict(header)
    may_be_colour = header.pop("colour", None) is not False
    # a fourth axis of length 1 is a time series of one volume
    while array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]
    colour = array.ndim == 4 and array.shape[3] in _COLOUR_CHANNELS and array.dtype.kind == "u" and may_be_colour
    if array.ndim != 3 and not colour:
        raise SignalError(
            f"{name} has the shape {' x '.join(map(str, array.shape))}; a volume of three dimensions was expected"
            + ("; take one volume out of the series first" if array.ndim == 4 else "")
        )
    if array.size == 0:
        raise SignalError(f"{name} has no voxels")
    if array.dtype.kind not in "biuf":
        raise SignalError(f"{name} holds values of the type {array.dtype}; real numbers were expected")
    # the result has the native byte order, and at most 64 bits
    dtype = np.dtype(np.float64) if array.dtype.itemsize > 8 else array.dtype.newbyteorder("=")
    header = {**header, "dtype": np.dtype(header.get("dtype", dtype)).newbyteorder("=")}
    if colour and array.shape[3] == 4:
        log.warning("%s: the opacity of its voxels is dropped", name)
    voxels = np.moveaxis(array[..., :3], -1, 0) if colour else array[None]
    if voxels.dtype.kind == "f":
        known = np.isfinite(voxels)
        if not known.any():
            raise SignalError(f"{name} is nowhere finite: every voxel is NaN or infinite")
        if not known.all():
            header["nonfinite"] = np.where(known, 0, voxels)[0].astype(np.float32)
            log.warning("%s: %d of %d voxels are NaN or infinite, and stay so", name, (~known).sum(), known.size)
        numbers = voxels[known]
    else:
        numbers = voxels.reshape(-1)
    if numbers.min() == numbers.max():
        raise SignalError(f"{name} is constant: every voxel is {numbers[0]:g}")
    low, high = (0.0, float(np.iinfo(array.dtype).max)) if colour else _range(numbers)
    if not colour:
        header["cut"] = float(((numbers < low) | (numbers > high)).mean())
    values: Array = np.empty(voxels.shape, np.float32)
    for i in range(len(array)):  # slice by slice: float64 is more exact than float32, but large
        part = np.nan_to_num(voxels[:, i].astype(np.float64), nan=low, posinf=low, neginf=low)
        values[:, i] = ((part - low) / (high - low)).clip(0, 1)
    return Signal(values, "volume", header | {"low": low, "high": high})


def _range(numbers: Array) -> tuple[float, float]:
    some = numbers[:: max(1, numbers.size // _ENOUGH_FOR_PERCENTILES)].astype(np.float64)
    # values that occur, so that a volume of few voxels has no outliers
    low, high = np.percentile(some, _OUTLIERS, method="lower"), np.percentile(some, 100 - _OUTLIERS, method="higher")
    # if nearly all voxels are alike, as in a mask, the few others are what matters
    return (float(low), float(high)) if low < high else (float(numbers.min()), float(numbers.max()))


def intensities(volume: Signal) -> Array:
    """The voxels in the range and the dtype of their file: (a, b, c), or (a, b, c, 3) in colour."""
    low, high, dtype = (volume.header[key] for key in ("low", "high", "dtype"))
    voxels = np.empty(volume.values.shape, dtype)
    for i in range(volume.shape[0]):
        voxels[:, i] = _rounded(volume.values[:, i].astype(np.float64) * (high - low) + low, dtype)
    if "nonfinite" in volume.header:
        lost = volume.header["nonfinite"]
        voxels[0] = np.where(lost == 0, voxels[0], lost)
    return np.ascontiguousarray(voxels[0] if len(voxels) == 1 else np.moveaxis(voxels, 0, -1))


def _rounded(values: Array, dtype: np.dtype[Any]) -> Array:
    """Real numbers rounded to a dtype, and clipped to its range."""
    if dtype.kind == "b":
        return values > 0.5
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        # the largest integer of 64 bits is not a float64: the next smaller float64 is the limit
        top = float(limits.max) if int(float(limits.max)) <= limits.max else float(np.nextafter(float(limits.max), 0))
        values = values.round().clip(limits.min, top)
    return values.astype(dtype)


def is_exact(dtype: np.dtype[Any], low: float, high: float) -> bool:
    """Whether painting in 0..1 keeps all integers of ``dtype`` from ``low`` to ``high`` apart; always for floats."""
    return dtype.kind not in "iu" or (high - low <= 2**_PRECISION and max(abs(low), abs(high)) <= 2**53)
