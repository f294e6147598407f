"""Pictures as the network sees them when they are explored, and as people see them."""

from __future__ import annotations

from PIL import Image

from impasto.media.image.resample import over_white, resample_image, scaled_shape
from impasto.media.image.write import to_pillow
from impasto.media.signal import Signal


def fit_image(picture: Signal, longest: int | None) -> Signal:
    """The picture on white, with a longest side of at most ``longest`` pixels; None keeps its size."""
    picture = over_white(picture)
    if longest is None or max(picture.shape) <= longest:
        return picture
    return resample_image(picture, scaled_shape(picture.shape, longest))


def draw_image(picture: Signal, size: tuple[int, int]) -> Image.Image:
    """The picture with (width, height) = ``size``."""
    return enlarged(to_pillow(Signal(picture.values)), size)


def overview_image(picture: Signal, longest: int) -> Image.Image:
    """The whole picture, never enlarged."""
    return draw_image(picture, scale_to(picture.shape, longest))


def preview_image(picture: Signal, longest: int) -> Image.Image:
    """The picture on white, with at most so many pixels on its longer side."""
    return to_pillow(fit_image(picture, longest))


def enlarged(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A picture with (width, height) = ``size``, smooth unless it has few pixels."""
    # few pixels are shown as squares: smoothing would invent colours between them
    few = max(picture.size) < max(size) / 4
    return picture.resize(size, Image.Resampling.NEAREST if few else Image.Resampling.LANCZOS)


def scale_to(shape: tuple[int, ...], longest: int, enlarge: bool = False) -> tuple[int, int]:
    """(width, height) in the proportions of the last two axes of ``shape``, with a longest side of at most ``longest``."""
    height, width = shape[-2:]
    scale = longest / max(height, width)
    scale = scale if enlarge else min(1.0, scale)
    return max(1, round(width * scale)), max(1, round(height * scale))
