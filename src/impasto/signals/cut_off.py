"""Picture files whose end is missing: what is there of the picture, and how much is not."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

_END_OF_JPEG = b"\xff\xd9"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# how often a picture of grey, and one of colours, is gone over by the usual writers of progressive JPEG
_SCANS = {1: 6, 3: 10, 4: 10}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_UP = 2  # the filter of a PNG's line that adds the line above


class Completed(NamedTuple):
    """A picture with something in the place of what is missing, the file that it would be, and the share that is missing."""

    picture: Image.Image
    data: bytes
    missing: float


def complete(data: bytes, ending: str) -> Completed | None:
    """The picture of a JPEG or PNG that is cut off, with the last line that is there repeated; None of what cannot be told.

    Args:
        data: the file.
        ending: ".jpg" or ".png".
    """
    return _COMPLETE[ending](data) if ending in _COMPLETE else None


def _complete_jpeg(data: bytes) -> Completed | None:
    """What lies after the cut differs with what is put there, and what lies before does not."""
    noise = np.random.default_rng(0).integers(0, 255, 4096, np.uint8).tobytes()
    picture = Image.open(io.BytesIO(data + _END_OF_JPEG))
    there, other = (np.asarray(one) for one in (picture, Image.open(io.BytesIO(data + noise + _END_OF_JPEG))))
    lacking = (there != other).reshape(*there.shape[:2], -1).any(2)
    missing = float(lacking.mean())
    if "progressive" in picture.info:
        scans = _SCANS.get(len(picture.getbands()), 10)
        missing = max(0.0, scans - data.count(b"\xff\xda") + missing) / scans
    elif missing:
        line = there[max(0, int(lacking.any(1).argmax()) - 1)]
        there = np.where(lacking[..., None] if there.ndim == 3 else lacking, line, there)
        picture.frombytes(there.tobytes())
    return Completed(picture, data + _END_OF_JPEG, missing)


def _complete_png(data: bytes) -> Completed | None:
    chunks = list(_chunks(data))
    if not chunks or chunks[0][0] != b"IHDR" or not any(name == b"IDAT" for name, _ in chunks):
        return None
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1][:13])
    line = 1 + -(-width * depth * _CHANNELS.get(colour, 4) // 8)
    unpacked = zlib.decompressobj()
    try:
        lines = unpacked.decompress(b"".join(body for name, body in chunks if name == b"IDAT"), line * height)
    except zlib.error:
        return None
    missing = 1 - len(lines) / (line * height)
    if interlaced or not lines:
        return None
    whole = lines[: len(lines) // line * line]
    filled = whole + (bytes([_UP]) + bytes(line - 1)) * (height - len(whole) // line)
    before = [(name, body) for name, body in chunks if name not in (b"IDAT", b"IEND")]
    made = [*before, (b"IDAT", zlib.compress(filled, 1)), (b"IEND", b"")]
    whole_file = _PNG_SIGNATURE + b"".join(map(_chunk, made))
    return Completed(Image.open(io.BytesIO(whole_file)), whole_file, max(0.0, missing))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and body of each chunk of a PNG; the last one as far as it is there."""
    at = len(_PNG_SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(row: tuple[bytes, bytes]) -> bytes:
    name, body = row
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


_COMPLETE: dict[str, Callable[[bytes], Completed | None]] = {".jpg": _complete_jpeg, ".png": _complete_png}
