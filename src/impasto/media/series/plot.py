"""Figures of series: the result over the content, and the styles below."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from impasto.media.figures import plain_look
from impasto.media.medium import Trace
from impasto.media.signal import Signal, roles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CONTENT, _RESULT = "0.62", "#0b5fa5"
_STYLES = ("#b5651d", "#6b7f2a", "#8a4b78")
_SECONDS, _MOST_SAMPLES = 10, 3000
_UNIT = re.compile(r"(.*?)\s*[(\[]\s*([^()\[\]]{1,12}?)\s*[)\]]\s*")


def plot_series(content: Signal, styles: Sequence[Signal], result: Signal) -> Figure:
    """For each lead, the first seconds of the result over the content, and below them the styles on their own scale."""
    from matplotlib.figure import Figure

    leads, titles = len(content.values), trace_series(content)
    figure = Figure(figsize=(11, 1 + 2.6 * leads), layout="constrained")
    rows = figure.subplots(2 * leads, 1, squeeze=False, sharex=True, height_ratios=[3, 2] * leads)[:, 0]
    for i in range(leads):
        above, below = rows[2 * i], rows[2 * i + 1]
        _draw_lead(above, content, i, _CONTENT, 1.6, "content")
        _draw_lead(above, result, i, _RESULT, 1.0, "result")
        for (role, style), colour in zip([*roles(content, styles).items()][1:], cycle(_STYLES), strict=False):
            _draw_lead(below, style, i, colour, 1.0, role)
        above.set_title(" in ".join(filter(None, titles[i][:2])), loc="left", fontweight="bold")
        for axes in (above, below):
            axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 0.97), ncols=2)
            axes.grid(alpha=0.25)
    rows[0].set_xlim(0, _shown(content))
    rows[-1].set_xlabel("time in s" if content.header.get("rate") else "sample")
    return plain_look(figure)


def trace_series(series: Signal) -> list[Trace]:
    """The first seconds of each lead, in the file's unit if that is known."""
    rate = series.header.get("rate")
    shown = round(_shown(series) * (rate or 1.0))
    names, units = (_of_leads(series, what) for what in ("leads", "units"))
    leads = zip(names, units, series.values, strict=True)
    return [Trace(*_name_and_unit(name, unit), lead[:shown], rate) for name, unit, lead in leads]


def _of_leads(series: Signal, what: str) -> Sequence[str]:
    """What the header has of each lead; of a part of them it may have that of all."""
    found, leads = series.header.get(what, ()), len(series.values)
    return found if len(found) == leads else [""] * leads


def _name_and_unit(name: str, unit: str) -> tuple[str, str]:
    """Those of a lead; many tables write the unit into the name: "II (mV)"."""
    told = _UNIT.fullmatch(name)
    return (told[1], told[2]) if told and not unit else (name, unit)


def _shown(series: Signal) -> float:
    """How much of a series is drawn, in seconds or samples."""
    rate = series.header.get("rate") or 1.0
    return min(series.shape[0], max(_MOST_SAMPLES, int(_SECONDS * rate))) / rate


def _draw_lead(axes: Axes, series: Signal, lead: int, colour: str, width: float, label: str) -> None:
    rate = series.header.get("rate") or 1.0
    shown = series.values[lead][: round(_shown(series) * rate)]
    axes.plot(np.arange(len(shown)) / rate, shown, color=colour, linewidth=width, label=label)
