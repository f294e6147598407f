"""Pictures: read with what photographers put into them, resized, and written whole or not at all."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from impasto.errors import SignalError, nearest
from impasto.signals.files import existing_file, write_whole
from impasto.signals.signal import Signal, Values

SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

# how each format is written; PNG and TIFF keep every value, the others are set to look the same
_FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".webp": ("WEBP", {"quality": 95, "method": 6}),
    ".tif": ("TIFF", {"compression": "tiff_deflate"}),
    ".tiff": ("TIFF", {"compression": "tiff_deflate"}),
    ".avif": ("AVIF", {"quality": 90, "subsampling": "4:4:4"}),
}
ENDINGS = tuple(_FORMATS)
_LARGEST_VALUE = {"I;16": 65535, "I;16L": 65535, "I;16B": 65535, "I": 65535, "F": 1}
_IMAGE_DESCRIPTION, _SOFTWARE = 0x010E, 0x0131


def read_image(source: str | Path | Image.Image | np.ndarray[Any, Any], longest: int | None = None) -> Signal:
    """A picture as sRGB, upright, with its opacity apart.

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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks on damaged metadata; what cannot be read is an error
        with Image.open(path) as picture:
            if longest is not None:
                picture.draft(None, (longest, longest))
            return _from_pillow(picture)


def _from_pillow(picture: Image.Image) -> Signal:
    picture = ImageOps.exif_transpose(picture)
    if min(picture.size) == 0:
        raise SignalError("the picture has no pixels")
    if picture.mode in _LARGEST_VALUE:
        grey = np.asarray(picture, np.float32) / _LARGEST_VALUE[picture.mode]
        return _from_array(grey.clip(0, 1))
    opacity = picture.convert("RGBA").getchannel("A") if picture.has_transparency_data else None
    signal = _from_array(np.asarray(_to_srgb(picture)))
    if opacity is None:
        return signal
    return Signal(signal.values, header={"alpha": np.asarray(opacity, np.float32) / 255})


def _to_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    # a profile describes the pixels of the file, so it is applied before any conversion except from a palette
    if picture.mode in ("P", "PA", "1", "RGBA", "RGBX"):
        picture = picture.convert("RGB")
    elif picture.mode == "LA":
        picture = picture.convert("L")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, _srgb(), outputMode="RGB")
            return converted or picture.convert("RGB")
        except (ImageCms.PyCMSError, OSError):
            pass  # a profile that is damaged or does not fit the picture says nothing about it
    return picture.convert("RGB")


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(SRGB_PROFILE))


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
    return Signal(picture.values * alpha + (1 - alpha), picture.kind)


def image_format(path: str | Path) -> str:
    """The name of the format that the ending of ``path`` stands for.

    Raises:
        SignalError: no format that can be written has this ending.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        known = " ".join(_FORMATS)
        hint = f"did you mean {nearest(suffix, _FORMATS)}? " if suffix else ""
        raise SignalError(f"{path}: no picture format has the ending {suffix!r}; {hint}({known})")
    return _FORMATS[suffix][0]


def to_pillow(picture: Signal) -> Image.Image:
    """The picture with 8 bits a channel, RGB or, where it has an opacity, RGBA."""
    layers = [*picture.values]
    if "alpha" in picture.header:
        layers.append(picture.header["alpha"])
    eight_bits = np.stack(layers, axis=-1).clip(0, 1) * 255
    return Image.fromarray(eight_bits.round().astype(np.uint8))


def write_image(picture: Signal, path: str | Path, about: Mapping[str, Any] | None = None) -> None:
    """Write the picture as the ending of ``path`` says: .png, .jpg, .webp, .tif or .avif; whole or not at all.

    The file is marked as sRGB. ``about`` (how the picture was made) goes into the PNG's text as ``impasto`` and into
    the EXIF image description of the other formats, as JSON. JPEG has no opacity: there the picture is laid on white.

    Raises:
        SignalError: the ending is unknown, or the file cannot be written.
    """
    name = image_format(path)
    options = _FORMATS[Path(path).suffix.lower()][1] | {"icc_profile": SRGB_PROFILE}
    if name == "JPEG":
        picture = over_white(picture)
    if about is not None:
        options |= _metadata(name, about)
    buffer = io.BytesIO()
    try:
        to_pillow(picture).save(buffer, name, **options)
    except (OSError, ValueError) as error:
        height, width = picture.shape
        raise SignalError(f"{path}: a {name} of {width} x {height} cannot be written: {error}") from None
    write_whole(path, buffer.getvalue())


def _metadata(name: str, about: Mapping[str, Any]) -> dict[str, Any]:
    text = json.dumps(about)
    if name == "PNG":
        from PIL.PngImagePlugin import PngInfo

        chunks = PngInfo()
        chunks.add_text("Software", "impasto")
        chunks.add_text("impasto", text)
        return {"pnginfo": chunks}
    exif = Image.Exif()
    exif[_SOFTWARE], exif[_IMAGE_DESCRIPTION] = "impasto", text
    return {"exif": exif}
