"""The result view: the painting, large, with a curtain to compare it with its content, and the curves of J below."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import gradio as gr

from impasto.lecture import page
from impasto.studio.components.component import component

ABOUT_SCALES = ("scale", "size")
"""What stands in the costs of an evaluation and is no cost."""
_MOST_POINTS = 600  # of a curve

EMPTY: dict[str, Any] = {
    "content": "",
    "picture": "",
    "caption": "",
    "about": "",
    "natural": 0,
    "hint": "Drop a photograph and a painting here.",
    "sheet": (),
    "sounds": (),
    "curves": {},
    "figure": {},
    "progress": 0.0,
    "busy": False,
}
"""What it shows before there is anything; every value has these keys."""


def result_view(first: Mapping[str, Any] = EMPTY) -> gr.HTML:
    """The component; its value is a dict like :data:`EMPTY`."""
    return component("result_view", first, scripts=page.drawing())


def data_uri(picture: bytes, format: str = "jpeg") -> str:
    """The picture as an address that needs no file."""
    return f"data:image/{format};base64,{base64.b64encode(picture).decode()}"


def curves(costs: Sequence[Mapping[str, float]], iterations: int) -> dict[str, Any]:
    """J and its terms over the evaluations, by their names, as a chart takes them; empty while there is nothing to draw.

    Args:
        costs: as :attr:`impasto.studio.history.Run.costs` has them.
        iterations: how many evaluations there will be, the width of the chart.
    """
    names = [name for name in dict.fromkeys(name for row in costs for name in row) if name not in ABOUT_SCALES]
    values = [row[name] for row in costs for name in names if math.isfinite(row.get(name, math.nan))]
    if len(costs) < 2 or not any(values):
        return {}
    step = math.ceil(len(costs) / _MOST_POINTS)
    begins = [i for i, (a, b) in enumerate(pairwise(costs), 1) if a.get("scale") != b.get("scale")]
    shown = sorted({*range(0, len(costs), step), *begins, *(i - 1 for i in begins), len(costs) - 1})
    sizes = [_size(costs[i]) for i in (0, *begins)]
    return {
        "names": names,
        "rows": [[i + 1, *(_digits(costs[i].get(name)) for name in names)] for i in shown],
        "breaks": [{"at": i + 1, "label": size} for i, size in zip((0, *begins), sizes, strict=True)] if begins else [],
        "iterations": max(iterations, len(costs)),
        "log": min(values) >= 0,
        "said": _said(sizes) if begins else "",
    }


def _size(row: Mapping[str, float]) -> str:
    return f"size {row['size']:g}" if "size" in row else f"scale {row.get('scale', 1):g}"


def _said(sizes: Sequence[str]) -> str:
    """What the jumps between the scales are."""
    *first, last = (size.removeprefix("size ") for size in sizes)
    told = f"the sizes {', '.join(first)} and {last}" if sizes[0].startswith("size") else f"{len(sizes)} sizes"
    return f"It is painted at {told}, one after the other. At each J is measured anew, so the curves jump there."


def _digits(value: float | None) -> float | None:
    """The value with as many digits as are seen; None, which JSON knows, where there is none."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.4g}")


def span(seconds: float) -> str:
    """A time as people say it, e.g. "40 s", "3 min", "2 h 10 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
