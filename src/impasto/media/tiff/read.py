"""Reads the picture or the stack of slices in a TIFF file; also raw photographs, pyramids and files of microscopes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from tifffile import TiffFile, TiffFileError, TiffPage

from impasto.errors import SignalError
from impasto.files import first_line
from impasto.media import raw
from impasto.media.file_type import file_type
from impasto.media.image import RAW_ALONE
from impasto.media.tiff.channels import channel_colours, channels_last, select_planes
from impasto.media.tiff.colours import BLACK_IS_ZERO, WHITE_IS_ZERO, mix_channels, palette_of, to_colours
from impasto.media.tiff.pages import Layout, all_pages, layout_of
from impasto.media.tiff.range import noted_range
from impasto.media.tiff.segments import decode_page

log = logging.getLogger("impasto")

ENDINGS = (".tif", *RAW_ALONE)
"""What :func:`impasto.media.file_type.file_type` returns for files that :func:`read_tiff` reads."""

_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _PROFILE = 274, 282, 283, 296, 34675
_DOTS = {2: 1.0, 3: 2.54}
# bytes of a pixel as three float32, and again while it is resampled
_WORKED_ON = 24
_ALL_PAGES = 64  # files with more are not searched for a sensor's page


@dataclass(frozen=True)
class TiffPicture:
    """A picture as its file stores it, before orientation and profile are applied.

    Attributes:
        samples: (height, width, 1), (.., 3), or (.., 4) with a straight (not premultiplied) opacity; uint8 or uint16 over
            their full range, or float32 in 0..1.
        icc: the RGB profile that is still to be applied, to integers only; None for sRGB.
        orientation: as in EXIF, 1 to 8.
        dpi: dots per inch (x, y).
    """

    samples: NDArray[Any]
    icc: bytes | None = None
    orientation: int = 1
    dpi: tuple[float, float] | None = None


def read_tiff(path: str | Path, longest: int | None = None, most_bytes: int | None = None) -> TiffPicture:
    """The picture in a TIFF file or a raw photograph; never a thumbnail. What is guessed or left out is told in the log.

    Args:
        path: a file whose type is one of :data:`ENDINGS`.
        longest: a picture too large for the memory is read smaller, with at least this many pixels on its longest side.
        most_bytes: that the work with the picture may take; three quarters of what is free if None.

    Raises:
        SignalError: no picture can be read, or it is too large; the message lacks the name of the file.
    """
    path = Path(path)
    most_bytes = most_bytes or psutil.virtual_memory().available * 3 // 4
    if file_type(path) in RAW_ALONE:
        return TiffPicture(raw.develop(path, longest, most_bytes))
    try:
        with TiffFile(path) as file:
            pages = list(all_pages(file)) if len(file.pages) <= _ALL_PAGES else []
            sensor = raw.sensor_of(pages)
            layout = None if sensor else layout_of(file)
            if layout is None or raw.may_be_raw(path, layout.first, file):
                return _photograph(file, path, pages, sensor, longest, most_bytes)
            return _picture(file, path, layout, longest, most_bytes)
    except SignalError:
        raise
    except Exception as error:  # decoders of damaged files raise whatever comes to them
        return _with_pillow(path, error)


def holds_stack(path: str | Path) -> bool:
    """Whether a TIFF file holds the slices of a volume: pages of one size, and not channels, copies, masks or a document.

    Raises:
        Exception: the file is damaged.
    """
    if file_type(Path(path)) in RAW_ALONE:
        return False
    with TiffFile(path) as file:
        pages = list(all_pages(file)) if len(file.pages) <= _ALL_PAGES else []
        return not raw.sensor_of(pages) and layout_of(file).slices > 1


def read_stack(path: str | Path) -> NDArray[Any]:
    """The slices of a TIFF file in its own type, (slices, height, width), or (.., 3 or 4) in colour.

    Of several stacks (times, positions) the first is taken, with a warning.

    Raises:
        SignalError: there is no picture; the message lacks the name of the file.
        Exception: the file is damaged.
    """
    path = Path(path)
    with TiffFile(path) as file:
        layout = layout_of(file)
        page = layout.first
        if layout.others:
            log.warning("%s holds %d more pictures of other sizes, which are left out", path, layout.others)
        array = file.series[layout.series].asarray() if layout.named else np.stack([one.asarray() for one in layout.pages])
        array = channels_last(array, layout.axes, path, slices=True)
        if page.photometric == WHITE_IS_ZERO and array.dtype.kind in "ub":
            array = ~array if array.dtype.kind == "b" else array.dtype.type(2**page.bitspersample - 1) - array
        elif array.ndim == 4 and page.photometric == BLACK_IS_ZERO:
            if array.shape[3] == 2:
                log.warning("%s has 2 channels, which are taken for red and green", path)
                array = np.concatenate([array, np.zeros_like(array[..., :1])], -1)
            elif array.shape[3] > 3:
                log.warning("%s has %d channels; the first three are taken for red, green and blue", path, array.shape[3])
                array = array[..., :3]
        return array


def _picture(file: TiffFile, path: Path, layout: Layout, longest: int | None, most_bytes: int) -> TiffPicture:
    _tell_what_is_left(layout, path)
    layout, page, factor = _that_fits(layout, longest, most_bytes)
    noted = noted_range(layout.first, file)
    planes: list[NDArray[Any]] = []
    missing = 0.0
    if layout.is_whole:
        chosen = select_planes(layout)
        for one in chosen:
            samples, lost = decode_page(one, factor, palette_of(one.keyframe))
            planes.append(samples)
            missing += lost / len(chosen)
    else:
        whole = channels_last(file.series[layout.series].asarray(), layout.axes, path, slices=False)
        planes.append(np.atleast_3d(whole))
    samples = planes[0] if len(planes) == 1 else np.concatenate(planes, -1)
    if missing:
        log.warning("%s: %.1f %% of the picture is missing, and filled with what stands above it", path, 100 * missing)
    if factor > 1 or page is not layout.first:
        log.warning("%s is read at %d x %d pixels, which is what the memory takes", path, samples.shape[1], samples.shape[0])
    tags = layout.first.tags
    if _has_channels(layout, samples.shape[2]):
        # channels of a detector are light whatever the page calls zero
        samples, profile = mix_channels(samples, channel_colours(file, layout, samples.shape[2]), noted, path), None
    else:
        profile = tags.valueof(_PROFILE)
        samples, profile = to_colours(samples, page, profile if isinstance(profile, bytes) else None, noted, path)
    return TiffPicture(samples, profile, _orientation(layout.first), _density(layout.first))


def _has_channels(layout: Layout, channels: int) -> bool:
    """Whether the samples are the channels of a detector, and not a colour space of the TIFF format."""
    page = layout.first
    if "C" in layout.axes and channels > 1 and ("S" not in layout.axes or len(select_planes(layout)) > 1):
        return True
    unknown = not any(page.extrasamples or ())
    return page.photometric == BLACK_IS_ZERO and unknown and channels > 2


def _that_fits(layout: Layout, longest: int | None, most_bytes: int) -> tuple[Layout, Any, int]:
    """The layout and the page to be read so that the picture fits into the memory, and the factor to make it smaller by.

    A reduced copy in the file goes before a factor.
    """
    page = layout.first
    for one in sorted([page, *layout.copies], key=lambda one: one.imagewidth, reverse=True):
        enough = longest is not None and max(one.imagewidth, one.imagelength) >= longest
        if one is not page and not enough:
            break
        needed = _needed(one, layout)
        if needed <= most_bytes:
            return (layout if one is page else layout._replace(pages=[one], copies=())), one, 1
    else:
        one = page
    widest = max(page.imagewidth, page.imagelength)
    most = max(1, widest // longest) if longest else 1
    factor = next((n for n in range(2, most + 1) if _needed(page, layout) / n**2 <= most_bytes), None)
    if factor is None or not layout.is_whole:
        raise SignalError(
            f"{page.imagewidth} x {page.imagelength} pixels need {_needed(page, layout) / 2**30:.1f} GiB of memory and "
            f"{most_bytes / 2**30:.1f} GiB may be taken; make it smaller first"
        )
    return layout, page, factor


def _needed(page: Any, layout: Layout) -> int:
    planes = len(select_planes(layout)) if layout.is_whole else layout.slices
    width = np.dtype(page.dtype).itemsize if page.dtype is not None else 1
    return page.imagewidth * page.imagelength * (2 * planes * page.samplesperpixel * width + _WORKED_ON)


def _tell_what_is_left(layout: Layout, path: Path) -> None:
    if layout.slices > 1:
        log.warning("%s is a stack of %d pictures; the first is taken", path, layout.slices)
    elif layout.others:
        log.warning("%s holds %d pictures; the first is taken", path, layout.others + 1)


def _photograph(
    file: TiffFile, path: Path, pages: list[TiffPage], sensor: int, longest: int | None, most_bytes: int
) -> TiffPicture:
    try:
        return TiffPicture(raw.develop(path, longest, most_bytes))
    except SignalError:
        preview = raw.preview_of(pages, sensor) if sensor else None
        if preview is None:
            raise
    log.warning("%s is a raw photograph: the picture that the camera has made of it is taken", path)
    turned = _orientation(file.pages.first.keyframe)
    if preview.picture is None:
        page: Any = preview.page
        layout = Layout(page.axes, page.shape, [page], len(page.shape))
        found = _picture(file, path, layout, longest, most_bytes)
        return TiffPicture(found.samples, found.icc, turned, found.dpi)
    if longest:
        preview.picture.draft("RGB", (longest, longest))
    return TiffPicture(np.asarray(preview.picture.convert("RGB")), preview.picture.info.get("icc_profile"), turned)


def _with_pillow(path: Path, reason: Exception) -> TiffPicture:
    """The first page by Pillow (libtiff), for what tifffile cannot decode: subsampled colours, LogLuv and others."""
    try:
        with Image.open(path) as picture:
            samples = np.asarray(picture.convert("RGBA" if picture.has_transparency_data else "RGB"))
            return TiffPicture(samples, None, int(picture.getexif().get(_ORIENTATION, 1)))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError, TypeError, KeyError):
        kind = "it is damaged" if isinstance(reason, TiffFileError) else "it cannot be decoded"
        raise SignalError(f"{kind}: {first_line(reason)}") from None


def _orientation(page: Any) -> int:
    value = page.tags.valueof(_ORIENTATION, default=1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _density(page: Any) -> tuple[float, float] | None:
    """Dots per inch along width and height, if the file tells; without a unit it only tells the shape of a pixel."""
    try:
        (x, per_x), (y, per_y) = (page.tags.valueof(tag) for tag in (_X_RESOLUTION, _Y_RESOLUTION))
        unit = _DOTS.get(int(page.tags.valueof(_RESOLUTION_UNIT, default=2)), 0.0)
        dots = (x / per_x * unit, y / per_y * unit)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # files without a known density often say 1
    return dots if all(1 < n < 1e5 for n in dots) else None
