"""Raw photographs: what a camera's sensor saw is developed, or the picture that the camera made of it is taken."""

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
# the smallest part of the sensor's pixels that is not a preview but the picture: nine tenths of each side
_WHOLE = 0.9**2
# a page with a smaller share of the bytes of a raw photograph is none that somebody has put in its place
_MAIN = 0.25
_WORKED_ON = 24


class Preview(NamedTuple):
    """The picture that a camera has made: a JPEG, or a page; and its pixels."""

    picture: Image.Image | None
    page: TiffPage | None
    pixels: int


def sensor_of(pages: Sequence[TiffPage]) -> int:
    """The pixels of the sensor, if one of the pages is what it saw; 0 if none is."""
    return max((_pixels(page) for page in pages if _is_of_sensor(page)), default=0)


def may_be_raw(path: Path, page: TiffPage, file: TiffFile) -> bool:
    """Whether a file without a sensor's page is named as a raw photograph, and ``page`` is too little of it to be it."""
    return path.suffix.lower() in RAW and (
        bool(page.subfiletype & 1) or sum(page.databytecounts) < _MAIN * file.filehandle.size
    )


def develop(path: Path, longest: int | None, most_bytes: int) -> NDArray[np.uint16]:
    """A raw photograph, upright and in sRGB, (height, width, 3).

    Raises:
        SignalError: the package for it is missing, does not know the camera, or it does not fit the memory.
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
            needed, half = sizes.height * sizes.width * _WORKED_ON, max(sizes.height, sizes.width) // 2
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
    """The largest picture that the camera has made, if it has nearly all of the ``sensor``'s pixels; else None."""
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
    """A whole JPEG file inside of a page, as cameras put it there."""
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
        return None  # lossless, as only sensors have it


def _is_of_sensor(page: TiffPage) -> bool:
    return page.photometric in (_COLOR_FILTERS, _LINEAR) or _CANONS_SLICES in page.tags


def _pixels(page: TiffPage) -> int:
    """Of Canon's, the halves of the lines are channels of a JPEG."""
    halves = page.samplesperpixel if _CANONS_SLICES in page.tags else 1
    return page.imagewidth * page.imagelength * halves
