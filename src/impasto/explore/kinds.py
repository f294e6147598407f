"""What the explorer knows of each kind of signal: how the network sees it, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from impasto.media.image.read import over_white, resample_image, scaled_shape
from impasto.media.image.write import ENDINGS, to_pillow
from impasto.media.series import files as series
from impasto.media.series.files import resample_series, without_drift
from impasto.media.signal import Signal, Values
from impasto.media.sound import read as audio
from impasto.media.volume import files as volume
from impasto.media.volume.files import resample_volume
from impasto.network.vgg19 import CONTRAST, GREY

_INK = (38, 34, 30)
_SHARPER = 3
_FEWEST_FOR_SPECTROGRAM = 128
_WINDOWS = 8  # side by side in the spectrogram of a segment
_DECIBELS = 50

Draw = Callable[[Signal, tuple[int, int]], Image.Image]


class Kind(NamedTuple):
    """What the explorer needs to know of a kind of signal.

    Attributes:
        dims: the axes along which the network looks: the last ones of the signal as it is seen. A first axis beyond them
            counts its leads or channels, each of which is seen alone.
        endings: of its files, as they are looked for in folders.
        fit: the signal as the network sees it, with a longest side of at most so many positions (None: as it is); of a
            series and a sound, with at most so many samples a second.
        draw: a field, cropped from what ``fit`` made, as a picture of (width, height) pixels.
        overview: all of what ``fit`` made as a picture whose longest side is at most so many pixels; its two axes are the
            last two of the signal.
        measure: what its positions are called.
        line: what a position on its first axis is called, if the network sees each alone.
    """

    dims: int
    endings: tuple[str, ...]
    fit: Callable[[Signal, int | None], Signal]
    draw: Draw
    overview: Callable[[Signal, int], Image.Image]
    measure: str
    line: str = ""


def noun(kind: str, count: int) -> str:
    """What so many signals of a kind are called."""
    return kind if count == 1 or kind.endswith("s") else f"{kind}s"


def _fit_image(picture: Signal, longest: int | None) -> Signal:
    picture = over_white(picture)
    if longest is None or max(picture.shape) <= longest:
        return picture
    return resample_image(picture, scaled_shape(picture.shape, longest))


def _fit_series(recording: Signal, rate: int | None) -> Signal:
    own = recording.header.get("rate")
    ratio = Fraction(min(1.0, rate / own)).limit_denominator(1000) if own and rate else Fraction(1)
    fast = without_drift(resample_series(recording.values, max(ratio, Fraction(1, 1000))))
    deviation = np.maximum(fast.std(-1, keepdims=True), np.finfo(np.float32).tiny)
    return _as_greys(fast / deviation, "series")


def _fit_sound(sound: Signal, rate: int | None) -> Signal:
    own = sound.header["rate"]
    values = audio.resample_audio(sound.values, own, own if rate is None else min(own, rate))
    return _as_greys(values / audio.loudness(values), "sound")


def _as_greys(z: np.ndarray, kind: str) -> Signal:
    """Leads or channels (n, samples) of deviation 1 as (1, n, samples)."""
    return Signal((GREY + CONTRAST * z[None]).astype(np.float32), kind)


def _fit_volume(voxels: Signal, longest: int | None) -> Signal:
    if longest is None or max(voxels.shape) <= longest:
        return voxels
    scale = longest / max(voxels.shape)
    return resample_volume(voxels, tuple(max(1, round(n * scale)) for n in voxels.shape))


def _draw_image(picture: Signal, size: tuple[int, int]) -> Image.Image:
    return _enlarged(to_pillow(Signal(picture.values)), size)


def _enlarged(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    # a field of few pixels is shown as pixels: smoothed, its colours would be invented
    few = max(picture.size) < max(size) / 4
    return picture.resize(size, Image.Resampling.NEAREST if few else Image.Resampling.LANCZOS)


def _draw_waves(recording: Signal, size: tuple[int, int]) -> Image.Image:
    """Each lead in a strip of its own, from its lowest to its highest value."""
    width, height = (_SHARPER * n for n in size)
    picture = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(picture)
    lines = recording.values[0]
    strip = height / len(lines)
    for i, line in enumerate(lines):
        low, high = float(line.min()), float(line.max())
        # a line that hardly moves is drawn so, and not enlarged until its noise fills the strip
        middle, span = (low + high) / 2, max(high - low, CONTRAST / 4)
        y = (i + 0.5 - 0.84 * (line - middle) / span) * strip
        x = (np.arange(len(line)) + 0.5) * width / len(line)
        pen.line(list(zip(x.tolist(), y.tolist(), strict=True)), _INK, max(3, min(width, round(strip)) // 60), "curve")
    return picture.resize(size, Image.Resampling.LANCZOS)


def _draw_sound(sound: Signal, size: tuple[int, int]) -> Image.Image:
    """A spectrogram, low frequencies below, from the loudest (dark) to 50 dB less; of a short segment the waveform."""
    channels, samples = sound.values.shape[1:]
    if samples < _FEWEST_FOR_SPECTROGRAM:
        return _draw_waves(sound, size)
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    width, height = size
    # of a long sound as many windows as there are pixels, of 512 samples at most
    window = min(512, 2 ** int(np.log2(samples / _WINDOWS)))
    hop = max(1, max(window // 8, samples // width))
    transform = ShortTimeFFT(hann(window), hop, 1.0)
    picture = Image.new("L", size)
    for i, line in enumerate(sound.values[0]):
        p0, p1 = transform.lower_border_end[1], transform.upper_border_begin(samples)[1]
        power = transform.spectrogram(line - line.mean(), p0=p0, p1=max(p1, p0 + 1))
        levels = 10 * np.log10(power + 1e-12)
        grey = 1 + (levels - levels.max()) / _DECIBELS
        strip = Image.fromarray((255 * (1 - grey.clip(0, 1)))[::-1].astype(np.uint8))
        top, bottom = round(i * height / channels), round((i + 1) * height / channels)
        picture.paste(strip.resize((width, max(1, bottom - top)), Image.Resampling.BICUBIC), (0, top))
    return picture.convert("RGB")


def _draw_section(cube: Signal, size: tuple[int, int]) -> Image.Image:
    """The middle section across the first axis."""
    return _draw_plane(cube.values[:, cube.shape[0] // 2], size)


def _draw_plane(plane: Values, size: tuple[int, int]) -> Image.Image:
    return _enlarged(to_pillow(Signal(np.broadcast_to(plane, (3, *plane.shape[1:])))), size)


def _scale_to(shape: tuple[int, ...], longest: int, enlarge: bool = False) -> tuple[int, int]:
    """(width, height) of the last two axes, with a longest side of at most so many pixels."""
    height, width = shape[-2:]
    scale = longest / max(height, width)
    scale = scale if enlarge else min(1.0, scale)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _strips(draw: Draw) -> Callable[[Signal, int], Image.Image]:
    def overview(recording: Signal, longest: int) -> Image.Image:
        return draw(recording, (longest, min(longest, max(2, longest // 5) * recording.shape[0])))

    return overview


KINDS: dict[str, Kind] = {
    "image": Kind(
        dims=2,
        endings=(*ENDINGS, ".gif", ".bmp"),
        fit=_fit_image,
        draw=_draw_image,
        overview=lambda picture, longest: _draw_image(picture, _scale_to(picture.shape, longest)),
        measure="pixels",
    ),
    "series": Kind(
        dims=1,
        # notes and licences are .txt as well
        endings=tuple(ending for ending in series.READABLE if ending not in (".txt", *series.CONVERTIBLE)),
        fit=_fit_series,
        draw=_draw_waves,
        overview=_strips(_draw_waves),
        measure="samples",
        line="lead",
    ),
    "sound": Kind(
        dims=1,
        endings=audio.READABLE,
        fit=_fit_sound,
        draw=_draw_sound,
        overview=_strips(_draw_sound),
        measure="samples",
        line="channel",
    ),
    "volume": Kind(
        dims=3,
        endings=volume.READABLE,
        fit=_fit_volume,
        draw=_draw_section,
        # seen through: a cube is outlined where it is, however deep it lies
        overview=lambda voxels, longest: _draw_plane(voxels.values.mean(1), _scale_to(voxels.shape, longest, enlarge=True)),
        measure="voxels",
    ),
}
