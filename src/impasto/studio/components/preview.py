"""Every signal as a picture: what the page shows of a photograph, a series, a sound or a volume."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from impasto.explore.kinds import KINDS
from impasto.signals.formats import read_signal
from impasto.signals.grid_plots import sections
from impasto.signals.image import over_white, resample_image, scaled_shape
from impasto.signals.image_output import to_pillow
from impasto.signals.plots import spectrogram
from impasto.signals.signal import Signal

_LONGEST = 1600  # pixels on the longer side of what the page shows
_SECONDS, _FEWEST_SAMPLES, _MOST_LEADS = 10, 1500, 12  # of a series
_MOST_SECONDS, _DECIBELS = 60, 70  # of a sound
_GAP = 6  # pixels between the sections of a volume


def preview_signal(signal: Signal, longest: int = _LONGEST) -> bytes:
    """The signal as JPEG, with at most so many pixels on its longer side."""
    buffer = io.BytesIO()
    _PREVIEWS[signal.kind](signal, longest).save(buffer, "JPEG", quality=90, subsampling=0)
    return buffer.getvalue()


def preview_file(path: Path, longest: int = _LONGEST) -> bytes:
    """The preview_signal of what is in a file.

    Raises:
        SignalError: it cannot be read.
    """
    return preview_signal(read_signal(path), longest)


def _of_image(picture: Signal, longest: int) -> Image.Image:
    picture = over_white(picture)
    if max(picture.shape) > longest:
        picture = resample_image(picture, scaled_shape(picture.shape, longest))
    return to_pillow(picture)


def _of_series(series: Signal, longest: int) -> Image.Image:
    """The first seconds, each lead in a strip of its own."""
    samples = max(_FEWEST_SAMPLES, round(_SECONDS * (series.header.get("rate") or 0)))
    begun = series.with_values(series.values[:_MOST_LEADS, :samples])
    height = longest * min(10, 2 + 2 * len(begun.values)) // 16
    return KINDS["series"].draw(KINDS["series"].fit(begun, None), (longest, height))


def _of_sound(sound: Signal, longest: int) -> Image.Image:
    """The spectrogram, low frequencies below."""
    from matplotlib import colormaps

    _, _, levels = spectrogram(sound, _MOST_SECONDS)
    colours = colormaps["magma"]((1 + levels / _DECIBELS).clip(0, 1)[::-1])
    picture = Image.fromarray((255 * colours[..., :3]).astype(np.uint8))
    return picture.resize((longest, longest * 7 // 16), Image.Resampling.BICUBIC)


def _of_volume(volume: Signal, longest: int) -> Image.Image:
    """Three orthogonal sections through its middle, side by side."""
    planes: list[Image.Image] = []
    for _, section, aspect in sections(volume):
        plane = to_pillow(Signal(np.broadcast_to(np.moveaxis(section, -1, 0), (3, *section.shape[:2])).astype(np.float32)))
        planes.append(plane.resize((plane.width, max(1, round(plane.height * aspect)))))
    scale = (longest - 2 * _GAP) / sum(plane.width for plane in planes)
    planes = [plane.resize((max(1, int(plane.width * scale)), max(1, int(plane.height * scale)))) for plane in planes]
    picture = Image.new("RGB", (longest, max(plane.height for plane in planes)))
    left = 0
    for plane in planes:
        picture.paste(plane, (left, (picture.height - plane.height) // 2))
        left += plane.width + _GAP
    return picture


_PREVIEWS: dict[str, Callable[[Signal, int], Image.Image]] = {
    "image": _of_image,
    "series": _of_series,
    "sound": _of_sound,
    "volume": _of_volume,
}
