"""Series as the network sees them when they are explored, and drawings of them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from PIL import Image, ImageDraw

from impasto.media.series.files import resample_series, without_drift
from impasto.media.signal import Signal
from impasto.networks.convnet import CONTRAST, GREY

_INK = (38, 34, 30)
_SHARPER = 3  # lines are drawn this many times larger, and made smaller
_SECONDS, _FEWEST_SAMPLES, _MOST_LEADS = 10, 1500, 12  # of a preview


def fit_series(recording: Signal, rate: int | None) -> Signal:
    """The series without slow drift, with at most ``rate`` samples a second, (1, leads, samples) as grey values."""
    own = recording.header.get("rate")
    ratio = Fraction(min(1.0, rate / own)).limit_denominator(1000) if own and rate else Fraction(1)
    fast = without_drift(resample_series(recording.values, max(ratio, Fraction(1, 1000))))
    deviation = np.maximum(fast.std(-1, keepdims=True), np.finfo(np.float32).tiny)
    return as_greys(fast / deviation, "series")


def as_greys(z: np.ndarray, kind: str) -> Signal:
    """Leads or channels (n, samples) of deviation 1 as grey values (1, n, samples)."""
    return Signal((GREY + CONTRAST * z[None]).astype(np.float32), kind)


def draw_waves(recording: Signal, size: tuple[int, int]) -> Image.Image:
    """Each lead in a strip of its own, from its lowest to its highest value."""
    width, height = (_SHARPER * n for n in size)
    picture = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(picture)
    lines = recording.values[0]
    strip = height / len(lines)
    for i, line in enumerate(lines):
        low, high = float(line.min()), float(line.max())
        # a nearly constant line is not enlarged until its noise fills the strip
        middle, span = (low + high) / 2, max(high - low, CONTRAST / 4)
        y = (i + 0.5 - 0.84 * (line - middle) / span) * strip
        x = (np.arange(len(line)) + 0.5) * width / len(line)
        pen.line(list(zip(x.tolist(), y.tolist(), strict=True)), _INK, max(3, min(width, round(strip)) // 60), "curve")
    return picture.resize(size, Image.Resampling.LANCZOS)


def overview_series(recording: Signal, longest: int) -> Image.Image:
    """All leads below each other."""
    return draw_waves(recording, strips(recording, longest))


def strips(recording: Signal, longest: int) -> tuple[int, int]:
    """(width, height) in pixels of a picture of all leads or channels below each other."""
    return longest, min(longest, max(2, longest // 5) * recording.shape[0])


def preview_series(series: Signal, longest: int) -> Image.Image:
    """The first seconds, each lead in a strip of its own."""
    samples = max(_FEWEST_SAMPLES, round(_SECONDS * (series.header.get("rate") or 0)))
    begun = series.with_values(series.values[:_MOST_LEADS, :samples])
    height = longest * min(10, 2 + 2 * len(begun.values)) // 16
    return draw_waves(fit_series(begun, None), (longest, height))
