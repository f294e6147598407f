"""JPEG files whose end is missing: decoded as far as they go, with a measure of how far that is."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
from PIL import Image, JpegImagePlugin

from impasto.errors import SignalError
from impasto.media.image.damage import missing_of_jpeg, tell_missing

_END = b"\xff\xd9"
# arbitrary bits in place of missing ones, which a decoder takes for zeros
_OTHER = b"\xa5\x5a\xd3\x2d" * 16
_SCAN = 0xDA
# bytes that follow 0xFF within the coded pixels, and begin no segment
_WITHIN = (0x00, 0xFF, *range(0xD0, 0xD8))
_COEFFICIENTS = 64


class _Scan(NamedTuple):
    pixels: int
    """Where its header ends and its coded pixels begin."""
    components: tuple[int, ...]
    first: int
    last: int
    bit: int
    """The lowest bit of the coefficients ``first`` to ``last`` that the scan brings."""


def mended_jpeg(data: bytes, name: str) -> Image.Image:
    """A JPEG that is cut off, grey (or, if progressive, blurred) beyond the cut; a warning tells how much is missing.

    Raises:
        SignalError: more than a tenth is missing.
    """
    scans, end = _scans(data)
    if not scans:
        raise SignalError(f"{name} is cut off before its first pixel")
    data = data[:end]
    picture = _decoded(data + _END)
    tell_missing(name, _missing(data, picture, scans))
    return picture


def _decoded(data: bytes) -> Image.Image:
    picture = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    picture.load()
    return picture


def _missing(data: bytes, picture: Image.Image, scans: list[_Scan]) -> float:
    """The share of the coefficients that are missing, 0..1; one that is there but for its last bits counts half.

    A component is weighted by the bytes that it takes in the file.
    """
    cut = scans[-1]
    # decoded without the last scan, and with arbitrary bits behind it
    without, otherwise = (np.asarray(_decoded(start + _END)) for start in (data[: cut.pixels], data + _OTHER))
    reached = 1 - missing_of_jpeg(np.asarray(picture), without, otherwise)
    if len(scans) == 1 and cut.bit == 0 and cut.last - cut.first == _COEFFICIENTS - 1:
        return 1 - reached
    total = 0.0
    taken = dict.fromkeys((component for scan in scans for component in scan.components), 0.0)
    ends = [scan.pixels for scan in scans[1:]] + [len(data)]
    for scan, end in zip(scans, ends, strict=True):
        for component in scan.components:
            taken[component] += (end - scan.pixels) / len(scan.components)
    for component, weight in taken.items():
        known = np.zeros(_COEFFICIENTS)
        for scan in scans:
            if component in scan.components:
                here = slice(scan.first, scan.last + 1)
                brought = 1.0 if scan.bit == 0 else 0.5
                known[here] += (np.maximum(known[here], brought) - known[here]) * (reached if scan is cut else 1.0)
        total += weight * (1 - known.mean())
    return total / sum(taken.values())


def _scans(data: bytes) -> tuple[list[_Scan], int]:
    """The scans of a JPEG, and the end of its last whole segment."""
    scans: list[_Scan] = []
    at = 2
    while (at := data.find(b"\xff", at)) >= 0:
        marker = data[at + 1] if at + 1 < len(data) else None
        if marker in _WITHIN:
            at += 1 + (marker != 0xFF)
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        content = data[at + 4 : at + 2 + length]
        if marker is None or length < 2 or len(content) < length - 2:
            return scans, at
        if marker == _SCAN and len(content) >= 4 + 2 * content[0]:
            count = content[0]
            first, last, bits = content[1 + 2 * count : 4 + 2 * count]
            scans.append(_Scan(at + 2 + length, tuple(content[1 : 1 + 2 * count : 2]), first, min(last, 63), bits & 15))
        at += 2 + length
    return scans, len(data)
