"""TIFF: which of its pages is the picture, and which files are stacks of slices; also raw photographs and pyramids."""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import SignalError
from impasto.signals.tiff_pixels import TiffPicture, channels_last, picture_of_page, picture_of_series

log = logging.getLogger("impasto")

# NewSubfileType
_REDUCED, _MASK = 1, 4
# what a camera's sensor saw, in photometric interpretations; the tags with its JPEG; and where EXIF notes the size
_SENSOR = (32803, 34892)
_JPEG_OFFSET, _JPEG_LENGTH, _CR2_SLICES = 513, 514, 50752
# a preview of nearly the size of the sensor is the picture that the camera made of it
_NEARLY = 0.9
# letters of axes that are no slices: rows, columns, samples and channels
_PLANE = "YXSC"
RAW = (
    ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq", ".kdc", ".mef", ".mos", ".mrw",
    ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
)  # fmt: skip
"""Endings of raw photographs."""

DEVELOP = "holds the raw data of a camera's sensor; develop it to TIFF or JPEG first, e.g. with darktable or RawTherapee"


class Layout(NamedTuple):
    """What a TIFF file holds.

    Attributes:
        axes: the letters of the axes of the array that is meant, as tifffile has them.
        shape: their lengths.
        kind: of file, as tifffile has it: "imagej", "ome", "shaped", "generic", ...
        slices: how many planes there are, of one size; 1 in a picture.
        pages: of all sizes, without reduced copies and masks.
    """

    axes: str
    shape: tuple[int, ...]
    kind: str
    slices: int
    pages: int


def layout_of(file: tifffile.TiffFile) -> Layout:
    """What the file holds: by its axes, where it names them, and else by its pages.

    Raises:
        SignalError: there are pages beyond its end.
    """
    found = len(file.pages)
    file.filehandle.seek(file.pages.next_page_offset or 0)
    following = struct.unpack(file.tiff.offsetformat, file.filehandle.read(file.tiff.offsetsize))[0]
    if following >= file.filehandle.size:
        raise SignalError(f"{file.filehandle.path} is cut off: of its pages only {found} are there")
    series = file.series[0]
    axes, shape = series.axes, series.shape
    if series.kind in ("imagej", "ome", "shaped", "lsm", "fluoview", "stk", "micromanager", "nih", "scanimage"):
        slices = int(np.prod([n for axis, n in zip(axes, shape, strict=True) if axis not in _PLANE]))
        return Layout(axes, shape, series.kind, slices, 1)
    sizes = [(page.imagelength, page.imagewidth) for page in _full(file.pages)]
    if not sizes:
        return Layout(axes, shape, series.kind, 1, 0)
    most = max(sizes, key=lambda size: size[0] * size[1])
    return Layout(axes, shape, series.kind, sizes.count(most), len(sizes))


def holds_stack(path: Path, output: Path | None = None) -> bool:
    """Whether a TIFF file holds slices of a volume, and not one picture with its channels, copies and masks.

    Pages without a word on what they are (a scanned letter, say) are pictures if the result is to be one.

    Raises:
        tifffile.TiffFileError: it is damaged.
    """
    with tifffile.TiffFile(path) as file:
        layout = layout_of(file)
    if layout.kind == "generic" and output is not None and output.suffix.lower() in _PICTURES_ONLY:
        return False
    return layout.slices > 1


_PICTURES_ONLY = (".png", ".jpg", ".jpeg", ".webp", ".avif")


def read_stack(path: Path) -> tuple[NDArray[Any], str]:
    """The array of a TIFF stack with its channels last, (slices, rows, columns[, channels]), and the letters of its axes.

    Axes of length 1 are left out.

    Raises:
        SignalError: its pages have several sizes.
        tifffile.TiffFileError: it is no TIFF file.
    """
    with tifffile.TiffFile(path) as file:
        layout = layout_of(file)
        if layout.kind == "generic" and len(file.series) > 1 and layout.pages > layout.slices:
            raise SignalError(f"{path} has pages of {len(file.series)} sizes; slices of one size were expected")
        series = max(file.series, key=lambda one: one.size)
        return channels_last(series.asarray(), series.axes)


def read_tiff(path: Path, wanted: int | None = None, factor: int = 1) -> TiffPicture | Image.Image:
    """The picture in a TIFF file or a raw photograph, as it is stored; never a thumbnail.

    Args:
        path: the file.
        wanted: of a pyramid, the smallest copy with a longest side of at least this many pixels will do.
        factor: how many times smaller each side is made while it is read, where there is no such copy.

    Returns:
        A picture, or the JPEG that a camera made of what its sensor saw.

    Raises:
        SignalError: there is no picture, only what a sensor saw.
        NotImplementedError: only Pillow may know how to read it.
        tifffile.TiffFileError: it is no TIFF file.
    """
    with tifffile.TiffFile(path) as file:
        chosen = _chosen(file, path)
        if isinstance(chosen, Image.Image):
            log.warning("%s: the picture that the camera made of its raw data is painted", path)
            return chosen
        if isinstance(chosen, tifffile.TiffPageSeries):
            levels = [level for level in chosen.levels if wanted and max(level.shape) >= wanted]
            return picture_of_series(levels[-1] if levels else chosen, file, path)
        layout = layout_of(file)
        if max(layout.pages, layout.slices) > 1:
            log.warning("%s has %d pages; one of them is painted", path, max(layout.pages, layout.slices))
        copy = _copy(file, chosen, wanted) if wanted else chosen
        return picture_of_page(copy, file, path, factor if copy is chosen else 1)


def tiff_size(path: Path) -> tuple[int, int, int]:
    """(height, width, bytes a pixel) of the picture in a TIFF file, without unpacking it.

    Raises:
        SignalError: there is no picture.
        tifffile.TiffFileError: it is no TIFF file.
    """
    with tifffile.TiffFile(path) as file:
        chosen = _chosen(file, path)
        if isinstance(chosen, Image.Image):
            return chosen.height, chosen.width, 3
        if isinstance(chosen, tifffile.TiffPageSeries):
            sizes = dict(zip(chosen.axes, chosen.shape, strict=True))
            return sizes["Y"], sizes["X"], int(chosen.nbytes // (sizes["Y"] * sizes["X"]))
        return chosen.imagelength, chosen.imagewidth, max(1, chosen.samplesperpixel * chosen.bitspersample // 8)


def _full(pages: Any) -> list[tifffile.TiffPage]:
    """The pages that are neither reduced copies nor masks."""
    return [page for page in _whole_pages(pages) if not page.subfiletype & (_REDUCED | _MASK)]


def _whole_pages(pages: Any) -> Iterator[tifffile.TiffPage]:
    for page in pages:
        # where pages are alike, tifffile keeps only what differs
        yield page if isinstance(page, tifffile.TiffPage) else page.aspage()


def _all_pages(file: tifffile.TiffFile) -> list[tifffile.TiffPage]:
    """All pages, with those inside of others (SubIFDs)."""
    pages: list[tifffile.TiffPage] = []
    for page in _whole_pages(file.pages):
        pages.append(page)
        if page.subifds:
            pages.extend(_whole_pages(page.pages))
    return pages


def _chosen(file: tifffile.TiffFile, path: Path) -> tifffile.TiffPage | tifffile.TiffPageSeries | Image.Image:
    layout = layout_of(file)
    several = layout.kind == "imagej" or "C" in layout.axes or len(file.pages) > 1
    if several and layout.kind not in ("generic", "uniform") and "Y" in layout.axes:
        return file.series[0]
    pages = _all_pages(file)
    sensor = [page for page in pages if page.photometric in _SENSOR or _CR2_SLICES in page.tags]
    if not sensor and path.suffix.lower() not in RAW:
        full = [page for page in pages if not page.subfiletype & (_REDUCED | _MASK)] or pages
        return max(full, key=lambda page: (page.imagelength * page.imagewidth, -page.index))
    # a photograph as the sensor saw it, which is no picture yet; one that the camera made of it will do
    least = max((page.imagelength * page.imagewidth for page in sensor), default=0) * _NEARLY**2
    made = [_embedded_jpeg(file, page) for page in pages if page not in sensor or _CR2_SLICES in page.tags]
    painted = [page for page in pages if page not in sensor and page.imagelength and page.photometric in (1, 2, 6)]
    least = least or max((p.imagelength * p.imagewidth for p in painted if not p.subfiletype & _REDUCED), default=0)
    candidates = [(one.width * one.height, one) for one in made if one] + [
        (page.imagelength * page.imagewidth, page) for page in painted if _embedded_jpeg(file, page) is None
    ]
    area, best = max(candidates, key=lambda one: one[0], default=(0, None))
    if best is None or not least or area < least:
        raise SignalError(f"{path} {DEVELOP}")
    return best


def _embedded_jpeg(file: tifffile.TiffFile, page: tifffile.TiffPage) -> Image.Image | None:
    """The JPEG that a camera has put into a page, which is not the page's own way to pack its pixels."""
    tags = page.tags
    if _JPEG_OFFSET in tags and _JPEG_LENGTH in tags:
        place, length = tags[_JPEG_OFFSET].value, tags[_JPEG_LENGTH].value
    elif page.compression in (6, 7) and len(page.dataoffsets) == 1:
        place, length = page.dataoffsets[0], page.databytecounts[0]
    else:
        return None
    file.filehandle.seek(place)
    data = file.filehandle.read(length)
    if data[:3] != b"\xff\xd8\xff":
        return None
    try:
        from PIL import JpegImagePlugin

        picture = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    except (SyntaxError, OSError):
        return None  # of the kinds of JPEG that only sensors have
    main = file.pages.first
    if main.tags.get(274) and 274 not in picture.getexif():
        picture.getexif()[274] = main.tags[274].value
    return picture


def _copy(file: tifffile.TiffFile, page: tifffile.TiffPage, wanted: int) -> tifffile.TiffPage:
    """The smallest of a page's copies that still has ``wanted`` pixels on its longest side."""
    proportion = page.imagelength / page.imagewidth
    fitting = [
        one
        for one in _all_pages(file)
        if one.photometric == page.photometric
        and max(one.imagelength, one.imagewidth) >= wanted
        and abs(one.imagelength / one.imagewidth / proportion - 1) < 0.02
    ]
    return min(fitting, key=lambda one: one.imagelength, default=page)
