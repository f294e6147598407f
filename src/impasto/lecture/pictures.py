"""Pictures in a lecture: small, and as addresses that need no file."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.media.image.write import to_pillow
from impasto.media.signal import Signal, Values


def data_uri(picture: Image.Image, quality: int | None = 82) -> str:
    """The picture as WebP; None for a quality keeps every value."""
    buffer = io.BytesIO()
    if quality is None:
        picture.save(buffer, "WEBP", lossless=True, method=6)
    else:
        picture.save(buffer, "WEBP", quality=quality, method=6)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def uri_of(values: Values, quality: int | None = 82) -> str:
    """Values (3, height, width), or (1, height, width) of a grey picture, in 0..1, as WebP."""
    return data_uri(to_pillow(Signal(np.broadcast_to(values, (3, *values.shape[1:])))), quality)


def values_of(uri: str) -> Values:
    """The values (3, height, width) in 0..1 of a picture that :func:`data_uri` made."""
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as picture:
        return np.asarray(picture.convert("RGB"), np.float32).transpose(2, 0, 1) / np.float32(255)


def sprite(tiles: NDArray[np.uint8], columns: int) -> Image.Image:
    """Tiles (count, height, width), or (count, height, width, 3) in colours, as one picture, row by row."""
    count, height, width = tiles.shape[:3]
    rows = -(-count // columns)
    sheet = np.zeros((rows * height, columns * width, *tiles.shape[3:]), np.uint8)
    for i, tile in enumerate(tiles):
        top, left = i // columns * height, i % columns * width
        sheet[top : top + height, left : left + width] = tile
    return Image.fromarray(sheet)
