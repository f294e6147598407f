"""Opens and decodes files of pictures, by Pillow and other libraries, without a change to Pillow's global settings."""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from impasto.errors import SignalError
from impasto.media.image.damage import mended_png, png_parts, tell_missing
from impasto.media.image.jpeg import mended_jpeg
from impasto.media.image.pixels import white_of

log = logging.getLogger("impasto")

_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
# formats that store their pixels one after the other
_BY_ROWS = ("BMP", "DIB", "PPM", "TGA", "SGI", "PCX")
# one byte of deflate unpacks to at most so many
_DEFLATE = 1032


def opened(file: Any, name: str) -> Image.Image:
    """A picture as ``Image.open`` returns it, but of any size: the caller checks whether it fits into the memory.

    Raises:
        UnidentifiedImageError: Pillow does not know its format.
    """
    Image.preinit()
    prefix = file.read(16)
    for load in (lambda: None, Image.init):
        load()
        for identifier in list(Image.ID):
            factory, accept = Image.OPEN[identifier]
            try:
                accepted = accept is None or accept(prefix)
                if accepted and not isinstance(accepted, str):
                    file.seek(0)
                    return factory(file, name)
            except (SyntaxError, IndexError, TypeError, struct.error):
                continue
    raise UnidentifiedImageError(name)


def tell_frames(picture: Image.Image, name: str) -> None:
    """Warn that only the first frame of an animation is read."""
    frames = getattr(picture, "n_frames", 1) if picture.format in _ANIMATED else 1
    if frames > 1:
        log.warning("%s is an animation of %d frames; the first one is taken", name, frames)


class PngFile(NamedTuple):
    """A PNG file that can be decoded.

    Attributes:
        data: its bytes; if its end was missing, completed by repeating the last row.
        significant: how many bits a sample really has (chunk sBIT); None if the file does not tell.
    """

    data: bytes
    significant: int | None


def read_png(path: Path) -> PngFile:
    """A PNG file; completed, with a warning, if its end is missing.

    Raises:
        SignalError: more than a tenth is missing, or the file is too short for as many pixels as its header promises.
    """
    data = path.read_bytes()
    parts = png_parts(data)
    if parts is None:
        return PngFile(data, None)  # its decoder will raise the error
    if parts.unpacked > _DEFLATE * (len(parts.pixels) + 64):
        width, height = parts.size
        raise SignalError(
            f"{path} is damaged: it has {len(parts.pixels)} bytes of pixels, which cannot be the "
            f"{width * height / 1e6:.0f} million pixels of {width} x {height} that it promises"
        )
    return PngFile(data if parts.whole else mended_png(data, str(path)), parts.significant)


def deep_samples(png: PngFile, name: str) -> NDArray[np.uint16]:
    """The colours of a PNG of 16 bits a channel, (height, width, 3 or 4), over the full range."""
    samples = imagecodecs.png_decode(png.data)
    samples = samples[..., [0, 0, 0, 1]] if samples.shape[2] == 2 else samples
    white = white_of_png(samples, png, name)
    return samples if white == 65535 else (samples * (65535 / white)).clip(0, 65535).round().astype(np.uint16)


def white_of_png(samples: NDArray[Any], png: PngFile, name: str) -> float:
    """The value of white in 16 bits: 65535, unless the file or its highest value tells that fewer bits are used."""
    if png.significant is None:
        return white_of(samples, name)
    noted = 2**png.significant - 1
    return float(noted if samples.max() <= noted else 65535)


def loaded(picture: Image.Image, path: Path) -> Image.Image:
    """The picture with its pixels; a JPEG or an uncompressed file whose end is missing is completed, with a warning.

    Raises:
        SignalError: more than a tenth is missing.
        OSError: the file is damaged in another way.
    """
    try:
        picture.load()
    except OSError as error:
        if "truncated" not in str(error):
            raise
        if picture.format in ("JPEG", "MPO"):
            return mended_jpeg(path.read_bytes(), str(path))
        if picture.format not in _BY_ROWS:
            raise
        return _filled(path.read_bytes(), 4 * picture.width * picture.height, str(path))
    return picture


def _filled(data: bytes, missing: int, name: str) -> Image.Image:
    """A picture whose last bytes, at most ``missing``, are filled with black; where white would differ it is missing."""
    black, white = (opened(io.BytesIO(data + missing * fill), name) for fill in (b"\0", b"\xff"))
    tell_missing(name, float(np.not_equal(np.asarray(black), np.asarray(white)).mean()))
    return black


def open_heif(path: Path) -> Image.Image:
    """A HEIC or HEIF picture, the format of many telephones, upright.

    Raises:
        SignalError: the package pillow-heif is missing, or the file is damaged.
    """
    try:
        import pillow_heif
    except ImportError:
        raise SignalError(
            f"{path} is a HEIC picture, which the package pillow-heif reads, and that is missing: pip install pillow-heif"
        ) from None
    with path.open("rb") as file:
        try:
            return pillow_heif.HeifImageFile(io.BytesIO(file.read()))
        except SyntaxError as error:
            raise SignalError(f"{path} is a damaged HEIC picture: {error}") from None


def decode_jpeg_xl(path: Path) -> tuple[NDArray[Any], float | None]:
    """The samples of a JPEG XL, (height, width, channels), upright; and the value of white if they are whole numbers."""
    data = path.read_bytes()
    samples = np.asarray(imagecodecs.jpegxl_decode(data))
    if samples.ndim == 4 or (samples.ndim == 3 and samples.shape[2] > 4):
        log.warning("%s is an animation of %d frames; the first one is taken", path, len(samples))
        samples = samples[0]
    _, _, bits = jpeg_xl_header(data)
    white = 2.0**bits - 1 if bits and samples.dtype.kind == "u" and bits <= 8 * samples.dtype.itemsize else None
    return np.atleast_3d(samples), white


def decode_jpeg_xr(path: Path) -> tuple[NDArray[Any], float | None]:
    """The samples of a JPEG XR, (height, width, channels); and the value of white if they are whole numbers."""
    samples = np.atleast_3d(imagecodecs.jpegxr_decode(path.read_bytes()))
    return samples, float(np.iinfo(samples.dtype).max) if samples.dtype.kind == "u" else None


DECODERS: dict[str, Callable[[Path], tuple[NDArray[Any], float | None]]] = {
    ".jxl": decode_jpeg_xl,
    ".jxr": decode_jpeg_xr,
}


def jpeg_xl_header(data: bytes) -> tuple[int, int, int | None]:
    """(height, width, bits a sample) from the header of a JPEG XL (ISO/IEC 18181-1); the bits are None if not known.

    Raises:
        SignalError: the header is cut off.
    """
    bits = _Bits(_codestream(data)[2:64])
    height, width = _jpeg_xl_size(bits)
    if bits.take(1):
        return height, width, 8
    turned = 0
    if bits.take(1):
        turned = bits.take(3)
        if bits.take(1):
            _jpeg_xl_size(bits)
        if bits.take(1) or bits.take(1):  # a preview or an animation, whose fields would come before the bits
            return height, width, None
    depth = None if bits.take(1) else bits.choice((8, 0), (10, 0), (12, 0), (1, 6))
    return (width, height, depth) if turned >= 4 else (height, width, depth)


class _Bits:
    """Reads bits from bytes, the lowest first."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise SignalError("the header of the JPEG XL is cut off")
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        return value

    def choice(self, *offsets_and_counts: tuple[int, int]) -> int:
        """A number coded in one of four ways, each an offset and how many bits are added to it."""
        offset, count = offsets_and_counts[self.take(2)]
        return offset + self.take(count)


def _jpeg_xl_size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)
    sizes = ((1, 9), (1, 13), (1, 18), (1, 30))
    height = 8 * (1 + bits.take(5)) if small else bits.choice(*sizes)
    ratio = bits.take(3)
    if ratio:
        across, down = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
        return height, height * across // down
    return height, 8 * (1 + bits.take(5)) if small else bits.choice(*sizes)


def _codestream(data: bytes) -> bytes:
    """The codestream, taken out of its container if there is one."""
    if data[:2] == b"\xff\x0a":
        return data
    at = 0
    while at + 8 <= len(data):
        length, name, skipped = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if length == 1:
            length, skipped = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if name in (b"jxlc", b"jxlp"):
            return data[at + skipped + (4 if name == b"jxlp" else 0) :]
        if length < 8:
            break
        at += length
    raise SignalError("the JPEG XL has no picture in it")
