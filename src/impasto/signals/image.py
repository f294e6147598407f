"""Pictures: read with what photographers put into them, and resized."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from impasto.errors import SignalError
from impasto.signals.files import existing_file, one_line_is_enough
from impasto.signals.icc import SRGB_PROFILE, convert, is_of_rgb, pillow_to_srgb
from impasto.signals.signal import Signal, Values

READABLE = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif", ".gif", ".bmp", ".jxl", ".heic", ".heif", ".apng")

_LARGEST_VALUE = {"I;16": 65535, "I;16L": 65535, "I;16B": 65535, "I": 65535, "F": 1}
_BITS_PER_SAMPLE, _ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x0102, 0x0112, 0x011A, 0x011B, 0x0128
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


def read_image(source: str | Path | Image.Image | np.ndarray[Any, Any], longest: int | None = None) -> Signal:
    """A picture as sRGB, upright, with its opacity apart; PNG and TIFF of 16 bits a channel at their full depth.

    Its header keeps ``alpha``, the opacity (height, width); ``icc``, the colour profile it was converted from; and ``dpi``,
    the dots per inch (x, y), each only where there is one.

    Args:
        source: a file of any format that Pillow reads (of an animation the first frame), a PIL image, or an array of shape
            (height, width), (height, width, 3) or (height, width, 4), of unsigned integers over their full range or of
            floats in 0..1.
        longest: the longest side to which it will be scaled down, if so. A larger JPEG is then decoded at 1/2, 1/4 or 1/8
            of its size, in a fraction of the time, and still has this many pixels on each side.

    Raises:
        SignalError: the source is missing, no picture, damaged, empty or too large to be opened safely.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    name = "the picture" if isinstance(source, Image.Image) else existing_file(source, "a picture")
    try:
        return _from_pillow(source) if isinstance(source, Image.Image) else _from_file(Path(source), longest)
    except UnidentifiedImageError:
        raise SignalError(f"{name} is not a picture that can be read (PNG, JPEG, WebP, TIFF, AVIF, GIF, ...)") from None
    except Image.DecompressionBombError:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 10**6
        raise SignalError(f"{name} unpacks to more than {limit} million pixels; make it smaller first") from None
    except SignalError as error:
        raise SignalError(f"{name}: {error}") from None
    except Exception as error:  # decoders of damaged files raise whatever comes to them
        raise SignalError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _from_file(path: Path, longest: int | None) -> Signal:
    with one_line_is_enough(), Image.open(path) as picture:
        if longest is not None:
            picture.draft(None, (longest, longest))
        return _from_pillow(picture, _deep_samples(picture, path))


def _deep_samples(picture: Image.Image, path: Path) -> NDArray[np.uint16] | None:
    """Colours of 16 bits a channel as they are stored, (height, width, 3 or 4), which Pillow would cut to 8; else None."""
    if picture.mode not in ("RGB", "RGBA", "RGBX", "RGBa"):
        return None
    if picture.format == "PNG" and "16" in str(getattr(picture, "tile", "")):
        samples = imagecodecs.png_decode(path.read_bytes())
        return samples[..., [0, 0, 0, 1]] if samples.shape[2] == 2 else samples
    bits: Any = getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE, ())
    if picture.format == "TIFF" and set(bits) == {16}:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            samples = page.asarray()
            samples = np.moveaxis(samples, 0, -1) if page.axes.startswith("S") else samples
            if page.dtype == np.uint16 and samples.ndim == 3:
                return _straight(samples[..., :4], premultiplied=1 in page.extrasamples)
    return None


def _straight(samples: NDArray[np.uint16], *, premultiplied: bool) -> NDArray[np.uint16]:
    if not premultiplied or samples.shape[2] < 4:
        return samples
    opacity = np.maximum(samples[..., 3:].astype(np.float64), 1) / 65535
    return np.concatenate([(samples[..., :3] / opacity).clip(0, 65535).round(), samples[..., 3:]], -1).astype(np.uint16)


def _from_pillow(picture: Image.Image, deep: NDArray[np.uint16] | None = None) -> Signal:
    if min(picture.size) == 0:
        raise SignalError("the picture has no pixels")
    header: dict[str, Any] = {"dpi": density} if (density := _density(picture)) else {}
    profile: bytes | None = picture.info.get("icc_profile")
    if deep is not None:
        samples: NDArray[Any] = _UPRIGHT.get(picture.getexif().get(_ORIENTATION, 1), np.asarray)(deep)
        if samples.shape[2] == 4:
            header["alpha"] = samples[..., 3].astype(np.float32) / 65535
        samples = samples[..., :3]
    else:
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
    if profile and is_of_rgb(profile):
        with suppress(ValueError):  # a profile that is damaged says nothing about the picture
            samples, header["icc"] = convert(samples, profile, SRGB_PROFILE), profile
    return Signal(_from_array(samples).values, header=header)


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


def longest_side(source: str | Path | Image.Image | np.ndarray[Any, Any]) -> int:
    """The longest side of a picture in pixels, which of a file is read from its first bytes.

    Raises:
        SignalError: the file is missing or no picture.
    """
    if isinstance(source, np.ndarray):
        return max(source.shape[:2])
    if isinstance(source, Image.Image):
        return max(source.size)
    try:
        with Image.open(existing_file(source, "a picture")) as picture:
            return max(picture.size)
    except (OSError, ValueError, Image.DecompressionBombError):
        return max(read_image(source).shape)  # which says what is wrong
