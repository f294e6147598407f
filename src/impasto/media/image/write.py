"""Encodes pictures in the format that the ending names, with colour profile, density and the record of their making."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from impasto.errors import SettingsError, SignalError, nearest
from impasto.files import write_whole
from impasto.media.arrays import has_sides_of_picture
from impasto.media.icc import SRGB_PROFILE, convert
from impasto.media.image.options import ImageOutput
from impasto.media.image.resample import over_white
from impasto.media.signal import Signal

log = logging.getLogger("impasto")

_SOFTWARE, _IMAGE_DESCRIPTION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x0131, 0x010E, 0x011A, 0x011B, 0x0128
_MAX_SAMPLE_VALUE = 0x0119


class _Format(NamedTuple):
    name: str
    longest: int
    """The longest side that it can have, in pixels."""
    deep: bool = False
    """Whether it can have 16 bits a channel."""
    quality: int | None = None
    """The default quality; None if the format is lossless."""
    options: Mapping[str, Any] = {}
    """For Pillow."""


_PNG = _Format("PNG", 2**31 - 1, deep=True)
_TIFF = _Format("TIFF", 2**31 - 1, deep=True, options={"compression": "tiff_deflate"})
# these qualities look alike
_JPEG = _Format("JPEG", 65_500, quality=95, options={"subsampling": 0})
_FORMATS = {
    ".png": _PNG,
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": _Format("WEBP", 16_383, quality=95, options={"method": 6}),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".avif": _Format("AVIF", 65_536, quality=90, options={"subsampling": "4:4:4"}),
    ".npy": _Format("NPY", 2**31 - 1, deep=True),
}
# the most bytes of EXIF in a JPEG
_EXIF = 65_000


def image_format(path: str | Path) -> str:
    """The name of the format with the ending of ``path``, e.g. "PNG".

    Raises:
        SignalError: no format that can be written has this ending.
    """
    return _format(path).name


def _format(path: str | Path) -> _Format:
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        known = " ".join(_FORMATS)
        hint = f"did you mean {nearest(suffix, _FORMATS)}? " if suffix else ""
        raise SignalError(f"{path}: no picture format has the ending {suffix!r}; {hint}({known})")
    return _FORMATS[suffix]


def check_image_output(path: str | Path, longest: int, output: ImageOutput) -> None:
    """See that a picture with a longest side of ``longest`` pixels can be written to ``path`` as ``output`` says.

    Raises:
        SignalError: the ending is unknown, or the picture too long for the format.
        SettingsError: the format has no such option.
    """
    known = _format(path)
    if longest > known.longest:
        raise SignalError(
            f"{path}: {_article(known.name)} has at most {known.longest} pixels a side, not {longest}; use .png or .tif"
        )
    if output.bits == 16 and not known.deep:
        raise SettingsError(f"{path}: {_article(known.name)} has 8 bits a channel; PNG and TIFF take 16")
    if output.quality is not None and known.quality is None:
        raise SettingsError(f"{path}: {_article(known.name)} keeps every value; a quality is for JPEG, WebP and AVIF")


def _article(name: str) -> str:
    return f"an {name}" if name == "AVIF" else f"a {name}"


def to_pillow(picture: Signal) -> Image.Image:
    """The picture with 8 bits a channel, as RGB or, if it has an opacity, RGBA."""
    return Image.fromarray(_samples(picture, 8))


def encode_image(picture: Signal, path: str | Path, about: Mapping[str, Any] | None = None, **options: Any) -> bytes:
    """The bytes that :func:`write_image` writes.

    Raises:
        SignalError: the ending is unknown, or the format cannot hold the picture.
        SettingsError: an option is out of its range, or the format does not have it.
    """
    output = ImageOutput(**options)
    check_image_output(path, max(picture.shape), output)
    known = _format(path)
    if known.name == "JPEG" and "alpha" in picture.header:
        log.warning("%s: a JPEG has no opacity; the picture is laid on white", path)
        picture = over_white(picture)
    profile = picture.header.get("icc", SRGB_PROFILE) if output.icc == "keep" else SRGB_PROFILE
    # a grey file cannot have an RGB profile
    grey = _is_grey(picture) and profile == SRGB_PROFILE and known.name not in ("WEBP", "AVIF")
    samples = _samples(picture, output.bits, profile)
    samples = samples[..., [0, *range(3, samples.shape[2])]] if grey else samples
    dpi = (output.dpi, output.dpi) if output.dpi else picture.header.get("dpi")
    if known.name == "NPY":
        if output.dpi or output.icc == "keep":
            log.warning("%s: an array holds no density and no profile", path)
        return _array_bytes(samples)
    metadata = _metadata(known, about, dpi, None if grey else profile)
    if known.name == "JPEG" and len(metadata["exif"].tobytes()) > _EXIF:
        log.warning("%s: how it was made is too long for the EXIF of a JPEG, and is left out", path)
        metadata = _metadata(known, None, dpi, None if grey else profile)
    try:
        if output.bits == 16:
            return (_deep_png if known.name == "PNG" else _deep_tiff)(samples, metadata)
        return _encoded(samples, known, metadata, output.quality or known.quality)
    except (OSError, ValueError, RuntimeError) as error:
        height, width = picture.shape
        raise SignalError(f"{path}: a {known.name} of {width} x {height} cannot be written: {error}") from None


def sample_image(picture: Signal) -> Signal:
    """A corner of the picture, with all that its file holds beside the pixels."""
    header = {name: value[:8, :8] if name == "alpha" else value for name, value in picture.header.items()}
    return Signal(picture.values[:, :8, :8], picture.kind, header)


def write_image(picture: Signal, path: str | Path, about: Mapping[str, Any] | None = None, **options: Any) -> None:
    """Write the picture in the format that the ending names (.png, .jpg, .webp, .tif, .avif or .npy), whole or not at all.

    ``about``, the record of how it was made, goes as JSON into the PNG's text ``impasto`` and into the EXIF image
    description of other formats; an array has no place for it. A JPEG has no opacity, so the picture is laid on white. A
    picture with ``grey`` in its header becomes a grey file, without a profile, if the format has such files.

    Args:
        picture: values in 0..1; others are clipped.
        path: where.
        about: anything that can be written as JSON.
        options: ``bits`` a channel (8, or 16 in PNG, TIFF and arrays), ``quality`` (1 to 100, of JPEG, WebP and AVIF),
            ``dpi`` (the picture's own if not given) and ``icc`` ("srgb", or "keep" for the profile that the picture had).

    Raises:
        SignalError: the ending is unknown, the picture too large for the format, or the file cannot be written.
        SettingsError: an option is out of its range, or the format does not have it.
    """
    write_whole(path, encode_image(picture, path, about, **options))


def _is_grey(picture: Signal) -> bool:
    """Whether it was grey when it was read, and still is."""
    first, *others = picture.values
    return bool(picture.header.get("grey")) and all(np.array_equal(first, channel) for channel in others)


def _samples(picture: Signal, bits: int, profile: bytes = SRGB_PROFILE) -> NDArray[Any]:
    """Integers of ``bits`` bits, (height, width, 3 or, with an opacity, 4); the values may have one channel or three."""
    colours: NDArray[Any] = np.stack(list(np.broadcast_to(picture.values, (3, *picture.shape))), axis=-1).clip(0, 1)
    if profile != SRGB_PROFILE:
        colours = convert((colours * 65535).round().astype(np.uint16), SRGB_PROFILE, profile) / np.float32(65535)
    layers = [colours, picture.header["alpha"][..., None]] if "alpha" in picture.header else [colours]
    values = np.concatenate(layers, axis=-1).clip(0, 1)
    return (values * (2**bits - 1)).round().astype(np.uint8 if bits == 8 else np.uint16)


def _metadata(
    known: _Format, about: Mapping[str, Any] | None, dpi: tuple[float, float] | None, profile: bytes | None
) -> dict[str, Any]:
    """Pillow's options for what is written beside the pixels."""
    options: dict[str, Any] = {"icc_profile": profile} if profile else {}
    if dpi:
        options["dpi"] = dpi
    if known.name == "PNG":
        if about is not None:
            options["pnginfo"] = PngInfo()
            options["pnginfo"].add_text("Software", "impasto")
            options["pnginfo"].add_text("impasto", json.dumps(about))
        return options
    exif = Image.Exif()
    if dpi and known.name != "TIFF":
        exif[_X_RESOLUTION], exif[_Y_RESOLUTION], exif[_RESOLUTION_UNIT] = *dpi, 2
    if about is not None:
        exif[_SOFTWARE], exif[_IMAGE_DESCRIPTION] = "impasto", json.dumps(about)
    return options | {"exif": exif}


def _encoded(samples: NDArray[Any], known: _Format, metadata: dict[str, Any], quality: int | None) -> bytes:
    options = {**known.options, **metadata} | ({} if quality is None else {"quality": quality})
    buffer = io.BytesIO()
    Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples).save(buffer, known.name, **options)
    return buffer.getvalue()


def _deep_png(samples: NDArray[Any], metadata: dict[str, Any]) -> bytes:
    """The pixels by imagecodecs, as Pillow writes no colours of 16 bits, and the chunks before them by Pillow."""
    deep = bytes(imagecodecs.png_encode(samples[..., 0] if samples.shape[2] == 1 else np.ascontiguousarray(samples)))
    text = metadata.get("pnginfo") or PngInfo()
    # tells readers that all 16 bits are used, so that they need not guess
    text.add(b"sBIT", bytes([16] * samples.shape[2]))
    small = _encoded(np.zeros((1, 1, samples.shape[2]), np.uint8), _PNG, {**metadata, "pnginfo": text}, None)
    header = 8 + 12 + 13  # the signature and the chunk IHDR
    at = header
    while small[at + 4 : at + 8] != b"IDAT":
        at += 12 + int.from_bytes(small[at : at + 4], "big")
    return deep[:header] + small[header:at] + deep[header:]


def _deep_tiff(samples: NDArray[Any], metadata: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    colours, opaque = samples.shape[2] > 2, samples.shape[2] in (2, 4)
    density: dict[str, Any] = {"resolution": metadata["dpi"], "resolutionunit": "inch"} if "dpi" in metadata else {}
    tifffile.imwrite(
        buffer, samples if colours or opaque else samples[..., 0], photometric="rgb" if colours else "minisblack",
        compression="zlib", predictor=True, metadata=None, planarconfig="contig" if colours or opaque else None,
        extrasamples=["unassalpha"] if opaque else None, iccprofile=metadata.get("icc_profile"),
        extratags=[(_MAX_SAMPLE_VALUE, "H", samples.shape[2], (65535,) * samples.shape[2], True)],
        description=metadata["exif"].get(_IMAGE_DESCRIPTION), software=metadata["exif"].get(_SOFTWARE), **density,
    )  # fmt: skip
    return buffer.getvalue()


def _array_bytes(samples: NDArray[Any]) -> bytes:
    """An .npy file (height, width, 1, 3 or 4), or (height, width) if it will be read as a picture again."""
    height, width, channels = samples.shape
    if channels == 2:  # an array with two channels would not be read as a picture
        samples = samples[..., [0, 0, 0, 1]]
    plane = channels == 1 and has_sides_of_picture(height, width)
    buffer = io.BytesIO()
    np.save(buffer, samples[..., 0] if plane else samples)
    return buffer.getvalue()
