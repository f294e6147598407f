"""Which values are black and white in a TIFF file: by its tags and metadata, by its bits, or else by its values."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile

from impasto.errors import SignalError

log = logging.getLogger("impasto")

Samples = NDArray[Any]

_MIN, _MAX, _SMIN, _SMAX, _EXIF, _PROFILE, _NODATA = 280, 281, 340, 341, 34665, 34675, 42113
# bits a sample of cameras and detectors that store them in 16
_BITS = (8, 10, 12, 14)
# programs that write pictures over the full range of their type, however dark they are
_EDITORS = re.compile(
    "adobe|photoshop|lightroom|affinity|gimp|capture one|darktable|rawtherapee|luminar|dxo|acdsee|paint|silverfast|vuescan"
    "|hugin|ptgui|impasto",
    re.IGNORECASE,
)


class Noted(NamedTuple):
    """What a file says of its values.

    Attributes:
        low: the value of black.
        high: the value of white; None if it does not say.
        shown: whether these are the limits of a program's display, so that values beyond are expected.
        full: whether it uses the full range of its type, so that low values mean a dark picture.
        nodata: the value that marks missing samples.
    """

    low: float = 0.0
    high: float | None = None
    shown: bool = False
    full: bool = False
    nodata: float | None = None


def noted_range(page: Any, file: TiffFile) -> Noted:
    """What the tags of a page and the metadata of its file say about its values."""
    tags = page.tags
    full = _PROFILE in tags or _EXIF in tags or bool(_EDITORS.search(str(page.software or "")))
    nodata = float(page.nodata) if _NODATA in tags else None
    bits = page.bitspersample
    if isinstance(bits, int) and page.dtype is not None and page.dtype.kind == "u" and 1 < bits < 8 * page.dtype.itemsize:
        return Noted(0.0, 2.0**bits - 1, nodata=nodata, full=full)
    if file.is_ome and (found := re.search(r'SignificantBits="(\d+)"', file.ome_metadata or "")):
        return Noted(0.0, 2.0 ** int(found[1]) - 1, nodata=nodata, full=full)
    noted = (file.imagej_metadata or {}) if file.is_imagej else {}
    low, high = noted.get("min"), noted.get("max")
    if isinstance(low, int | float) and isinstance(high, int | float) and np.isfinite([low, high]).all() and low < high:
        return Noted(float(low), float(high), shown=True, nodata=nodata, full=full)
    for least, most in ((_SMIN, _SMAX), (_MIN, _MAX)):
        highs, lows = _numbers(tags.valueof(most)), _numbers(tags.valueof(least))
        if highs and max(highs) > min(lows or [0.0]):
            return Noted(min(lows or [0.0]), max(highs), nodata=nodata, full=full)
    return Noted(nodata=nodata, full=full)


def _numbers(value: Any) -> list[float]:
    values = value if isinstance(value, tuple | list) else (value,)
    return [float(one) for one in values if isinstance(one, int | float) and np.isfinite(one)]


def full_range(samples: Samples, noted: Noted, path: Path, *, colour: bool) -> Samples:
    """Samples unchanged if they are uint8 or uint16 over their full range, otherwise as float32 in 0..1.

    A range that had to be guessed, and values that are not finite, give a warning.

    Args:
        samples: (height, width, channels) without opacity, of any real type.
        noted: what the file says about them.
        path: the file, for messages.
        colour: whether the channels are the components of a colour, whose black is 0 unless values are negative.

    Raises:
        SignalError: they are not real numbers, or none of them is finite.
    """
    kind = samples.dtype
    if kind.kind == "b":
        return samples.astype(np.uint8) * np.uint8(255)
    if kind.kind == "c":
        raise SignalError(f"it holds complex numbers ({kind}); save their magnitude or phase first")
    if kind.kind not in "uif":
        raise SignalError(f"it holds values of the type {kind}; numbers were expected")
    if kind == np.uint8:
        return _bytes(samples, noted)
    known = _known(samples, noted, path)
    least, most = float(known.min()), float(known.max())
    if kind.kind == "f" and least >= 0 and most <= 1 and not (noted.high and noted.high > 1 and not noted.shown):
        return _scaled(samples, 0.0, 1.0, known)
    if noted.high is not None and (noted.shown or (noted.low <= least and most <= noted.high)):
        if kind == np.uint16 and (noted.low, noted.high) == (0, 65535):
            return samples
        if noted.shown:
            log.warning("%s: black and white are those with which ImageJ shows it, %g and %g", path, noted.low, noted.high)
        return _scaled(samples, noted.low, noted.high, known)
    if kind == np.uint16:
        return _sixteen_bits(samples, noted, path, colour=colour)
    if least == most:
        log.warning("%s: all its values are %g, shown as grey", path, least)
        return np.full(samples.shape, 0.5, np.float32)
    low = min(0.0, least) if colour else least
    log.warning("%s: its values go from %g to %g; %g is shown as black, %g as white", path, least, most, low, most)
    return _scaled(samples, low, most, known)


def _bytes(samples: Samples, noted: Noted) -> Samples:
    """8 bits: tags mostly tell which values occur; only a maximum of the form 2^n - 1 is taken for white."""
    high = noted.high or 255.0
    if noted.shown or noted.low != 0 or high >= 255 or np.log2(high + 1) % 1 or samples.max(initial=0) > high:
        return samples
    return (samples * (255 / high)).round().astype(np.uint8)


def _sixteen_bits(samples: Samples, noted: Noted, path: Path, *, colour: bool) -> Samples:
    """16 bits: a photograph may be dark, but one that would be nearly black has samples of fewer bits."""
    most = int(samples.max(initial=0))
    bits = next((bits for bits in _BITS if most < 2**bits), 16)
    widened = not (samples % 257).any()  # from 8 bits
    if noted.full or bits > (12 if colour else 14) or widened or most == int(samples.min(initial=0)):
        return samples
    log.warning("%s: its highest value is %d, so it is taken to have %d bits", path, most, bits)
    return (samples / np.float32(2**bits - 1)).astype(np.float32)


def _known(samples: Samples, noted: Noted, path: Path) -> Samples:
    """The values that count: those that are finite, and not the mark of missing samples."""
    valid = np.isfinite(samples) if samples.dtype.kind == "f" else np.ones(samples.shape, bool)
    lost = samples.size - int(valid.sum())
    if noted.nodata is not None and not (samples.dtype == np.uint16 and noted.nodata in (0, 65535)):
        valid &= samples != noted.nodata
    if not valid.any():
        raise SignalError("none of its values is a number")
    if lost:
        log.warning("%s: %d of its %d values are NaN or infinite, shown as the lowest or highest", path, lost, valid.size)
    return samples if valid.all() else samples[valid]


def _scaled(samples: Samples, low: float, high: float, known: Samples) -> Samples:
    """As float32 in 0..1; values that do not count become the lowest that does, and infinity the highest."""
    if known.size < samples.size:
        missing = ~np.isfinite(samples) | (samples < known.min()) | (samples > known.max())
        samples = np.where(missing & ~np.isposinf(samples), known.min(), samples)
        samples = np.where(np.isposinf(samples), known.max(), samples)
    wide = samples.astype(np.float32 if samples.dtype.itemsize <= 2 or samples.dtype.kind == "f" else np.float64)
    return ((wide - wide.dtype.type(low)) / wide.dtype.type(high - low)).clip(0, 1).astype(np.float32)
