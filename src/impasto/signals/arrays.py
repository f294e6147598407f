"""Arrays in .npy files: which kind of signal they are, by their shape and type."""

from __future__ import annotations

from pathlib import Path

import numpy as np

# the fewest rows and columns of a picture, and the most channels
_SIDE, _CHANNELS = 8, (1, 3, 4)
# the shorter axis of a series are its leads
_MOST_LEADS = 64


def array_kind(path: Path) -> str | None:
    """The kind of signal that an array holds: "image", "volume" or "series"; None of a file that holds none.

    A picture is (height, width, 1, 3 or 4) or, as some libraries have it, (1, 3 or 4, height, width), or a table of unsigned
    integers with more rows and columns than a recording has leads; other tables are series, and all else is a volume.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception:  # of a damaged file numpy raises whatever comes to it: to be said when it is read
        return None
    shape = array.shape
    if array.ndim == 3:
        channels = shape[2] in _CHANNELS or shape[0] in _CHANNELS
        return "image" if channels and sorted(shape)[1] >= _SIDE else "volume"
    if array.ndim == 2:
        many = min(shape) > _MOST_LEADS or (min(shape) >= _SIDE and array.dtype == np.uint8)
        return "image" if many and array.dtype.kind in "bu" else "series"
    return "volume" if array.ndim > 3 else "series"
