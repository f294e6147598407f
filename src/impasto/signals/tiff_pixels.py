"""TIFF: the samples of a page, of whatever photometric interpretation, become colours and opacity."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import SignalError
from impasto.signals.damage import tell_missing
from impasto.signals.icc import pillow_to_srgb
from impasto.signals.pixels import brightness
from impasto.signals.signal import Values

log = logging.getLogger("impasto")

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _SEPARATED, _YCBCR = 0, 1, 2, 3, 5, 6
_JPEG = (6, 7, 34892, 33007)
_PREMULTIPLIED, _STRAIGHT = 1, 2
_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _MAX, _S_MAX, _INK_SET = 274, 282, 283, 296, 281, 341, 332


class TiffPicture(NamedTuple):
    """A picture as a TIFF file stores it.

    Attributes:
        samples: (height, width, channels), of any real type.
        photometric: the TIFF number of what the channels mean.
        opacity: that of the kind of the channel behind the colours: 1 premultiplied, 2 straight, 0 none.
        white: the value of white, if the file says one.
        black: the value of black.
        palette: (3, colours), of the samples that are its numbers.
        profile: the ICC profile.
        orientation: as EXIF has it.
        dpi: dots per inch (x, y).
    """

    samples: NDArray[Any]
    photometric: int
    opacity: int = 0
    white: float | None = None
    black: float = 0.0
    palette: NDArray[np.uint16] | None = None
    profile: bytes | None = None
    orientation: int = 1
    dpi: tuple[float, float] | None = None


class Colours(NamedTuple):
    """What is left to be done is to convert ``samples`` from ``profile`` to sRGB.

    Attributes:
        samples: (height, width, 1 or 3), uint8 or uint16 over their range, or float32 in 0..1.
        alpha: (height, width) in 0..1, or None.
        profile: an ICC profile, or None.
    """

    samples: NDArray[Any]
    alpha: Values | None
    profile: bytes | None


def channels_last(array: NDArray[Any], axes: str) -> tuple[NDArray[Any], str]:
    """An array without its axes of length 1 but rows and columns, and with samples and channels last, as one axis "S"."""
    kept = [axis for axis, n in enumerate(array.shape) if n > 1 or axes[axis] in "YX"]
    array, axes = array.reshape([array.shape[axis] for axis in kept]), "".join(axes[axis] for axis in kept)
    colours = [at for at, letter in enumerate(axes) if letter in "SC"]
    others = [at for at, letter in enumerate(axes) if letter not in "SC"]
    array = array.transpose(others + colours)
    letters = "".join(axes[at] for at in others)
    return (array.reshape(*array.shape[: len(others)], -1), letters + "S") if colours else (array, letters)


def picture_of_series(series: Any, file: tifffile.TiffFile, path: Path) -> TiffPicture:
    """The picture in a file whose channels are pages: two are red and green, of more than three the first three are taken.

    Raises:
        SignalError: there are axes beside rows, columns and channels.
    """
    array, axes = channels_last(series.asarray(), series.axes)
    while len(axes) > 2 + ("S" in axes):
        log.warning("%s: it is a stack of %d planes; the first is painted", path, len(array))
        array, axes = array[0], axes[1:]
    if not set(axes) >= {"Y", "X"}:
        raise SignalError(f"{path} has the axes {axes}; rows and columns of a picture were expected")
    array = np.atleast_3d(array)
    page, channels = file.pages.first, array.shape[2]
    noted: dict[str, Any] = dict(file.imagej_metadata or {}) if file.is_imagej else {}
    if page.photometric in (_RGB, _YCBCR, _SEPARATED) and "C" not in series.axes:
        return _described(page, array, path, file)
    found = _described(page, array[..., :1], path, file)
    found = found._replace(white=_white(page, array))
    if channels > 3:
        log.warning("%s has %d channels; the first three are taken for red, green and blue", path, channels)
        array = array[..., :3]
    elif channels == 2:
        log.warning("%s has 2 channels, which are taken for red and green", path)
        array = np.concatenate([array, np.zeros_like(array[..., :1])], -1)
    if array.dtype.itemsize > 1 and "max" in noted and noted["max"] > noted.get("min", 0) >= -np.inf:
        log.warning(
            "%s: black and white are those with which ImageJ shows it, %g and %g", path, noted.get("min", 0), noted["max"]
        )
        found = found._replace(white=float(noted["max"]), black=float(noted.get("min", 0)))
    return found._replace(samples=array, photometric=_RGB if array.shape[2] == 3 else _BLACK_IS_ZERO, opacity=0)


def picture_of_page(page: tifffile.TiffPage, file: tifffile.TiffFile, path: Path, factor: int = 1) -> TiffPicture:
    """The picture in a page, each side ``factor`` times smaller.

    Raises:
        NotImplementedError: tifffile does not unpack it.
        SignalError: more than a tenth of it is missing.
    """
    if page.photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _SEPARATED, _YCBCR) or (
        page.photometric == _YCBCR and page.compression not in _JPEG
    ):
        raise NotImplementedError
    if factor > 1 and page.photometric != _PALETTE:
        samples = _made_smaller(page, factor)
    else:
        samples = _unpacked(page, file, path)
        samples, axes = channels_last(samples, page.axes)
        samples = np.atleast_3d(samples[0] if len(axes.replace("S", "")) > 2 else samples)
    return _described(page, samples, path, file)


def _described(page: tifffile.TiffPage, samples: NDArray[Any], path: Path, file: tifffile.TiffFile) -> TiffPicture:
    main = file.pages.first.tags
    tags = page.tags
    colours = {_SEPARATED: 4, _RGB: 3, _YCBCR: 3}.get(int(page.photometric), 1)
    extra = [int(one) for one in page.extrasamples or ()]
    opacity = next((kind for kind in extra[:1] if kind in (_PREMULTIPLIED, _STRAIGHT)), 0)
    if samples.shape[2] > colours + bool(opacity) and page.photometric != _PALETTE:
        spare = samples.shape[2] - colours - bool(opacity)
        log.warning("%s: %d of its %d channels are no colours, and are left out", path, spare, samples.shape[2])
        samples = samples[..., : colours + bool(opacity)]
    if page.photometric == _SEPARATED and (samples.shape[2] < 4 or (_INK_SET in tags and tags[_INK_SET].value != 1)):
        raise SignalError(f"{path} is printed with other inks than cyan, magenta, yellow and black")
    white = _white(page, samples)
    orientation = (tags.get(_ORIENTATION) or main.get(_ORIENTATION)) and (tags.get(_ORIENTATION) or main[_ORIENTATION]).value
    profile = page.iccprofile or file.pages.first.iccprofile
    palette = None if page.colormap is None else np.asarray(page.colormap)
    return TiffPicture(
        samples, int(page.photometric), opacity, white, 0.0, palette, profile, int(orientation or 1), _density(tags)
    )


def _white(page: tifffile.TiffPage, samples: NDArray[Any]) -> float | None:
    """The value of white: as the file notes it, or as its bits have it where they are fewer than those of their type."""
    if samples.dtype.kind != "b" and samples.dtype.itemsize > 1:
        for tag in (_S_MAX, _MAX):
            noted: Any = page.tags[tag].value if tag in page.tags else ()
            values = noted if isinstance(noted, tuple) else (noted,)
            value = max((float(one) for one in values if isinstance(one, int | float)), default=0.0)
            if value > 0 and value >= samples.max(initial=0):
                return value
    bits = page.bitspersample
    whole = samples.dtype.kind == "u"
    return float(2**bits - 1) if whole and isinstance(bits, int) and 1 < bits < 8 * samples.dtype.itemsize else None


def _density(tags: tifffile.TiffTags) -> tuple[float, float] | None:
    try:
        (x, over_x), (y, over_y) = (tags[tag].value for tag in (_X_RESOLUTION, _Y_RESOLUTION))
        unit = 2.54 if _RESOLUTION_UNIT in tags and int(tags[_RESOLUTION_UNIT].value) == 3 else 1.0
        dots = (x / over_x * unit, y / over_y * unit)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return dots if all(1 < n < 1e5 for n in dots) else None


def _unpacked(page: tifffile.TiffPage, file: tifffile.TiffFile, path: Path) -> NDArray[Any]:
    """The samples of a page; where strips at its end are missing, the last row is repeated, which is told."""
    try:
        if any(
            offset + count > file.filehandle.size
            for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
        ):
            raise EOFError
        return page.asarray()
    except NotImplementedError:
        raise
    except Exception:  # decoders of cut files raise whatever comes to them
        if page.dtype is None or page.shaped[0] != 1 or page.shaped[1] != 1:
            raise
        rows, columns, channels = page.shaped[2:]
        there = np.zeros((rows, columns), bool)
        samples = np.zeros((rows, columns, channels), page.dtype)
        tables = page.jpegtables
        for index, (offset, count) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=True)):
            file.filehandle.seek(offset)
            data = file.filehandle.read(count)
            known = len(data) / max(1, count)
            if not data or (known < 1 and page.compression != 1):
                continue
            try:
                packed = data + bytes(count - len(data)) if page.compression == 1 else data
                segment, (_, _, top, left, _), (_, height, width, _) = page.decode(packed, index, jpegtables=tables)
            except Exception:  # as above
                continue
            if segment is None:
                continue
            seen = int(height * known) if page.compression == 1 else height
            part = segment.reshape(-1, *segment.shape[-2:])[:height, :width]
            place = (slice(top, top + seen), slice(left, left + width))
            samples[place], there[place] = part[:seen], True
        tell_missing(path, 1 - there.mean())
        last = int(np.flatnonzero(there.any(1))[-1])
        samples[last + 1 :] = samples[last]
        return samples.reshape(page.shape)


def _made_smaller(page: tifffile.TiffPage, factor: int) -> NDArray[Any]:
    """The means of squares of ``factor`` x ``factor`` pixels, unpacked strip by strip: (height, width, channels)."""
    planes, _, rows, columns, contiguous = page.shaped
    height, width = -(-rows // factor), -(-columns // factor)
    sums = np.zeros((height, width, planes * contiguous))
    for segment, (plane, _, top, left, _), (_, tall, wide, _) in page.segments():
        if segment is None:
            continue
        part = segment.reshape(-1, *segment.shape[-2:])[:tall, :wide].astype(np.float64)
        for axis, start in ((0, top), (1, left)):
            groups = np.arange(start, start + part.shape[axis]) // factor
            firsts = np.flatnonzero(np.diff(groups, prepend=-1))
            part = np.add.reduceat(part, firsts, axis)
        place = np.s_[top // factor :, left // factor :, plane * contiguous :]
        sums[place][tuple(slice(n) for n in part.shape)] += part
    counts = [np.minimum(factor, n - factor * np.arange(m)) for n, m in ((rows, height), (columns, width))]
    means = sums / (counts[0][:, None, None] * counts[1][None, :, None])
    kind = np.dtype(page.dtype or np.uint8)
    return (means.round() if kind.kind in "iu" else means).astype(np.float32 if kind.kind == "b" else kind)


def colours_of(picture: TiffPicture, name: str) -> Colours:
    """Its colours, in grey or red, green and blue, and its opacity.

    Raises:
        SignalError: they are no real numbers.
    """
    samples, alpha, photometric = picture.samples, None, picture.photometric
    colours = {_SEPARATED: 4, _RGB: 3, _YCBCR: 3}.get(photometric, 1)
    if photometric == _PALETTE and picture.palette is not None:
        found = picture.palette[:, samples[..., 0].clip(0, picture.palette.shape[1] - 1)].transpose(1, 2, 0)
        as_bytes = not (picture.palette % 256).any() or not (picture.palette % 257).any()
        opacity = brightness(samples[..., 1], name, picture.white) if picture.opacity and samples.shape[2] > 1 else None
        return Colours((found >> 8).astype(np.uint8) if as_bytes else found, opacity, picture.profile)
    plain = samples.dtype == np.uint8 and picture.white is None
    if not plain:
        if picture.black:
            samples = samples.astype(np.float64) - picture.black
        white = None if picture.white is None else picture.white - picture.black
        scaled = brightness(samples[..., : colours + bool(picture.opacity)], name, white)
        # whole numbers that fill their type stay what they are
        full = (
            samples.dtype == np.uint16
            and scaled.size
            and bool(np.array_equal(scaled.flat[:1], (samples.flat[:1] / np.float32(65535)).astype(np.float32)))
        )
        samples = samples if full and white is None else scaled
    if picture.opacity:
        alpha = _unit(samples[..., colours])
        if picture.opacity == _PREMULTIPLIED:
            samples = (_unit(samples[..., :colours]) / np.maximum(alpha, 1e-6)[..., None]).clip(0, 1)
    samples = samples[..., :colours]
    if photometric == _WHITE_IS_ZERO:
        samples = np.invert(samples) if samples.dtype.kind == "u" else 1 - samples
    if photometric != _SEPARATED:
        return Colours(np.ascontiguousarray(samples), alpha, picture.profile)
    if samples.dtype == np.uint8 or picture.profile:
        inks = samples if samples.dtype == np.uint8 else (_unit(samples) * 255).round().astype(np.uint8)
        printed = Image.fromarray(np.ascontiguousarray(inks), "CMYK")
        return Colours(np.asarray(pillow_to_srgb(printed, picture.profile)), alpha, None)
    inks = _unit(samples)
    return Colours((1 - inks[..., :3]) * (1 - inks[..., 3:]), alpha, None)


def _unit(samples: NDArray[Any]) -> Values:
    return samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max if samples.dtype.kind == "u" else 1)
