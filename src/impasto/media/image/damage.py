"""Pictures whose end is missing: read if nearly all of them is there, with a warning that tells how much is missing."""

from __future__ import annotations

import logging
import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError

log = logging.getLogger("impasto")

_MOST_MISSING = 0.1
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# the seven passes of an interlaced PNG: first column and row, and the steps between columns and rows
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def tell_missing(name: str | Path, share: float) -> None:
    """Warn that a share of a picture is missing, 0..1.

    Raises:
        SignalError: it is more than a tenth.
    """
    if share > _MOST_MISSING:
        raise SignalError(
            f"{name} is cut off: {share:.0%} of the picture is missing; at most {_MOST_MISSING:.0%} was expected"
        )
    if share:
        log.warning(
            "%s is cut off: %s of the picture is missing", name, f"{share:.1%}" if share >= 0.001 else "less than 0.1%"
        )
    else:
        log.warning("%s is cut off: its end mark is missing, but the picture is whole", name)


class PngParts(NamedTuple):
    """A PNG file, taken apart.

    Attributes:
        size: (width, height).
        depth: bits a sample.
        rows: of each pass, the bytes of an unpacked row with its filter byte, and how many rows.
        before: the signature and the chunks before the pixels.
        pixels: the compressed pixels, as far as they are there.
        whole: whether the file has its end.
        significant: how many bits a sample really has (chunk sBIT); None if the file does not tell.
    """

    size: tuple[int, int]
    depth: int
    rows: tuple[tuple[int, int], ...]
    before: bytes
    pixels: bytes
    whole: bool
    significant: int | None

    @property
    def unpacked(self) -> int:
        """How many bytes the unpacked pixels have."""
        return sum(length * count for length, count in self.rows)


def png_parts(data: bytes) -> PngParts | None:
    """The parts of a PNG file; None if not even its header is there."""
    if data[:8] != _PNG_SIGNATURE or data[12:16] != b"IHDR" or len(data) < 33:
        return None
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    if kind not in _CHANNELS or not width or not height:
        return None
    at, before, pixels, whole, significant = 33, data[:33], [], False, None
    while at + 8 <= len(data):
        (length,), name = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        content = data[at + 8 : at + 8 + length]
        if name == b"IDAT":
            pixels.append(content)
        elif name == b"IEND":
            whole = True
            break
        elif not pixels and len(content) == length:
            before += data[at : at + 12 + length]
            significant = max(content, default=None) if name == b"sBIT" else significant
        at += 12 + length
    bits = depth * _CHANNELS[kind]
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    sizes = [(-(-(width - x) // across), -(-(height - y) // down)) for x, y, across, down in passes]
    rows = tuple((1 + -(-columns * bits // 8), count) for columns, count in sizes if columns > 0 and count > 0)
    return PngParts((width, height), depth, rows, before, b"".join(pixels), whole, significant)


def mended_png(data: bytes, name: str) -> bytes:
    """A PNG file that is cut off, completed by repeating its last row; a warning tells how much is missing.

    Raises:
        SignalError: more than a tenth is missing, or what is there is damaged.
    """
    parts = png_parts(data)
    if parts is None:
        raise SignalError(f"{name} is cut off within its header")
    unpack = zlib.decompressobj()
    try:
        there = unpack.decompress(parts.pixels, parts.unpacked)
    except zlib.error:
        raise SignalError(f"{name} cannot be read: its pixels are damaged") from None
    tell_missing(name, 1 - len(there) / parts.unpacked)
    filled, at = bytearray(there), 0
    for length, count in parts.rows:
        for _ in range(count):
            if at + length > len(there):  # filter "up" and only zeros: a row like the one above
                filled[at : at + length] = b"\2" + bytes(length - 1)
            at += length
    return parts.before + _chunk(b"IDAT", zlib.compress(bytes(filled), 1)) + _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def missing_of_jpeg(samples: NDArray[np.uint8], without: NDArray[np.uint8], otherwise: NDArray[np.uint8]) -> float:
    """The share of a picture, 0..1, that the last scan of a JPEG does not reach because it is cut off.

    Args:
        samples: (height, width[, channels]), decoded from what is there.
        without: the same, decoded without that scan.
        otherwise: the same, decoded with arbitrary bits in place of those that are missing.
    """
    changed: NDArray[Any] = np.not_equal(samples, without)
    sure: NDArray[Any] = np.equal(samples, otherwise)
    if not changed.any() and sure.all():
        return 0.0  # the scan had nothing to add
    # chroma upsampling lets a block bleed into the outermost pixels of its neighbours
    reached: NDArray[Any] = _blocks(changed)[:, :, 1:-1, 1:-1].max((2, 3, 4)) & _blocks(sure).min((2, 3, 4))
    rows, columns = reached.shape
    last = np.flatnonzero(reached.max(1))
    if not last.size:
        return 1.0
    # a row of blocks of subsampled chroma covers two rows of blocks of luma
    begun = reached[max(0, last[-1] - 1) : last[-1] + 1]
    missing = sum(int(row[::-1].argmax()) if row.any() else row.size for row in begun)
    return (missing + (rows - 1 - int(last[-1])) * columns) / reached.size


def _blocks(marks: NDArray[Any]) -> NDArray[Any]:
    """Marks of pixels by blocks of 8 x 8: (rows, columns, 8, 8, channels)."""
    height, width = marks.shape[:2]
    padded = np.pad(marks.reshape(height, width, -1), ((0, -height % 8), (0, -width % 8), (0, 0)), "edge")
    rows, columns = padded.shape[0] // 8, padded.shape[1] // 8
    return padded.reshape(rows, 8, columns, 8, -1).swapaxes(1, 2)
