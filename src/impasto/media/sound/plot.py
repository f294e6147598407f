"""Signals drawn for people: content, style and result beside or over each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from impasto.media.signal import Signal, roles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CONTENT, _RESULT = "0.62", "#0b5fa5"
_STYLES = ("#b5651d", "#6b7f2a", "#8a4b78")
_SECONDS, _MOST_SAMPLES = 10, 3000  # of a series
_MOST_SECONDS = 30  # of a sound
_BANDS, _DECIBELS, _LOWEST = 96, 70, 40.0
_POINTS = 9  # of letters


def plot_series(content: Signal, styles: Sequence[Signal], result: Signal) -> Figure:
    """Per lead the result over the content, and the styles on their own scale below: of the first seconds."""
    from matplotlib.figure import Figure

    names = content.header.get("leads", [])
    leads = len(content.values)
    figure = Figure(figsize=(11, 1 + 2.6 * leads), layout="constrained")
    rows = figure.subplots(2 * leads, 1, squeeze=False, sharex=True, height_ratios=[3, 2] * leads)[:, 0]
    for i in range(leads):
        above, below = rows[2 * i], rows[2 * i + 1]
        _draw_lead(above, content, i, _CONTENT, 1.6, "content")
        _draw_lead(above, result, i, _RESULT, 1.0, "result")
        for (role, style), colour in zip([*roles(content, styles).items()][1:], cycle(_STYLES), strict=False):
            _draw_lead(below, style, i, colour, 1.0, role)
        above.set_title(str(names[i]) if i < len(names) else "", loc="left", fontweight="bold")
        for axes in (above, below):
            axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 0.97), ncols=2)
            axes.grid(alpha=0.25)
    rows[0].set_xlim(0, _shown(content))
    rows[-1].set_xlabel("time in s" if content.header.get("rate") else "sample")
    return plain_look(figure)


def plot_sounds(content: Signal, styles: Sequence[Signal], result: Signal) -> Figure:
    """The spectrograms of all below each other, in decibels below the loudest: what is heard, and when."""
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


def plain_look(figure: Figure) -> Figure:
    """The figure with small letters, and without frames above and to the right of its curves.

    Matplotlib's own settings for that are of the whole process.
    """
    from matplotlib.text import Text

    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(which="both", labelsize=_POINTS)
    for text in figure.findobj(Text):
        text.set_fontsize(_POINTS)  # pyright: ignore[reportAttributeAccessIssue]
    return figure


def spectrogram(sound: Signal, seconds: float) -> tuple[Any, Any, Any]:
    """Times (n,), frequencies (m,) evenly spaced to the ear, and levels (m, n) in decibels below the loudest."""
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


def _shown(series: Signal) -> float:
    """How much of a series is drawn, in seconds or samples."""
    rate = series.header.get("rate") or 1.0
    return min(series.shape[0], max(_MOST_SAMPLES, int(_SECONDS * rate))) / rate


def _draw_lead(axes: Axes, series: Signal, lead: int, colour: str, width: float, label: str) -> None:
    rate = series.header.get("rate") or 1.0
    shown = series.values[lead][: round(_shown(series) * rate)]
    axes.plot(np.arange(len(shown)) / rate, shown, color=colour, linewidth=width, label=label)
