"""Pictures: read with what photographers put into them, and resized."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from impasto.errors import SignalError
from impasto.signals.dicom import is_picture
from impasto.signals.dicom_picture import read_dicom_picture
from impasto.signals.files import existing_file, first_line, one_line_is_enough
from impasto.signals.icc import SRGB_PROFILE, convert, is_of_rgb, pillow_to_srgb
from impasto.signals.image_files import Decoded, Wanted, decoded
from impasto.signals.signal import Signal, Values

READABLE = (
    ".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif", ".gif", ".bmp", ".jp2", ".jxl", ".heic", ".heif", ".npy",
)  # fmt: skip

_LARGEST_VALUE = {"I;16": 65535, "I;16L": 65535, "I;16B": 65535, "I": 65535, "F": 1}
_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
# what turns stored rows and columns upright, for each value of the EXIF orientation
_UPRIGHT: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}


def read_image(
    source: str | Path | Image.Image | np.ndarray[Any, Any],
    longest: int | None = None,
    *,
    memory: int | None = None,
    draft: bool = True,
) -> Signal:
    """A picture as sRGB, upright, with its opacity apart; PNG and TIFF of 16 bits a channel at their full depth.

    Its header keeps ``alpha``, the opacity (height, width); ``icc``, the colour profile it was converted from; and ``dpi``,
    the dots per inch (x, y), each only where there is one. What had to be guessed or left out of a file is told in the log:
    the other frames of an animation, a tenth or less that is missing at its end.

    Args:
        source: a file of any format that Pillow reads, JPEG XL, HEIC (with the package pillow-heif) or an .npy; a PIL image;
            or an array of shape (height, width), (height, width, 3) or (height, width, 4), of unsigned integers over their
            full range or of floats in 0..1.
        longest: the longest side to which it will be scaled down, if so. Of more than 80 million pixels, or more than the
            memory takes, it is then made smaller while it is read, and still has twice as many pixels on each side.
        memory: the bytes that reading may take; three quarters of what is free if None.
        draft: whether a larger JPEG of any size may be decoded at 1/2, 1/4 or 1/8 of its size, in a fraction of the time; it
            still has ``longest`` pixels.

    Raises:
        SignalError: the source is missing, no picture, damaged, empty or too large for the memory.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if not isinstance(source, Image.Image) and is_picture(Path(source)):
        return read_dicom_picture(source)
    name = "the picture" if isinstance(source, Image.Image) else existing_file(source, "a picture")
    try:
        if isinstance(source, Image.Image):
            return _from_decoded(Decoded(source))
        with one_line_is_enough(), decoded(Path(source), Wanted(longest, memory, draft)) as found:
            return _from_decoded(found)
    except UnidentifiedImageError:
        raise SignalError(f"{name} is not a picture that can be read (PNG, JPEG, WebP, TIFF, AVIF, GIF, ...)") from None
    except SignalError as error:
        raise SignalError(f"{name}: {error}") from None
    except Exception as error:  # decoders of damaged files raise whatever comes to them
        raise SignalError(f"{name} cannot be read: {getattr(error, 'strerror', None) or first_line(error)}") from None


def _from_decoded(found: Decoded) -> Signal:
    picture, samples = found
    header: dict[str, Any] = {"dpi": density} if (density := _density(picture)) else {}
    profile: bytes | None = picture.info.get("icc_profile")
    if samples is not None:
        upright = _UPRIGHT.get(picture.getexif().get(_ORIENTATION, 1), np.asarray)(np.atleast_3d(samples))
        known = _from_array(_colours(upright))
        if upright.shape[2] in (2, 4):
            header["alpha"] = _from_array(upright[..., -1]).values[0]
        samples = upright[..., :3] if upright.shape[2] > 2 else None
    else:
        if min(picture.size) == 0:
            raise SignalError("the picture has no pixels")
        picture = ImageOps.exif_transpose(picture)
        if picture.mode in _LARGEST_VALUE:
            grey = np.asarray(picture, np.float32) / _LARGEST_VALUE[picture.mode]
            return Signal(_from_array(grey.clip(0, 1)).values, header=header)
        if picture.has_transparency_data:
            header["alpha"] = np.asarray(picture.convert("RGBA").getchannel("A"), np.float32) / 255
        if picture.mode in ("P", "PA", "1", "RGBA", "RGBX"):
            picture = picture.convert("RGB")
        elif picture.mode == "LA":
            picture = picture.convert("L")
        if picture.mode != "RGB":
            picture, profile = pillow_to_srgb(picture, profile), None
        samples = np.asarray(picture)
        known = _from_array(samples)
    if profile and is_of_rgb(profile) and samples is not None and samples.dtype.kind == "u":
        with suppress(ValueError):  # a profile that is damaged says nothing about the picture
            known, header["icc"] = _from_array(convert(samples, profile, SRGB_PROFILE)), profile
    return Signal(known.values, header=header)


def _colours(samples: NDArray[Any]) -> NDArray[Any]:
    """What of (height, width, 1 to 4) is not opacity."""
    return samples[..., : 3 if samples.shape[2] > 2 else 1]


def _density(picture: Image.Image) -> tuple[float, float] | None:
    """Dots per inch along width and height, if the file tells."""
    exif = picture.getexif()
    unit = 2.54 if exif.get(_RESOLUTION_UNIT) == 3 else 1.0  # per centimetre
    noted = picture.info.get("jfif_unit") != 0  # if not, Pillow says 72
    dots = (noted and picture.info.get("dpi")) or (exif.get(_X_RESOLUTION, 0) * unit, exif.get(_Y_RESOLUTION, 0) * unit)
    try:
        x, y = (float(n) for n in dots)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # files without one often say 1
    return (x, y) if 1 < x < 1e5 and 1 < y < 1e5 else None


def _from_array(array: np.ndarray[Any, Any]) -> Signal:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise SignalError(
            f"an array of shape {array.shape} is not a picture: (height, width), (height, width, 3) or (.., 4) was expected"
        )
    if array.size == 0:
        raise SignalError(f"an array of shape {array.shape} has no pixels")
    if array.dtype.kind not in "buf":
        raise SignalError(f"an array of {array.dtype} is not a picture: uint8, uint16 or floats in 0..1 were expected")
    values = array.astype(np.float32)
    if array.dtype.kind == "u":
        values /= np.float32(np.iinfo(array.dtype).max)
    else:
        if not np.isfinite(values).all():
            raise SignalError("the array has NaN or infinite values")
        if values.min() < 0 or values.max() > 1:
            raise SignalError(f"the array has values in {values.min():g}..{values.max():g}; floats must be in 0..1")
    values = np.atleast_3d(values)
    alpha = {"alpha": values[..., 3]} if values.shape[2] == 4 else {}
    colours = np.broadcast_to(values[..., :3], (*values.shape[:2], 3))
    return Signal(np.ascontiguousarray(colours.transpose(2, 0, 1)), header=alpha)


def scaled_shape(shape: tuple[int, ...], longest: int) -> tuple[int, int]:
    """(height, width) in the proportions of ``shape``, with a longest side of ``longest`` pixels."""
    height, width = (max(1, round(n * longest / max(shape))) for n in shape)
    return height, width


def resample_image(picture: Signal, shape: tuple[int, int]) -> Signal:
    """The picture with (height, width) = ``shape`` (Lanczos, in float32)."""
    values = np.stack([_resample(channel, shape) for channel in picture.values])
    if "alpha" not in picture.header or shape == picture.shape:
        return Signal(values.clip(0, 1), picture.kind, picture.header)
    # weighed by opacity, or the colours hidden under transparent places would bleed into the visible ones
    alpha = picture.header["alpha"]
    weighed = np.stack([_resample(channel * alpha, shape) for channel in picture.values])
    alpha = _resample(alpha, shape)
    visible = alpha > 1 / 255
    values = np.where(visible, weighed / np.where(visible, alpha, 1), values).clip(0, 1)
    return Signal(values, picture.kind, {**picture.header, "alpha": alpha.clip(0, 1)})


def _resample(channel: Values, shape: tuple[int, int]) -> Values:
    if channel.shape == shape:
        return channel
    resized = Image.fromarray(channel).resize((shape[1], shape[0]), Image.Resampling.LANCZOS)
    return np.asarray(resized, np.float32)


def over_white(picture: Signal) -> Signal:
    """The picture as it looks on white paper: without transparency."""
    if "alpha" not in picture.header:
        return picture
    alpha = picture.header["alpha"]
    header = {name: value for name, value in picture.header.items() if name != "alpha"}
    return Signal(picture.values * alpha + (1 - alpha), picture.kind, header)
