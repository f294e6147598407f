"""Sounds as the network sees them when they are explored, and drawings of them."""

from __future__ import annotations

import numpy as np
from PIL import Image

from impasto.media.series.view import as_greys, draw_waves, strips
from impasto.media.signal import Signal
from impasto.media.sound.plot import spectrogram
from impasto.media.sound.read import loudness
from impasto.media.sound.write import resample_audio

_FEWEST_FOR_SPECTROGRAM = 128  # samples
_WINDOWS = 8  # at least, side by side in the spectrogram of a segment
_DECIBELS = 50
_MOST_SECONDS, _PREVIEWED_DECIBELS = 60, 70  # of a preview


def fit_sound(sound: Signal, rate: int | None) -> Signal:
    """The sound with a loudness of 1 and at most ``rate`` samples a second, (1, channels, samples) as grey values."""
    own = sound.header["rate"]
    values = resample_audio(sound.values, own, own if rate is None else min(own, rate))
    return as_greys(values / loudness(values), "sound")


def draw_sound(sound: Signal, size: tuple[int, int]) -> Image.Image:
    """The spectrogram over 50 dB, low frequencies at the bottom and loud ones dark; of a short segment the waveform."""
    channels, samples = sound.values.shape[1:]
    if samples < _FEWEST_FOR_SPECTROGRAM:
        return draw_waves(sound, size)
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    width, height = size
    # windows of at most 512 samples; for a long sound as many as there are pixels
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


def overview_sound(sound: Signal, longest: int) -> Image.Image:
    """The spectrograms of all channels below each other."""
    return draw_sound(sound, strips(sound, longest))


def preview_sound(sound: Signal, longest: int) -> Image.Image:
    """The spectrogram of the first minute, low frequencies at the bottom."""
    from matplotlib import colormaps

    _, _, levels = spectrogram(sound, _MOST_SECONDS)
    colours = colormaps["magma"]((1 + levels / _PREVIEWED_DECIBELS).clip(0, 1)[::-1])
    picture = Image.fromarray((255 * colours[..., :3]).astype(np.uint8))
    return picture.resize((longest, longest * 7 // 16), Image.Resampling.BICUBIC)
