"""Decodes the strips and tiles of a TIFF page, as far as they are there, and makes it smaller while reading if asked."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SignalError

Samples = NDArray[Any]

_MOST_MISSING = 0.1
_PLAIN, _DEFLATE, _JPEG = 1, (8, 32946), (6, 7, 34892, 33007)
_WHOLE_BYTES = (8, 16, 32, 64)
_BAND = 2**24  # bytes of uncompressed rows that are read at once


class Part(NamedTuple):
    """A block of a page: its first channel, row and column, and its samples (rows, columns, channels)."""

    channel: int
    top: int
    left: int
    samples: Samples


def decode_page(page: Any, factor: int = 1, expand: Callable[[Samples], Samples] | None = None) -> tuple[Samples, float]:
    """The samples of a page, (height, width, channels), and the share of it that is missing in the file, 0..1.

    What is missing is filled with the row above it.

    Args:
        page: tifffile's page, or frame (a page that shares the tags of another).
        factor: each side is made so many times smaller, by means of squares.
        expand: applied to the samples before they are averaged, e.g. from indices to the colours of a palette.

    Raises:
        SignalError: more than a tenth is missing, or the page has more than one plane.
        Exception: the format cannot be decoded.
    """
    key = page.keyframe
    if key.shaped[1] != 1:
        raise SignalError(f"it holds {key.shaped[1]} planes in one page; a picture was expected")
    if not key.dataoffsets or 0 in key.shaped:
        raise SignalError("there are no pixels in it")
    expand = expand or (lambda samples: samples)
    if factor == 1 and _is_complete(page):
        try:
            return expand(_joined(page.asarray(squeeze=False), key)), 0.0
        except NotImplementedError:
            raise
        except Exception:  # _gathered tells one damaged strip from a page that cannot be decoded at all
            pass
    return _gathered(page, factor, expand)


def _joined(array: Samples, key: Any) -> Samples:
    """tifffile's (planes, 1, rows, columns, samples) as (rows, columns, channels)."""
    planes, _, rows, columns, inner = key.shaped
    array = array.reshape(planes, rows, columns, inner)
    return array[0] if planes == 1 else np.ascontiguousarray(np.moveaxis(array[..., 0], 0, -1))


def _is_complete(page: Any) -> bool:
    size, key = page.parent.filehandle.size, page.keyframe
    ends = [offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)]
    return len(ends) >= prod(key.chunked) and max(ends, default=0) <= size


def _gathered(page: Any, factor: int, expand: Callable[[Samples], Samples]) -> tuple[Samples, float]:
    key = page.keyframe
    planes, _, rows, columns, inner = key.shaped
    size = page.parent.filehandle.size
    # before memory is taken for what a damaged header promises
    begun = sum(
        0 < offset < size or count == 0 for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)
    )
    _check_missing(1 - begun / prod(key.chunked))
    one = expand(np.zeros((1, 1, planes * inner), key.dtype))
    kind, channels = one.dtype, one.shape[2]
    height, width = -(-rows // factor), -(-columns // factor)
    sums = np.zeros((height, width, channels), np.float64 if factor > 1 else kind)
    counts = np.zeros((height, width, planes), np.int32)
    errors: list[Exception] = []
    for channel, top, left, samples in _parts(page, errors):
        part = expand(samples[: rows - top, : columns - left])
        shape, ones = part.shape, np.ones((*part.shape[:2], 1), np.int32)
        if factor > 1:
            part, ones = (_summed(one, factor, top, left) for one in (part.astype(np.float64), ones))
        place = np.s_[top // factor : top // factor + part.shape[0], left // factor : left // factor + part.shape[1]]
        sums[place][..., channel : channel + shape[2]] += part
        counts[place][..., channel] += ones[..., 0]
    seen = counts.min(2)
    if not seen.any():
        raise errors[0] if errors else SignalError("all of it is missing")
    missing = 1 - float(counts.sum(dtype=np.int64)) / (rows * columns * planes)
    _check_missing(missing)
    if factor > 1:
        sums /= np.maximum(seen, 1)[..., None]
        sums = (sums.round() if kind.kind in "iu" else sums).astype(np.float32 if kind.kind == "b" else kind)
    if not seen.all():
        above = np.maximum.accumulate(np.where(counts > 0, np.arange(height)[:, None, None], 0), axis=0)
        sums = np.take_along_axis(sums, np.broadcast_to(above, sums.shape), axis=0)
    return sums, max(0.0, missing)


def _check_missing(missing: float) -> None:
    if missing > _MOST_MISSING:
        raise SignalError(f"{missing:.0%} of the picture is missing; up to {_MOST_MISSING:.0%} is filled in")


def _summed(part: Samples, factor: int, top: int, left: int) -> Samples:
    """Sums over the squares of ``factor`` x ``factor`` positions of the page, which a part may cover partly."""
    for axis, start in ((0, top), (1, left)):
        squares = np.arange(start, start + part.shape[axis]) // factor
        part = np.add.reduceat(part, np.flatnonzero(np.diff(squares, prepend=-1)), axis)
    return part


def _parts(page: Any, errors: list[Exception]) -> Iterator[Part]:
    """The parts of a page that can be decoded; why others cannot is added to ``errors``."""
    key, file = page.keyframe, page.parent.filehandle
    plain = key.compression == _PLAIN and key.predictor == 1 and key.bitspersample in _WHOLE_BYTES and key.fillorder == 1
    rest: dict[str, Any] = {}
    if key.compression in _JPEG:
        rest = {"jpegtables": page.jpegtables, "jpegheader": key.jpegheader}
    for index, (offset, count) in enumerate(zip(page.dataoffsets, page.databytecounts, strict=False)):
        if index >= prod(key.chunked):
            return
        if plain and not key.is_tiled and count:
            yield from _bands(page, index, offset)
            continue
        file.seek(offset)
        data = file.read(count) if count else None
        try:
            height = _rows(key, index)
            if data is not None and len(data) < count:
                data, height = _mended(data, key, index)
            segment, (plane, _, top, left, _), shape = key.decode(data, index, **rest)
            if segment is None:
                segment = np.full(shape, key.nodata, key.dtype)
        except Exception as error:  # decoders of damaged data raise whatever comes to them
            errors.append(error)
            continue
        yield Part(plane, top, left, segment.reshape(-1, *segment.shape[-2:])[:height])


def _bands(page: Any, index: int, offset: int) -> Iterator[Part]:
    """The rows of an uncompressed strip, some at a time."""
    key, file = page.keyframe, page.parent.filehandle
    inner, columns = key.shaped[4], key.shaped[3]
    kind = np.dtype(key.dtype).newbyteorder(page.parent.byteorder)
    row = columns * inner * kind.itemsize
    strips = -(-key.shaped[2] // key.rowsperstrip)
    plane, top, rows = index // strips, index % strips * key.rowsperstrip, _rows(key, index)
    at_once = max(1, _BAND // row)
    for start in range(0, rows, at_once):
        file.seek(offset + start * row)
        data = file.read(min(at_once, rows - start) * row)
        there = np.frombuffer(data[: len(data) // row * row], kind).reshape(-1, columns, inner)
        if len(there):
            yield Part(plane, top + start, 0, there.astype(key.dtype))


def _rows(key: Any, index: int) -> int:
    """How many rows a strip or tile has."""
    if key.is_tiled:
        return key.tilelength
    strips = -(-key.shaped[2] // key.rowsperstrip)
    return min(key.rowsperstrip, key.shaped[2] - index % strips * key.rowsperstrip)


def _mended(data: bytes, key: Any, index: int) -> tuple[bytes, int]:
    """A strip or tile that is cut off, filled up with zeros; and how many of its rows are there."""
    rows = _rows(key, index)
    if key.compression not in (_PLAIN, *_DEFLATE):
        return data, rows
    unpacked = data if key.compression == _PLAIN else zlib.decompressobj().decompress(data)
    columns = key.tilewidth if key.is_tiled else key.shaped[3]
    row = -(-columns * key.shaped[4] * key.bitspersample // 8)
    whole = unpacked + bytes(max(0, rows * row - len(unpacked)))
    return (whole if key.compression == _PLAIN else zlib.compress(whole, 0)), min(rows, len(unpacked) // row)
