"""Figures of sounds: the spectrograms of content, styles and result below each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from impasto.media.figures import plain_look
from impasto.media.medium import Trace
from impasto.media.signal import Signal, roles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_SECONDS, _MOST_TRACED = 30, 60
_BANDS, _DECIBELS, _LOWEST = 96, 70, 40.0


def plot_sounds(content: Signal, styles: Sequence[Signal], result: Signal) -> Figure:
    """The spectrograms of the first seconds of all sounds, in decibels below the loudest."""
    from matplotlib.figure import Figure

    sounds = roles(content, styles) | {"result": result}
    figure = Figure(figsize=(11, 2.7 * len(sounds)), layout="constrained")
    rows = figure.subplots(len(sounds), 1, sharex=True, sharey=True)
    pictures = []
    for axes, (name, sound) in zip(rows, sounds.items(), strict=True):
        times, bands, levels = spectrogram(sound, _MOST_SECONDS)
        pictures.append(axes.pcolormesh(times, bands, levels, cmap="magma", vmin=-_DECIBELS, vmax=0, rasterized=True))
        axes.set_title(name, loc="left", fontweight="bold")
        axes.set_ylabel("frequency in Hz")
    rows[0].set(yscale="log", ylim=(_LOWEST, content.header["rate"] / 2))
    rows[0].set_xlim(0, min(_MOST_SECONDS, content.shape[0] / content.header["rate"]))
    rows[0].yaxis.set_major_formatter("{x:g}")
    rows[-1].set_xlabel("time in s")
    figure.colorbar(pictures[-1], ax=rows, label="level in dB", pad=0.01)
    return plain_look(figure)


def trace_sound(sound: Signal) -> list[Trace]:
    """The wave of the first minute, channel by channel."""
    rate, channels = sound.header["rate"], len(sound.values)
    names = {1: [""], 2: ["left", "right"]}.get(channels) or [f"channel {i + 1}" for i in range(channels)]
    waves = sound.values[:, : int(_MOST_TRACED * rate)]
    return [Trace(name, "amplitude", wave, rate) for name, wave in zip(names, waves, strict=True)]


def spectrogram(sound: Signal, seconds: float) -> tuple[Any, Any, Any]:
    """Times (n,) in s, logarithmically spaced frequencies (m,) in Hz, and levels (m, n) in dB below the loudest."""
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    rate = sound.header["rate"]
    values = sound.values.mean(0)[: int(seconds * rate)]
    window = 2 ** round(np.log2(0.046 * rate))
    transform = ShortTimeFFT(hann(window), hop=window // 4, fs=rate)
    power = transform.spectrogram(np.pad(values, (0, max(0, window - len(values)))))
    bands = np.geomspace(_LOWEST, rate / 2, _BANDS)
    # between bins the level is interpolated: below 500 Hz the bands are narrower than the bins
    levels = np.stack([np.interp(bands, transform.f, column) for column in 10 * np.log10(power.T + 1e-20)], axis=1)
    return transform.t(len(values))[: levels.shape[1]], bands, levels - levels.max()
