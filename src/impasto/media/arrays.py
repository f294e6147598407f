"""Pictures given as arrays: in .npy files, which may hold a volume or a series as well, and as tensors of torch."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError

log = logging.getLogger("impasto")

_COLOURS = (3, 4)
# a series has fewer leads than this, or is longer than this many times the number of its leads; a picture is neither
_SHORTEST_SIDE, _LARGEST_RATIO = 16, 8
# the ending of the result tells what the array is
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif")
_OTHERS = (".nii", ".nii.gz", ".mgh", ".mgz", ".csv", ".tsv", ".txt", ".edf", ".dat", ".hea")


def holds_picture(path: Path, output: Path | None = None) -> bool:
    """Whether an .npy file holds a picture: (height, width, 3 or 4) in colour, or (height, width) of 8 or 16 bits.

    An array with two axes and other numbers could be a series: it is a picture only if ``output`` is to be one.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return False
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "buif":
        return False
    if output is not None and output.name.lower().endswith(_OTHERS):
        return False
    try:
        plane = _channels_last(array).shape
    except SignalError:
        return False
    if array.ndim == 3:
        return True
    wanted = output is not None and output.suffix.lower() in _PICTURES
    return wanted or (has_sides_of_picture(*plane[:2]) and array.dtype.kind in "bu" and array.dtype.itemsize <= 2)


def has_sides_of_picture(height: int, width: int) -> bool:
    """Whether an array (height, width) has the proportions of a picture rather than of a series."""
    short, long = sorted((height, width))
    return short >= _SHORTEST_SIDE and long <= _LARGEST_RATIO * short


def is_tensor(source: Any) -> bool:
    """Whether ``source`` is a torch tensor; does not import torch."""
    return type(source).__module__.partition(".")[0] == "torch" and hasattr(source, "detach")


def from_tensor(tensor: Any) -> NDArray[Any]:
    """A tensor (height, width) or ([1,] 1, 3 or 4, height, width) as an array (height, width[, channels]).

    Raises:
        SignalError: it has another shape.
    """
    array = tensor.detach().cpu()
    array = (array.float() if array.dtype.is_floating_point else array).numpy()
    shape = array.shape
    if array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.ndim == 2:
        return array
    if array.ndim != 3 or array.shape[0] not in (1, *_COLOURS):
        raise SignalError(
            f"a tensor of shape {tuple(shape)} was given; a tensor of shape (3, height, width) or (1, 3, height, width) "
            "was expected"
        )
    return np.moveaxis(array, 0, -1)


def read_array(path: Path) -> NDArray[Any]:
    """The picture in an .npy file, (height, width, channels), with its stored values.

    Raises:
        SignalError: the file is damaged, or does not hold a picture.
    """
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise SignalError(f"{path} cannot be read as an array: {error}") from None
    if not isinstance(array, np.ndarray):
        raise SignalError(f"{path} holds several arrays; one was expected")
    picture = _channels_last(array)
    if array.ndim == 3 and picture.shape != array.shape:
        log.warning("%s: its first axis, of %d, is taken for the colours", path, array.shape[0])
    return picture


def _channels_last(array: NDArray[Any]) -> NDArray[Any]:
    shape = array.shape
    if array.ndim == 2 and array.size:
        return array[..., None]
    if array.ndim == 3 and array.size:
        if shape[2] in (1, *_COLOURS):
            return array
        if shape[0] in (1, *_COLOURS) and min(shape[1:]) >= _SHORTEST_SIDE:
            return np.moveaxis(array, 0, -1)
    raise SignalError(
        f"an array of shape {shape} is not a picture: (height, width), (height, width, 3) or (.., 4) was expected"
    )
