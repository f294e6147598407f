"""Arrays in .npy files: which of them are pictures, among volumes and series."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError

log = logging.getLogger("impasto")

_COLOURS = (3, 4)
# leads of a series are few, or very many times shorter than they are long; sides of a picture are neither
_SIDE, _LONGEST = 16, 8
# endings by which a result says what the array is
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif")
_OTHERS = (".nii", ".nii.gz", ".mgh", ".mgz", ".csv", ".tsv", ".txt", ".edf", ".dat", ".hea")


def holds_picture(path: Path, output: Path | None = None) -> bool:
    """Whether an .npy file holds a picture: (height, width, 3 or 4) in colour, or (height, width) of small whole numbers.

    Where it could be a series as well, two axes of other numbers, it is a picture only if the result is to be one.
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
    if len(array.shape) == 3:
        return True
    wanted = output is not None and output.suffix.lower() in _PICTURES
    sides = min(plane[:2]) >= _SIDE and max(plane[:2]) <= _LONGEST * min(plane[:2])
    return wanted or (sides and (array.dtype.kind in "bu" and array.dtype.itemsize <= 2))


def is_tensor(source: Any) -> bool:
    """Whether it is a tensor of torch, which is not imported for that."""
    return type(source).__module__.partition(".")[0] == "torch" and hasattr(source, "detach")


def from_tensor(tensor: Any) -> NDArray[Any]:
    """A picture as torch has it, (3 or 1, height, width) or one alone in a batch, as an array (height, width, channels).

    Raises:
        SignalError: its shape is another one.
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


def read_array(path: Path, told: bool = True) -> NDArray[Any]:
    """The picture in an .npy file, (height, width, channels), as it is stored.

    Raises:
        SignalError: it is damaged, or no picture.
    """
    try:
        array = np.load(path, allow_pickle=False, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise SignalError(f"{path} cannot be read as an array: {error}") from None
    if not isinstance(array, np.ndarray):
        raise SignalError(f"{path} holds several arrays; one was expected")
    moved = _channels_last(array)
    if told and array.ndim == 3 and moved.shape != array.shape:
        log.warning("%s: its first axis, of %d, is taken for the colours", path, array.shape[0])
    return moved


def _channels_last(array: NDArray[Any]) -> NDArray[Any]:
    shape = array.shape
    if array.ndim == 2 and array.size:
        return array[..., None]
    if array.ndim == 3 and array.size:
        if shape[2] in (1, *_COLOURS):
            return array
        if shape[0] in (1, *_COLOURS) and min(shape[1:]) >= _SIDE:
            return np.moveaxis(array, 0, -1)
    raise SignalError(
        f"an array of shape {shape} is not a picture: (height, width), (height, width, 3) or (.., 4) was expected"
    )
