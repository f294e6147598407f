"""Raw photographs: developed from what the sensor saw, or taken from the preview that the camera has made."""

from __future__ import annotations

import importlib
import io
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin
from tifffile import TiffFile, TiffPage

from impasto.errors import SignalError
from impasto.media.image import RAW

log = logging.getLogger("impasto")

_COLOR_FILTERS, _LINEAR = 32803, 34892
_CANONS_SLICES, _JPEG, _JPEG_LENGTH = 50752, 513, 514
_RGB, _YCBCR = 2, 6
# a preview stands for the photograph if it has at least this share of its pixels: nine tenths of each side
_WHOLE = 0.9**2
# a page with a smaller share of the bytes of its file is a preview, not a picture that an editor saved over the raw one
_MAIN = 0.25
_BYTES_PER_PIXEL = 24  # while it is developed


class Preview(NamedTuple):
    """The picture that a camera has made, a JPEG or a TIFF page (the other is None), and how many pixels it has."""

    picture: Image.Image | None
    page: TiffPage | None
    pixels: int


def sensor_of(pages: Sequence[TiffPage]) -> int:
    """How many pixels the sensor has, if one of the pages holds its values; 0 if none does."""
    return max((_pixels(page) for page in pages if _is_of_sensor(page)), default=0)


def may_be_raw(path: Path, page: TiffPage, file: TiffFile) -> bool:
    """Whether a file without sensor values may still be a raw photograph: by its name, and as ``page`` is only a preview."""
    return path.suffix.lower() in RAW and (
        bool(page.subfiletype & 1) or sum(page.databytecounts) < _MAIN * file.filehandle.size
    )


def develop(path: Path, longest: int | None, most_bytes: int) -> NDArray[np.uint16]:
    """A raw photograph, upright and in sRGB, (height, width, 3).

    If it needs more than ``most_bytes`` it is developed at half its size, if that still has ``longest`` pixels on its
    longest side.

    Raises:
        SignalError: rawpy is missing or does not know the camera, or the photograph does not fit into the memory.
    """
    try:
        rawpy: Any = importlib.import_module("rawpy")
    except ImportError:
        raise SignalError(
            "it is a raw photograph, which the package rawpy develops, and that is missing: pip install 'impasto[raw]', or "
            "develop it to TIFF or JPEG first"
        ) from None
    try:
        with rawpy.imread(str(path)) as raw:
            sizes = raw.sizes
            needed, half = sizes.height * sizes.width * _BYTES_PER_PIXEL, max(sizes.height, sizes.width) // 2
            smaller = needed > most_bytes and longest is not None and half >= longest
            if needed > most_bytes * (4 if smaller else 1):
                raise SignalError(f"{sizes.width} x {sizes.height} pixels are more than the memory takes")
            developed = raw.postprocess(use_camera_wb=True, no_auto_bright=True, output_bps=16, half_size=smaller)
    except rawpy.LibRawError as error:
        said = error.args[0] if error.args else error
        said = said.decode(errors="replace") if isinstance(said, bytes) else said
        raise SignalError(
            f"it is a raw photograph that cannot be developed ({said}); save it as TIFF or JPEG first"
        ) from None
    log.warning("%s is a raw photograph: it is developed with the white balance of the camera", path)
    return developed


def preview_of(pages: Sequence[TiffPage], sensor: int) -> Preview | None:
    """The largest preview, if it has nearly as many pixels as the sensor; else None."""
    found = [preview for page in pages if (preview := _preview(page)) is not None]
    best = max(found, key=lambda preview: preview.pixels, default=None)
    return best if best and best.pixels >= _WHOLE * sensor else None


def _preview(page: TiffPage) -> Preview | None:
    picture = _jpeg(page)
    if picture is not None:
        return Preview(picture, None, picture.width * picture.height)
    if _is_of_sensor(page) or page.photometric not in (_RGB, _YCBCR) or page.dtype is None or not page.dataoffsets:
        return None
    return Preview(None, page, page.imagewidth * page.imagelength)


def _jpeg(page: TiffPage) -> Image.Image | None:
    """The JPEG file that some cameras put into a page; None if there is none."""
    place, length = page.tags.valueof(_JPEG), page.tags.valueof(_JPEG_LENGTH)
    if place is None and len(page.dataoffsets) == 1 and len(page.databytecounts) == 1:
        place, length = page.dataoffsets[0], page.databytecounts[0]
    if not isinstance(place, int) or not isinstance(length, int):
        return None
    file = page.parent.filehandle
    file.seek(place)
    data = file.read(length)
    if data[:3] != b"\xff\xd8\xff":
        return None
    try:
        return JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    except (SyntaxError, OSError, ValueError):
        return None  # lossless JPEG, which only sensor values are kept in


def _is_of_sensor(page: TiffPage) -> bool:
    return page.photometric in (_COLOR_FILTERS, _LINEAR) or _CANONS_SLICES in page.tags


def _pixels(page: TiffPage) -> int:
    """How many pixels a page has; Canon's store parts of each row as the channels of a JPEG."""
    parts = page.samplesperpixel if _CANONS_SLICES in page.tags else 1
    return page.imagewidth * page.imagelength * parts
