"""Picture files: opened by what is in them, with what little may be missing, and made smaller where they are very large."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
import psutil
import tifffile
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from impasto.errors import SignalError
from impasto.signals.cut_off import complete
from impasto.signals.file_type import file_type
from impasto.signals.files import optional_package

log = logging.getLogger("impasto")

Samples = NDArray[Any]

# pixels from which on a picture is made smaller while it is read, if it will be made smaller anyway
_LARGE = 80_000_000
_TO_SPARE = 2  # it is left this many times as large as it is wanted, for a better filter to follow
# bytes that a pixel takes as float32 in three channels, and once more while it is resampled
_WORKED_ON = 24
# no compression of a PNG packs more bytes than this into one
_DENSEST = 1032
_MOST_MISSING = 0.1
_ANIMATIONS = ("GIF", "WEBP", "PNG", "AVIF")
_DEEP_MODES = ("RGB", "RGBA", "RGBX", "RGBa")


class Wanted(NamedTuple):
    """What is wanted of a picture: its longest side in pixels, if that will do, and the bytes that reading may take."""

    longest: int | None
    memory: int | None
    draft: bool
    """Whether a JPEG of any size may be decoded smaller, which is faster and not quite the same."""

    def factor(self, width: int, height: int) -> int:
        """How many pixels become one along each axis while a picture of this size is read."""
        large = width * height > _LARGE or width * height * _WORKED_ON > self.bytes
        return max(1, max(width, height) // (_TO_SPARE * self.longest)) if large and self.longest else 1

    @property
    def bytes(self) -> int:
        """The bytes that may be taken: by default three quarters of what is free."""
        return self.memory or psutil.virtual_memory().available * 3 // 4


class Decoded(NamedTuple):
    """A picture as its file has it.

    Attributes:
        picture: as Pillow decodes it, or knows of it.
        samples: in place of its pixels: (height, width) or (height, width, 1 to 4), whole numbers over their full range or
            floats in 0..1; the second or fourth channel is the opacity.
    """

    picture: Image.Image
    samples: Samples | None = None


@contextmanager
def decoded(path: Path, wanted: Wanted) -> Iterator[Decoded]:
    """The picture in a file, for as long as that is open.

    Raises:
        SignalError: it is none, more of it is missing than a tenth, or it does not fit the memory.
    """
    decode = _DECODERS.get(file_type(path) or "")
    if decode:
        yield decode(path, wanted)
    else:
        with _opened(path) as picture:
            yield _loaded(picture, path, wanted)


def _loaded(picture: Image.Image, path: Path, wanted: Wanted) -> Decoded:
    _tell_of_frames(picture, path)
    width, height = picture.size
    factor = wanted.factor(width, height)
    if wanted.longest is not None and (wanted.draft or factor > 1):
        side = wanted.longest * (1 if wanted.draft else _TO_SPARE)
        picture.draft(None, (side, side))
    _check_memory(picture, path, wanted, factor)
    try:
        samples = _deep_samples(picture, path.read_bytes)
        if samples is None:
            picture.load()
    except (OSError, SyntaxError, imagecodecs.PngError) as error:
        found = complete(path.read_bytes(), file_type(path) or "")
        if found is None:
            raise
        if found.missing > _MOST_MISSING:
            raise SignalError(f"it is cut off: {found.missing:.0%} of the picture is missing") from error
        _tell_of_cut(path, found.missing)
        return _smaller(Decoded(found.picture, _deep_samples(found.picture, lambda: found.data)), factor)
    return _smaller(Decoded(picture, samples), max(1, factor * max(picture.size) // max(width, height)))


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The picture as Pillow opens it, of any size: what is too large is decided here, and not by its global limit."""
    try:
        picture = Image.open(path)
    except Image.DecompressionBombError:
        Image.init()
    else:
        with picture:
            yield picture
        return
    with path.open("rb") as file:
        beginning = file.read(16)
        known = (make for make, accepts in Image.OPEN.values() if accepts and accepts(beginning) in (True, 1))
        for make in known:
            file.seek(0)
            yield make(file, str(path))
            return
    raise UnidentifiedImageError


def _check_memory(picture: Image.Image, path: Path, wanted: Wanted, factor: int) -> None:
    width, height = picture.size
    pixels, bands = width * height, len(picture.getbands())
    if picture.format == "PNG" and pixels * bands > 8 * _DENSEST * path.stat().st_size:
        raise SignalError(f"it is cut off: {path.stat().st_size} bytes cannot hold {width} x {height} pixels")
    # decoded, and as an array; what is left of it is worked on
    needed = pixels * bands * 2 + pixels // factor**2 * _WORKED_ON
    if needed > wanted.bytes:
        raise SignalError(
            f"{width} x {height} pixels unpack to {needed / 2**30:.1f} GiB and {wanted.bytes / 2**30:.1f} GiB may be taken; "
            "make it smaller first"
        )


def _tell_of_frames(picture: Image.Image, path: Path) -> None:
    frames = getattr(picture, "n_frames", 1)
    if picture.format in _ANIMATIONS and frames > 1:
        log.warning(
            "%s is an animation of %d frames: the first is taken (a result in .gif, .webp, .apng or .mp4 has all)",
            path,
            frames,
        )


def _tell_of_cut(path: Path, missing: float) -> None:
    if missing:
        log.warning("%s is cut off: %.1f %% of the picture is missing, the last line is repeated there", path, 100 * missing)
    else:
        log.warning("%s has lost its end mark; the picture is whole", path)


def _deep_samples(picture: Image.Image, read: Callable[[], bytes]) -> Samples | None:
    """Colours of 16 bits a channel as they are stored, (height, width, 3 or 4), which Pillow would cut to 8; else None."""
    if picture.mode not in _DEEP_MODES:
        return None
    if picture.format == "PNG" and "16" in str(getattr(picture, "tile", "")):
        samples = imagecodecs.png_decode(read())
        return samples[..., [0, 0, 0, 1]] if samples.shape[2] == 2 else samples
    bits: Any = getattr(picture, "tag_v2", {}).get(0x0102, ())
    if picture.format == "TIFF" and set(bits) == {16}:
        with tifffile.TiffFile(io.BytesIO(read())) as file:
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


def _smaller(decoded: Decoded, factor: int) -> Decoded:
    """Each ``factor`` x ``factor`` pixels as their mean."""
    if factor == 1:
        return decoded
    picture, samples = decoded
    if samples is None and picture.mode in ("L", "RGB", "RGBA", "CMYK", "LA"):
        smaller = picture.reduce(factor)
        smaller.info = picture.info
        smaller.getexif().update(picture.getexif())
        return Decoded(smaller)
    if samples is None and not picture.mode.startswith(("I", "F")):
        return _smaller(Decoded(picture.convert("RGBA" if picture.has_transparency_data else "RGB")), factor)
    samples = np.asarray(picture) if samples is None else samples
    return Decoded(picture, reduce_samples(samples, factor))


def reduce_samples(samples: Samples, factor: int) -> Samples:
    """Each ``factor`` x ``factor`` positions of (height, width, ...) as their mean, in the same type."""
    height, width = (n // factor for n in samples.shape[:2])
    rows = [
        samples[i * factor : (i + 1) * factor, : width * factor]
        .reshape(factor, width, factor, *samples.shape[2:])
        .mean((0, 2), dtype=np.float64)
        for i in range(height)
    ]
    mean = np.stack(rows)
    return (mean.round() if samples.dtype.kind in "ui" else mean).astype(samples.dtype)


def _jpeg_xl(path: Path, wanted: Wanted) -> Decoded:
    samples = imagecodecs.jpegxl_decode(path.read_bytes())
    if samples.ndim == 4 or (samples.ndim == 3 and samples.shape[2] > 4):
        log.warning("%s is an animation of %d frames: the first is taken", path, len(samples))
        samples = samples[0]
    return _reduced(samples, wanted)


def _high_efficiency(path: Path, wanted: Wanted) -> Decoded:
    try:
        heif = optional_package("pillow_heif", path, "heic")
    except SignalError as error:
        raise SignalError("it is a HEIC picture, which the package pillow-heif reads: pip install pillow-heif") from error
    opened = heif.open_heif(path, convert_hdr_to_8bit=False)
    known = Image.new("RGB", (1, 1))
    known.info = {name: opened.info[name] for name in ("icc_profile",) if opened.info.get(name)}
    return _reduced(np.asarray(opened), wanted)._replace(picture=known)


def _array(path: Path, wanted: Wanted) -> Decoded:
    samples = np.load(path, allow_pickle=False)
    if samples.ndim == 3 and samples.shape[2] not in (1, 2, 3, 4) and samples.shape[0] in (1, 3, 4):
        log.warning("%s has its %d channels first: it is taken as a picture", path, len(samples))
        samples = np.moveaxis(samples, 0, -1)
    return _reduced(samples, wanted)


def _reduced(samples: Samples, wanted: Wanted) -> Decoded:
    height, width = samples.shape[:2]
    factor = wanted.factor(width, height)
    return Decoded(Image.new("RGB", (1, 1)), reduce_samples(samples, factor) if factor > 1 else samples)


_DECODERS: dict[str, Callable[[Path, Wanted], Decoded]] = {
    ".jxl": _jpeg_xl,
    ".heic": _high_efficiency,
    ".npy": _array,
}
