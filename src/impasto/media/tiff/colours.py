"""The samples of a TIFF page as RGB or grey, whatever they stand for, with the opacity as the last channel."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import SignalError
from impasto.media.icc import SRGB_PROFILE, is_of_rgb, pillow_to_srgb
from impasto.media.tiff.range import Noted, full_range

log = logging.getLogger("impasto")

Samples = NDArray[Any]

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
_CHANNELS = {RGB: 3, PALETTE: 3, SEPARATED: 4, YCBCR: 3, CIELAB: 3, ICCLAB: 3}
_PREMULTIPLIED, _STRAIGHT, _CORELS = 1, 2, 999
_INK_SET, _INKS, _COLOR_MAP = 332, 334, 320
_CMYK = 1
# compressions whose decoders return RGB although the page says YCbCr
_CONVERTED = (6, 7, 33003, 33004, 33005, 34712, 34892, 33007, 50001, 50002, 52546)


def palette_of(page: Any) -> Callable[[Samples], Samples] | None:
    """A function from the samples of a page to the colours of its palette, uint8; None if it has no palette."""
    if page.photometric != PALETTE or _COLOR_MAP not in page.tags:
        return None
    table = np.asarray(page.colormap)
    # the format asks for 16 bits; some writers store 8
    colours = (table >> 8 if table.max(initial=0) > 255 else table).astype(np.uint8).T

    def expand(samples: Samples) -> Samples:
        found = colours[np.minimum(samples[..., 0].astype(np.intp), len(colours) - 1)]
        opacity = samples[..., 1:] if page.extrasamples else samples[..., :0]
        return np.concatenate([found, opacity.astype(np.uint8)], -1)

    return expand


def to_colours(samples: Samples, page: Any, profile: bytes | None, noted: Noted, path: Path) -> tuple[Samples, bytes | None]:
    """The colours of a page, and the profile that is still to be applied to them.

    Args:
        samples: (height, width, channels), stored values, or the colours of the palette.
        page: with its tags.
        profile: its ICC profile.
        noted: what the file says of its range.
        path: the file, for messages.

    Returns:
        (height, width, 1, 3 or 4), uint8 or uint16 over their full range or float32 in 0..1; and the profile, if it is an
        RGB profile, else None.

    Raises:
        SignalError: the values are not real numbers, or the inks are not CMYK.
        NotImplementedError: the photometric interpretation is not supported here.
    """
    kind = int(page.photometric)
    count = _count(page, kind, samples.shape[2])
    extra = [int(one) for one in page.extrasamples or ()][: samples.shape[2] - count]
    colours, opacity, premultiplied = samples[..., :count], *_opacity(samples, count, extra, path)
    whole = full_range(colours, noted if kind not in (PALETTE, CIELAB, ICCLAB) else Noted(full=True), path, colour=count > 1)
    if opacity is not None:
        top = noted.high if whole is not colours and noted.high and opacity.max(initial=0) <= noted.high else None
        opacity = opacity if whole is colours else _unit(opacity, top)
        if premultiplied:
            whole = _straight(whole, opacity)
    if kind == WHITE_IS_ZERO:
        whole = np.iinfo(whole.dtype).max - whole if whole.dtype.kind == "u" else 1 - whole
    elif kind in _CONVERT:
        whole = _CONVERT[kind](whole, page, profile)
    elif whole.shape[2] == 1 and profile and not is_of_rgb(profile):
        whole = _from_profile(whole, "L", profile)
    if profile and is_of_rgb(profile) and whole.shape[2] == 3 and kind in (RGB, PALETTE, YCBCR):
        whole = whole if whole.dtype.kind == "u" else (whole * 65535).round().astype(np.uint16)
    else:
        profile = None
    if opacity is not None:
        whole = np.repeat(whole, 3, 2) if whole.shape[2] == 1 else whole
        if opacity.dtype != whole.dtype:
            opacity = _as(opacity, whole.dtype)
        whole = np.concatenate([whole, opacity], -1)
    return np.ascontiguousarray(whole), profile


def _count(page: Any, kind: int, channels: int) -> int:
    """How many of the channels are colours, and not opacity or other extra samples."""
    if kind not in (WHITE_IS_ZERO, BLACK_IS_ZERO, *_CHANNELS):
        raise NotImplementedError(f"its colours are of the kind {kind}")
    if kind == YCBCR and page.compression not in _CONVERTED and page.is_subsampled:
        raise NotImplementedError("its colours are subsampled")
    inks = page.tags.valueof(_INKS, default=4)
    if kind == SEPARATED and (page.tags.valueof(_INK_SET, default=_CMYK) != _CMYK or inks != 4):
        raise SignalError(
            f"it is printed with {inks} inks that are not cyan, magenta, yellow and black; convert it to RGB first"
        )
    count = 1 if kind in (CIELAB, ICCLAB) and channels == 1 else _CHANNELS.get(kind, 1)
    if channels < count:
        raise SignalError(f"it has {channels} channels; {count} were expected")
    return count


def _opacity(samples: Samples, count: int, extra: Sequence[int], path: Path) -> tuple[Samples | None, bool]:
    """The first opacity after the colours, (height, width, 1), and whether the colours are premultiplied by it."""
    spare = samples.shape[2] - count
    if not spare:
        return None, False
    # a single extra channel that the file does not explain is taken for opacity, as all programs do
    extra = [*extra, *[0] * (spare - len(extra))] if extra or spare > 1 or count == 1 else [_STRAIGHT]
    at = next((i for i, one in enumerate(extra) if one in (_PREMULTIPLIED, _STRAIGHT, _CORELS)), None)
    left = spare - (at is not None)
    if left:
        log.warning("%s: %d of its %d channels are no colours or opacity, and are left out", path, left, samples.shape[2])
    if at is None:
        return None, False
    return samples[..., count + at : count + at + 1], extra[at] == _PREMULTIPLIED


def _straight(colours: Samples, opacity: Samples) -> Samples:
    """Premultiplied colours divided by their opacity."""
    if colours.dtype == np.uint8:
        wide = colours.astype(np.uint32) * 255 // np.maximum(opacity, 1)
        return np.where(opacity > 0, wide.clip(0, 255), 0).astype(np.uint8)
    if colours.dtype == np.uint16:
        return (colours / (np.maximum(opacity.astype(np.float64), 1) / 65535)).clip(0, 65535).round().astype(np.uint16)
    return np.where(opacity > 0, colours / np.where(opacity > 0, opacity, 1), 0).clip(0, 1).astype(np.float32)


def _unit(samples: Samples, high: float | None = None) -> NDArray[np.float32]:
    """As float32 in 0..1: divided by ``high``, or the largest value of an integer type, or 1."""
    if high is None:
        high = float(np.iinfo(samples.dtype).max) if samples.dtype.kind in "ui" else 1.0
    return np.nan_to_num(samples.astype(np.float32) / np.float32(high)).clip(0, 1)


def _as(samples: Samples, dtype: np.dtype[Any]) -> Samples:
    unit = _unit(samples)
    return unit if dtype.kind == "f" else (unit * np.iinfo(dtype).max).round().astype(dtype)


def _from_profile(samples: Samples, mode: str, profile: bytes | None) -> Samples:
    """Grey ("L") or CMYK in sRGB, (height, width, 3); grey stays one channel if its profile is damaged or does not fit."""
    if samples.dtype == np.uint8:
        picture = Image.fromarray(np.ascontiguousarray(samples[..., 0] if mode == "L" else samples), mode)
        return np.asarray(pillow_to_srgb(picture, profile))
    if profile:
        deep = np.ascontiguousarray(_as(samples, np.dtype(np.uint16)))
        spaces: Any = {"colorspace": "gray" if mode == "L" else "cmyk", "outcolorspace": "rgb"}
        try:
            deep = deep[..., 0] if mode == "L" else deep
            return imagecodecs.cms_transform(deep, profile, SRGB_PROFILE, outdtype=np.uint16, **spaces)
        except (imagecodecs.CmsError, ValueError):
            pass
    if mode == "L":
        return samples
    inks = _unit(samples)
    return _as((1 - inks[..., :3]) * (1 - inks[..., 3:]), np.dtype(samples.dtype))


def _from_cmyk(samples: Samples, page: Any, profile: bytes | None) -> Samples:
    return _from_profile(samples, "CMYK", profile if profile and profile[16:20] == b"CMYK" else None)


def _from_ycbcr(samples: Samples, page: Any, profile: bytes | None) -> Samples:
    if page.compression in _CONVERTED:
        return samples
    y, b, r = np.moveaxis(_unit(samples), -1, 0)
    b, r = b - np.float32(128 / 255), r - np.float32(128 / 255)
    colours = np.stack([y + 1.402 * r, y - 0.344136 * b - 0.714136 * r, y + 1.772 * b], -1)
    return _as(colours.clip(0, 1), np.dtype(samples.dtype))


def _from_lab(samples: Samples, page: Any, profile: bytes | None) -> Samples:
    """CIE L*a*b* with the white point D50, in sRGB as float32."""
    largest = np.iinfo(samples.dtype).max if samples.dtype.kind == "u" else 1
    lightness = samples[..., 0].astype(np.float64) * (100 / largest)
    if samples.shape[2] == 1:
        a = b = np.zeros_like(lightness)
    else:
        step = (largest + 1) / 256 if largest > 1 else 1 / 256
        signed = samples[..., 1:].astype(np.float64) / step
        # ICCLab adds 128, CIELab is in two's complement
        a, b = np.moveaxis(signed - 128 if page.photometric == ICCLAB else (signed + 128) % 256 - 128, -1, 0)
    y = (lightness + 16) / 116
    f = np.stack([y + a / 500, y, y - b / 200], -1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * (0.9642, 1.0, 0.8249)
    linear = (xyz @ _XYZ_TO_SRGB.T).clip(0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)


# from XYZ with the white point D50 (Bradford) to linear sRGB
_XYZ_TO_SRGB = np.linalg.inv(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)

_CONVERT = {SEPARATED: _from_cmyk, YCBCR: _from_ycbcr, CIELAB: _from_lab, ICCLAB: _from_lab}


def mix_channels(samples: Samples, colours: Sequence[tuple[int, int, int]] | None, noted: Noted, path: Path) -> Samples:
    """The channels of a microscope or a scanner as one picture; with a warning if they are not three.

    Args:
        samples: (height, width, channels).
        colours: (red, green, blue) in 0..255 of each channel, if the file tells; the channels are added up in them.
        noted: what the file says of its range.
        path: the file, for messages.

    Returns:
        (height, width, 1 or 3), uint8 or uint16 over their full range or float32 in 0..1.
    """
    channels = samples.shape[2]
    if colours and len(colours) >= channels and channels > 1 and len(set(colours[:channels])) > 1:
        colours = list(colours[:channels])
        if colours != list(_PRIMARIES[:channels]) or channels < 3:
            log.warning("%s: its %d channels are laid over each other in the colours that the file gives", path, channels)
            unit = _unit(full_range(samples, noted, path, colour=True))
            return (unit @ (np.asarray(colours, np.float32) / 255)).clip(0, 1)
    if channels > 3:
        log.warning("%s has %d channels; the first three are taken for red, green and blue", path, channels)
    elif channels == 2:
        log.warning("%s has 2 channels, which are taken for red and green", path)
    whole = full_range(samples[..., :3], noted, path, colour=False)
    return np.concatenate([whole, np.zeros_like(whole[..., :1])], -1) if channels == 2 else whole


_PRIMARIES = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
