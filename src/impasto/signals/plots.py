"""Signals drawn for people: content, style and result beside or over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from impasto.signals.signal import Signal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CONTENT, _STYLE, _RESULT = "0.62", "#b5651d", "#0b5fa5"
_SECONDS, _MOST_SAMPLES = 10, 3000
_STYLE_OF_PLOT = {"axes.spines.top": False, "axes.spines.right": False, "font.size": 9, "axes.titlesize": 10}


def plot_series(content: Signal, style: Signal, result: Signal) -> Figure:
    """Per lead the result over the content, and the style on its own scale below: the first seconds, so that waves show."""
    import matplotlib
    from matplotlib.figure import Figure

    names = content.header.get("leads", [])
    leads = len(content.values)
    with matplotlib.rc_context(_STYLE_OF_PLOT):
        figure = Figure(figsize=(11, 1 + 2.6 * leads), layout="constrained")
        rows = figure.subplots(2 * leads, 1, squeeze=False, height_ratios=[3, 2] * leads)[:, 0]
        for i in range(leads):
            above, below = rows[2 * i], rows[2 * i + 1]
            _draw_lead(above, content, i, _CONTENT, 1.6, "content")
            _draw_lead(above, result, i, _RESULT, 1.0, "result")
            _draw_lead(below, style, i, _STYLE, 1.0, "style")
            above.set_title(str(names[i]) if i < len(names) else "", loc="left", fontweight="bold")
            for axes in (above, below):
                axes.legend(frameon=False, loc="upper right", ncols=2)
                axes.margins(x=0.005)
                axes.grid(alpha=0.25)
        rows[-1].set_xlabel("time in s" if content.header.get("rate") else "sample")
    return figure


def _draw_lead(axes: Axes, series: Signal, lead: int, colour: str, width: float, label: str) -> None:
    rate = series.header.get("rate") or 1.0
    shown = series.values[lead][: max(_MOST_SAMPLES, int(_SECONDS * rate))]
    axes.plot(np.arange(len(shown)) / rate, shown, color=colour, linewidth=width, label=label)
