"""Reads pictures of any format, with their colour profile, orientation, opacity and density."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from impasto.errors import SignalError
from impasto.files import existing_file, first_line, one_line_is_enough
from impasto.media.arrays import from_tensor, read_array
from impasto.media.dicom.files import is_picture
from impasto.media.file_type import file_type
from impasto.media.icc import SRGB_PROFILE, convert, is_of_rgb, pillow_to_srgb
from impasto.media.image.decode import (
    DECODERS,
    PngFile,
    deep_samples,
    jpeg_xl_header,
    loaded,
    open_heif,
    opened,
    read_png,
    tell_frames,
    white_of_png,
)
from impasto.media.image.dicom import read_dicom_picture
from impasto.media.image.pixels import brightness
from impasto.media.image.resample import made_smaller, over_white, resample_image, scaled_shape
from impasto.media.image.room import factor_within
from impasto.media.signal import Signal
from impasto.media.tiff.read import ENDINGS as TIFF_ENDINGS
from impasto.media.tiff.read import TiffPicture, read_tiff

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["over_white", "read_image", "resample_image", "scaled_shape"]

_LARGEST_VALUE = {"I;16": 65535, "I;16L": 65535, "I;16B": 65535, "I": 65535, "F": 1}
_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}
_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
# turns stored rows and columns upright, for each value of the EXIF orientation but 1
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
    source: str | Path | Image.Image | np.ndarray[Any, Any] | Tensor,
    longest: int | None = None,
    memory: int | None = None,
    *,
    whole: bool = False,
) -> Signal:
    """A picture as sRGB, upright, (3, height, width) in 0..1; PNG and TIFF of 16 bits a channel at their full depth.

    Its header has ``alpha``, the opacity (height, width); ``icc``, the colour profile it was converted from; ``dpi``, the
    dots per inch (x, y); and ``grey``, True if red, green and blue are equal everywhere; each only if there is one. What is
    changed, dropped or guessed is told in the log.

    Args:
        source: a file that Pillow reads (of an animation the first frame), JPEG XL, JPEG XR, HEIC (with pillow-heif), a raw
            photograph (with rawpy), a single DICOM image, a TIFF of any numeric type, or an array in an .npy file; a PIL
            image; an array (height, width[, 3 or 4]); or a torch tensor ([1,] 1, 3 or 4, height, width). Arrays in memory
            and tensors hold unsigned integers over their full range, or floats in 0..1.
        longest: the longest side to which the picture will be scaled down later, if it will be. A larger JPEG is then
            decoded at 1/2, 1/4 or 1/8 of its size, which is much faster, and keeps at least this many pixels on each side;
            and a picture with more than 178 million pixels, or too many for the memory, is made smaller while it is read.
        memory: bytes that the process may take; if None, three quarters of what is free.
        whole: with ``longest``, make a JPEG smaller only if it is too large for the memory.

    Raises:
        SignalError: the source is missing, no picture, damaged, empty or too large for the memory.
    """
    if isinstance(source, np.ndarray):
        return _noted(_from_array(source))
    if not isinstance(source, str | Path | Image.Image):
        return _noted(_from_array(from_tensor(source)))
    if not isinstance(source, Image.Image) and is_picture(Path(source)):
        return _noted(read_dicom_picture(source))
    name = "the picture" if isinstance(source, Image.Image) else existing_file(source, "a picture")
    try:
        if isinstance(source, Image.Image):
            return _noted(_from_pillow(source))
        with one_line_is_enough():
            return _noted(_from_file(Path(source), longest, memory, whole))
    except UnidentifiedImageError:
        raise SignalError(f"{name} is not a picture that can be read (PNG, JPEG, WebP, TIFF, AVIF, GIF, ...)") from None
    except SignalError as error:
        raise SignalError(str(error) if str(name) in str(error) else f"{name}: {error}") from None
    except MemoryError:
        raise SignalError(f"{name} does not fit into the memory; make it smaller first") from None
    except Exception as error:  # decoders of damaged files raise whatever comes to them
        raise SignalError(f"{name} cannot be read: {getattr(error, 'strerror', None) or first_line(error)}") from None


def _from_file(path: Path, longest: int | None, memory: int | None, whole: bool) -> Signal:
    found, name = file_type(path), str(path)
    if found == ".npy":
        samples = read_array(path)
        stored = samples.dtype.itemsize * samples.shape[2]
        return _from_samples(made_smaller(samples, factor_within(samples.shape, stored, longest, memory, name)), None, name)
    if found in TIFF_ENDINGS:
        return _from_tiff(read_tiff(path, longest, memory))
    if found in DECODERS:
        if found == ".jxl":
            with path.open("rb") as file:  # raises before unpacking if it does not fit
                factor_within(jpeg_xl_header(file.read(2**16))[:2], 8, longest, memory, name)
        samples, white = DECODERS[found](path)
        return _from_samples(made_smaller(samples, factor_within(samples.shape, 8, longest, memory, name)), white, name)
    if found == ".png":
        png = read_png(path)
        with opened(io.BytesIO(png.data), name) as picture:
            return _from_opened(picture, path, longest, memory, whole, png)
    with path.open("rb") as file, open_heif(path) if found == ".heic" else opened(file, name) as picture:
        return _from_opened(picture, path, longest, memory, whole)


def _from_opened(
    picture: Image.Image, path: Path, longest: int | None, memory: int | None, whole: bool, png: PngFile | None = None
) -> Signal:
    # deep: colours of 16 bits a channel, which Pillow would cut to 8
    name, deep = str(path), png is not None and picture.mode in ("RGB", "RGBA") and "16" in str(getattr(picture, "tile", ""))
    stored = 8 if deep else _BYTES.get(picture.mode, 4)
    if (longest is not None and picture.format == "JPEG") and (
        not whole or factor_within(picture.size[::-1], stored, longest, memory, name) > 1
    ):
        picture.draft(None, (longest, longest))
    factor = factor_within(picture.size[::-1], stored, longest, memory, name)
    tell_frames(picture, name)
    if deep and png:
        return _from_pillow(picture, made_smaller(deep_samples(png, name), factor))
    picture = loaded(picture, path)
    if factor > 1 and picture.mode in _LARGEST_VALUE:
        exif = picture.info
        picture = Image.fromarray(made_smaller(np.atleast_3d(np.asarray(picture)), factor)[..., 0])
        picture.info = exif
    elif factor > 1:
        if picture.mode in ("P", "PA", "1"):
            picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        picture = picture.reduce(factor)
    white = white_of_png(np.asarray(picture), png, name) if png and picture.mode.startswith("I;16") else None
    return _from_pillow(picture, name=name, white=white)


def _from_tiff(found: TiffPicture) -> Signal:
    header: dict[str, Any] = {"dpi": found.dpi} if found.dpi else {}
    samples = _UPRIGHT.get(found.orientation, np.asarray)(found.samples)
    if samples.shape[2] == 4:
        largest = np.iinfo(samples.dtype).max if samples.dtype.kind == "u" else 1
        header["alpha"] = samples[..., 3].astype(np.float32) / np.float32(largest)
        samples = samples[..., :3]
    return _converted(samples, found.icc, header)


def _from_samples(samples: NDArray[Any], white: float | None, name: str) -> Signal:
    """Samples (height, width, 1 to 4) of any real type; a second or fourth channel is the opacity."""
    if samples.shape[2] > 4:
        raise SignalError(f"{name} has {samples.shape[2]} channels; at most 4 were expected")
    plain = samples.dtype == np.uint8
    values = samples.astype(np.float32) / np.float32(255) if plain else brightness(samples, name, white)
    opaque = samples.shape[2] in (2, 4)
    header = {"alpha": values[..., -1]} if opaque else {}
    return Signal(_from_array(values[..., :-1] if opaque else values).values, header=header)


def _converted(samples: NDArray[Any], profile: bytes | None, header: dict[str, Any]) -> Signal:
    """Colours (height, width, 1 or 3) in sRGB, from their profile, which is ignored if damaged or unfit."""
    if profile and samples.shape[2] == 1 and samples.dtype == np.uint8 and not is_of_rgb(profile):
        samples = np.asarray(pillow_to_srgb(Image.fromarray(samples[..., 0]), profile))
    elif profile and samples.shape[2] == 3 and is_of_rgb(profile):
        deep = samples if samples.dtype.kind == "u" else (samples * 65535).round().astype(np.uint16)
        with suppress(ValueError):
            samples, header["icc"] = convert(deep, profile, SRGB_PROFILE), profile
    return Signal(_from_array(samples).values, header=header)


def _noted(picture: Signal) -> Signal:
    """The picture, with ``grey`` in its header if it is, however its file stores it."""
    red, green, blue = picture.values
    grey = np.array_equal(red, green) and np.array_equal(red, blue)
    return Signal(picture.values, picture.kind, {**picture.header, "grey": True}) if grey else picture


def _from_pillow(
    picture: Image.Image, deep: NDArray[np.uint16] | None = None, name: str = "the picture", white: float | None = None
) -> Signal:
    if min(picture.size) == 0:
        raise SignalError("the picture has no pixels")
    header: dict[str, Any] = {"dpi": density} if (density := _density(picture)) else {}
    profile: bytes | None = picture.info.get("icc_profile")
    if deep is not None:
        samples: NDArray[Any] = _UPRIGHT.get(picture.getexif().get(_ORIENTATION, 1), np.asarray)(deep)
        if samples.shape[2] == 4:
            header["alpha"] = samples[..., 3].astype(np.float32) / 65535
        return _converted(samples[..., :3], profile, header)
    picture = ImageOps.exif_transpose(picture)
    if picture.mode in _LARGEST_VALUE:
        grey = np.asarray(picture)
        if isinstance(transparent := picture.info.get("transparency"), int):
            header["alpha"] = (grey != transparent).astype(np.float32)
        grey = brightness(grey.clip(0).astype(np.uint32) if picture.mode == "I" else grey, name, white)
        return Signal(_from_array(grey).values, header=header)
    if picture.has_transparency_data:
        header["alpha"] = np.asarray(picture.convert("RGBA").getchannel("A"), np.float32) / 255
    if picture.mode in ("P", "PA", "1", "RGBA", "RGBX"):
        picture = picture.convert("RGB")
    elif picture.mode == "LA":
        picture = picture.convert("L")
    if picture.mode != "RGB":
        picture, profile = pillow_to_srgb(picture, profile), None
    return _converted(np.asarray(picture), profile, header)


def _density(picture: Image.Image) -> tuple[float, float] | None:
    """Dots per inch along width and height, if the file tells."""
    exif = picture.getexif()
    unit = 2.54 if exif.get(_RESOLUTION_UNIT) == 3 else 1.0  # per centimetre
    noted = picture.info.get("jfif_unit") != 0  # without a unit Pillow makes up 72
    dots = (noted and picture.info.get("dpi")) or (exif.get(_X_RESOLUTION, 0) * unit, exif.get(_Y_RESOLUTION, 0) * unit)
    try:
        x, y = (float(n) for n in dots)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # files without a known density often say 1
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
    return Signal(np.array(colours.transpose(2, 0, 1), order="C"), header=alpha)
