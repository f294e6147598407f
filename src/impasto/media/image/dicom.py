"""A single DICOM image, an X-ray or a photograph, as a picture."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError
from impasto.files import one_line_is_enough
from impasto.media.dicom.files import find_images
from impasto.media.dicom.frames import Frame, frames_of, numbers
from impasto.media.dicom.pixels import decode_pixels, on_scale
from impasto.media.signal import Signal

Array = NDArray[Any]

log = logging.getLogger("impasto")

_OUTLIERS = 0.1  # percent at each end, where the file has no window
_MM_PER_INCH = 25.4


def read_dicom_picture(path: str | Path) -> Signal:
    """The only image of a DICOM file, or of a folder with one such file, at its full depth.

    Grey is shown through the first window that the file has, and inverted if it is stored as a negative (MONOCHROME1). The
    header has ``dpi`` if the spacing of the pixels is known.

    Raises:
        SignalError: there is no image, or it cannot be read.
    """
    path = Path(path)
    with one_line_is_enough():  # pydicom warns of values that break the standard; most do not concern the pixels
        file, dataset = find_images(path)[0]
        frame = frames_of(file, dataset, path)[0]
        pixels = decode_pixels(file, dataset, path)[0]
        if pixels.ndim == 3:
            colours = pixels / np.float32(np.iinfo(pixels.dtype).max)
        else:
            grey = _shown(on_scale(frame, pixels), dataset, path)
            if dataset.PhotometricInterpretation == "MONOCHROME1":
                grey = 1 - grey
                log.warning("%s: stored as its negative (MONOCHROME1), and inverted", path)
            colours = np.broadcast_to(grey[..., None], (*grey.shape, 3))
    values = np.ascontiguousarray(np.moveaxis(colours, -1, 0), np.float32)
    return Signal(values, "image", _density(frame))


def _shown(grey: Array, dataset: Any, path: Path) -> Array:
    """Intensities as shades in 0..1: by the file's table or window, by the range of 8 bits, or by the intensities."""
    grey = grey.astype(np.float64)
    known = np.isfinite(grey)
    if not known.any() or np.ptp(grey[known]) == 0:
        raise SignalError(f"{path} is constant: there is nothing to be seen")
    shades = _through_table(grey, dataset)
    if shades is None:
        shades = _through_window(grey, dataset, path)
    if shades is not None and np.ptp(shades) == 0:
        log.warning("%s: its window shows nothing of it, and is not heeded", path)
        shades = None
    if shades is None:
        low, high = _range(grey[known], dataset, path)
        shades = (grey - low) / (high - low)
    return np.where(known, np.nan_to_num(shades), 0).clip(0, 1)


def _range(grey: Array, dataset: Any, path: Path) -> tuple[float, float]:
    if dataset.get("BitsStored") == 8 and dataset.BitsAllocated == 8 and grey.min() >= 0 and grey.max() <= 255:
        return 0.0, 255.0
    low = float(np.percentile(grey, _OUTLIERS, method="lower"))
    high = float(np.percentile(grey, 100 - _OUTLIERS, method="higher"))
    low, high = (low, high) if low < high else (float(grey.min()), float(grey.max()))
    log.warning("%s: it has no window; %g is shown as black and %g as white", path, low, high)
    return low, high


def _through_window(grey: Array, dataset: Any, path: Path) -> Array | None:
    """Shades by the first window of the file (DICOM part 3, C.11.2.1); None if there is none."""
    centre, width = (
        numbers(item, f"Window{name}", 1, path) for name in ("Center", "Width") for item in [_window_of(dataset)]
    )
    if centre is None or width is None:
        return None
    function = str(dataset.get("VOILUTFunction") or "LINEAR").upper()
    if width[0] <= 0 or (function == "LINEAR" and width[0] <= 1):
        return (grey > centre[0] - 0.5).astype(np.float64) if width[0] == 1 else None
    if function == "SIGMOID":
        return 1 / (1 + np.exp(-4 * (grey - centre[0]) / width[0]))
    if function == "LINEAR_EXACT":
        return ((grey - centre[0]) / width[0] + 0.5).clip(0, 1)
    return ((grey - (centre[0] - 0.5)) / (width[0] - 1) + 0.5).clip(0, 1)


def _window_of(dataset: Any) -> Any:
    """The dataset with the window: the file itself or, in enhanced images, an item of the functional groups."""
    groups = [item for name in ("PerFrame", "Shared") for item in dataset.get(f"{name}FunctionalGroupsSequence") or []]
    tables = [item for group in groups for item in group.get("FrameVOILUTSequence") or []]
    return next((item for item in (dataset, *tables) if item.get("WindowCenter") not in (None, "")), dataset)


def _through_table(grey: Array, dataset: Any) -> Array | None:
    """Shades by the file's lookup table (VOI LUT); None if there is none, or it is damaged."""
    from pydicom.pixels.processing import apply_voi

    if not dataset.get("VOILUTSequence"):
        return None
    try:
        bits = int(dataset.VOILUTSequence[0].LUTDescriptor[2])
        shades = apply_voi(grey.round().astype(np.int64), dataset)
    except Exception:  # pydicom raises anything for a damaged table, which is then ignored
        return None
    return shades.astype(np.float64) / (2**bits - 1)


def _density(frame: Frame) -> dict[str, Any]:
    if frame.spacing is None:
        return {}
    down, across = frame.spacing
    return {"dpi": (_MM_PER_INCH / across, _MM_PER_INCH / down)}
