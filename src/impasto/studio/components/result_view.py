"""The result view: the painting, large, with a curtain to compare it with its content, and the curves of J below."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

import gradio as gr

from impasto.studio.components.component import component

_WIDTH, _HEIGHT = 1000, 120

EMPTY: dict[str, Any] = {
    "content": "",
    "picture": "",
    "caption": "",
    "about": "",
    "natural": 0,
    "hint": "Drop a photograph and a painting here.",
    "sheet": (),
    "sounds": (),
    "curves": "",
    "progress": 0.0,
    "busy": False,
}
"""What it shows before there is anything; every value has these keys."""


def result_view(first: Mapping[str, Any] = EMPTY) -> gr.HTML:
    """The component; its value is a dict like :data:`EMPTY`."""
    return component("result_view", first)


def data_uri(picture: bytes, format: str = "jpeg") -> str:
    """The picture as an address that needs no file."""
    return f"data:image/{format};base64,{base64.b64encode(picture).decode()}"


def curves(costs: Sequence[Mapping[str, float]], iterations: int) -> str:
    """J and its parts over the evaluations as SVG, on a logarithmic scale; the width is all ``iterations``.

    The lines are broken, and a faint one is drawn, where a new scale begins: there all costs jump.

    Args:
        costs: as :attr:`impasto.studio.history.Run.costs` has them.
        iterations: how many evaluations there will be.
    """
    names = [name for name in dict.fromkeys(name for row in costs for name in row) if name != "scale"]
    values = {row[name] for row in costs for name in names if _is_drawn(row.get(name, 0))}
    if len(costs) < 2 or not values:
        return ""
    # a step that failed can be a thousand times above the first; it leaves the picture at the top
    parts = [list(rows) for _, rows in groupby(enumerate(costs), key=lambda numbered: numbered[1].get("scale"))]
    ends = [row[name] for curve in parts for _, row in (curve[0], curve[-1]) for name in names if row.get(name) in values]
    low, high = math.log(min(values)), math.log(max(ends, default=min(values)))
    height = max(high - low, 1e-6)
    step = _WIDTH / max(iterations - 1, 1)
    begins = (step * (curve[0][0] - 0.5) for curve in parts[1:])
    lines = [f'<line class="scale" x1="{x:.1f}" x2="{x:.1f}" y1="-4" y2="{_HEIGHT + 4}"/>' for x in begins]
    for i, name in enumerate(names):
        for curve in parts:
            points = " ".join(
                f"{step * number:.1f},{_HEIGHT * (high - math.log(row[name])) / height:.1f}"
                for number, row in curve
                if _is_drawn(row.get(name, 0))
            )
            lines.append(f'<polyline class="line-{i}" points="{points}"><title>{escape(name)}</title></polyline>')
    told = [(i, name, costs[-1].get(name, math.nan)) for i, name in enumerate(names)]
    legend = "".join(
        f'<span class="key-{i}">{escape(name)} <b>{value:.3g}</b></span>' for i, name, value in told if math.isfinite(value)
    )
    return (
        f'<svg viewBox="0 -4 {_WIDTH} {_HEIGHT + 8}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(", ".join(names))} over the evaluations">{"".join(lines)}</svg><p>{legend}</p>'
    )


def _is_drawn(value: float) -> bool:
    """Whether a logarithmic scale has a place for it."""
    return value > 0 and math.isfinite(value)


def span(seconds: float) -> str:
    """A time as people say it, e.g. "40 s", "3 min", "2 h 10 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
