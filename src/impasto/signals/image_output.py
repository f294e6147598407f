"""Pictures are written: in the format that the ending says, with their profile, density and history, whole or not at all."""

from __future__ import annotations

import io
import json
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
from impasto.signals.files import write_whole
from impasto.signals.icc import SRGB_PROFILE, convert
from impasto.signals.image import over_white
from impasto.signals.image_options import ImageOutput
from impasto.signals.signal import Signal

_SOFTWARE, _IMAGE_DESCRIPTION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x0131, 0x010E, 0x011A, 0x011B, 0x0128


class _Format(NamedTuple):
    name: str
    longest: int
    """The longest side it can have in pixels."""
    deep: bool = False
    """Whether it takes 16 bits a channel."""
    grey: bool = True
    """Whether it has pictures of one channel."""
    quality: int | None = None
    """The quality it is written with if none is given; None where nothing is lost."""
    options: Mapping[str, Any] = {}


_PNG = _Format("PNG", 2**31 - 1, deep=True)
_TIFF = _Format("TIFF", 2**31 - 1, deep=True, options={"compression": "tiff_deflate"})
# the qualities are set to look the same
_JPEG = _Format("JPEG", 65_500, quality=95, options={"subsampling": 0})
_FORMATS = {
    ".png": _PNG,
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": _Format("WEBP", 16_383, grey=False, quality=95, options={"method": 6}),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".avif": _Format("AVIF", 65_536, grey=False, quality=90, options={"subsampling": "4:4:4"}),
}
ENDINGS = tuple(_FORMATS)


def image_format(path: str | Path) -> str:
    """The name of the format that the ending of ``path`` stands for.

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
    """The picture with 8 bits a channel, RGB or, where it has an opacity, RGBA."""
    return Image.fromarray(_samples(picture, 8))


def encode_image(picture: Signal, path: str | Path, about: Mapping[str, Any] | None = None, **options: Any) -> bytes:
    """The bytes of a file of the picture; what :func:`write_image` writes.

    Raises:
        SignalError: the ending is unknown, or the format cannot hold the picture.
        SettingsError: an option is out of its range, or the format does not have it.
    """
    output = ImageOutput(**options)
    check_image_output(path, max(picture.shape), output)
    known = _format(path)
    if known.name == "JPEG":
        picture = over_white(picture)
    profile = picture.header.get("icc", SRGB_PROFILE) if output.icc == "keep" else SRGB_PROFILE
    if known.grey and profile == SRGB_PROFILE and _is_grey(picture):
        profile = None  # that of colours does not fit a file of grey
    samples = _samples(picture, output.bits, profile)
    dpi = (output.dpi, output.dpi) if output.dpi else picture.header.get("dpi")
    encode = _deep_encoders[known.name] if output.bits == 16 else _encoded
    try:
        return encode(samples, known, _metadata(known, about, dpi, profile), output.quality or known.quality)
    except (OSError, ValueError, RuntimeError) as error:
        height, width = picture.shape
        raise SignalError(f"{path}: a {known.name} of {width} x {height} cannot be written: {error}") from None


def sample_image(picture: Signal) -> Signal:
    """A corner of the picture, with all that its file holds beside the pixels."""
    header = {name: value[:8, :8] if name == "alpha" else value for name, value in picture.header.items()}
    return Signal(picture.values[:, :8, :8], picture.kind, header)


def write_image(picture: Signal, path: str | Path, about: Mapping[str, Any] | None = None, **options: Any) -> None:
    """Write the picture as the ending of ``path`` says: .png, .jpg, .webp, .tif or .avif; whole or not at all.

    ``about`` (how the picture was made) goes into the PNG's text as ``impasto`` and into the EXIF image description of
    the other formats, as JSON. JPEG has no opacity: there the picture is laid on white.

    Args:
        picture: values in 0..1; what is outside is clipped.
        path: where.
        about: what can be written as JSON.
        options: ``bits`` a channel (8, or 16, which PNG and TIFF take), ``quality`` (1 to 100, of JPEG, WebP and AVIF),
            ``dpi`` (the picture's own if not given) and ``icc`` ("srgb", or "keep" for the profile that the picture was read
            in).

    Raises:
        SignalError: the ending is unknown, the picture too long for the format, or the file cannot be written.
        SettingsError: an option is out of its range, or the format does not have it.
    """
    write_whole(path, encode_image(picture, path, about, **options))


def _is_grey(picture: Signal) -> bool:
    return bool((picture.values == picture.values[:1]).all())


def _samples(picture: Signal, bits: int, profile: bytes | None = SRGB_PROFILE) -> NDArray[Any]:
    """(height, width, 3 and, with an opacity, one more) as numbers of ``bits`` bits; without a profile, one of 3."""
    channels = 3 if profile else 1
    colours: NDArray[Any] = np.stack(list(np.broadcast_to(picture.values, (3, *picture.shape))[:channels]), axis=-1).clip(
        0, 1
    )
    if profile and profile != SRGB_PROFILE:
        colours = convert((colours * 65535).round().astype(np.uint16), SRGB_PROFILE, profile) / np.float32(65535)
    layers = [colours, picture.header["alpha"][..., None]] if "alpha" in picture.header else [colours]
    values = np.concatenate(layers, axis=-1).clip(0, 1)
    return (values * (2**bits - 1)).round().astype(np.uint8 if bits == 8 else np.uint16)


def _metadata(
    known: _Format, about: Mapping[str, Any] | None, dpi: tuple[float, float] | None, profile: bytes | None
) -> dict[str, Any]:
    """What Pillow is given to write beside the pixels."""
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
    if samples.shape[2] == 1:
        samples = samples[..., 0]
        options.pop("subsampling", None)
    buffer = io.BytesIO()
    Image.fromarray(samples).save(buffer, known.name, **options)
    return buffer.getvalue()


def _deep_png(samples: NDArray[Any], known: _Format, metadata: dict[str, Any], quality: int | None) -> bytes:
    """Pillow writes no colours of 16 bits, but all that stands between the header and the pixels."""
    deep = bytes(imagecodecs.png_encode(samples[..., 0] if samples.shape[2] == 1 else samples))
    small = _encoded(np.zeros((1, 1, samples.shape[2]), np.uint8), known, metadata, None)
    header = at = 8 + 12 + 13  # of both: the signature and the chunk IHDR
    while small[at + 4 : at + 8] != b"IDAT":
        at += 12 + int.from_bytes(small[at : at + 4])
    return deep[:header] + small[header:at] + deep[header:]


def _deep_tiff(samples: NDArray[Any], known: _Format, metadata: dict[str, Any], quality: int | None) -> bytes:
    buffer = io.BytesIO()
    density: dict[str, Any] = {"resolution": metadata["dpi"], "resolutionunit": "inch"} if "dpi" in metadata else {}
    channels = samples.shape[2]
    tifffile.imwrite(
        buffer, samples if channels > 1 else samples[..., 0], compression="zlib", predictor=True, metadata=None,
        photometric="rgb" if channels > 2 else "minisblack", planarconfig="contig" if channels > 1 else None,
        extrasamples=["unassalpha"] if channels in (2, 4) else None, iccprofile=metadata.get("icc_profile"),
        description=metadata["exif"].get(_IMAGE_DESCRIPTION), software=metadata["exif"].get(_SOFTWARE), **density,
    )  # fmt: skip
    return buffer.getvalue()


_deep_encoders = {"PNG": _deep_png, "TIFF": _deep_tiff}
