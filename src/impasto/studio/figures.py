"""What of a signal a picture cannot show: its lines over those of the content, and its slices one by one."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.lecture.pictures import sprite
from impasto.media.medium import Stack, Trace
from impasto.media.registry import medium_of
from impasto.media.signal import Signal

Keep = Callable[[str, bytes], None]
"""Keeps a file that a figure is made of, by its name."""

_MOST_POINTS, _POINTS = 1500, 12_000  # of a line, and of all lines of a signal
_LONGEST = 192  # slices across an axis, and pixels of their sides


def figure_of(content: Signal, result: Signal, keep: Keep, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The figure of a result beside its content, as JSON; empty of what is a picture.

    Args:
        content: what is painted.
        result: what it has become.
        keep: called with the sheets of slices, which are too large for JSON.
        before: the figure of an earlier result, of whose content nothing need be drawn again.
    """
    medium = medium_of(content.kind)
    if medium.traces is not None:
        lines = {"content": medium.traces(content), "result": medium.traces(result)}
        return {"traces": _panels(lines, content.shape[-1]), "alone": medium.lines}
    if medium.stacks is not None:
        axes = list((before or {}).get("slices", ())) or [
            {"name": stack.name, "count": stack.whole, "content": _sheet(stack, f"slices-content-{i}.jpg", keep)}
            for i, stack in enumerate(medium.stacks(content, _LONGEST))
        ]
        sheets = [_sheet(stack, f"slices-result-{i}.jpg", keep) for i, stack in enumerate(medium.stacks(result, _LONGEST))]
        return {"slices": [{**axis, "result": sheet} for axis, sheet in zip(axes, sheets, strict=True)]}
    return {}


def _panels(lines: dict[str, Sequence[Trace]], samples: int) -> dict[str, Any]:
    content = lines["content"]
    most = min(_MOST_POINTS, _POINTS // len(content))
    rate = content[0].rate
    shown = len(content[0].values)
    unit = "s" if rate else "samples"
    first, whole = (f"{count / (rate or 1):.4g}" for count in (shown, samples))
    return {
        "x": "time in s" if rate else "sample",
        "length": shown / (rate or 1),
        "said": f"the first {first} of {whole} {unit}" if shown < samples else "",
        "panels": [
            {"name": trace.name, "unit": trace.unit, **{role: _thinned(of[i], most) for role, of in lines.items()}}
            for i, trace in enumerate(content)
        ],
    }


def _thinned(trace: Trace, most: int) -> dict[str, Any]:
    """The values with which a line of few points looks like one of many: the lowest and the highest of each stretch."""
    values, rate = np.asarray(trace.values, np.float64), trace.rate or 1.0
    if len(values) > most:
        step = math.ceil(2 * len(values) / most)
        stretches = np.pad(values, (0, -len(values) % step), mode="edge").reshape(-1, step)
        lows, highs = stretches.argmin(1), stretches.argmax(1)
        order = np.sort(np.stack([lows, highs], 1), axis=1)
        values, rate = np.take_along_axis(stretches, order, 1).ravel(), 2 * rate / step
    return {"rate": rate, "values": [float(f"{value:.4g}") for value in values.tolist()]}


def _sheet(stack: Stack, file: str, keep: Keep) -> dict[str, Any]:
    """Where each slice is on the sheet of all of them, which is kept."""
    count, height, width, _ = stack.values.shape
    columns = max(1, round(math.sqrt(count * height / width)))
    keep(file, _jpeg(stack.values, columns))
    return {
        "file": file,
        "count": count,
        "columns": columns,
        "tile": [height, width],
        "aspect": height * stack.aspect / width,
    }


def _jpeg(slices: NDArray[Any], columns: int) -> bytes:
    tiles = (255 * slices.clip(0, 1)).round().astype(np.uint8)
    buffer = io.BytesIO()
    sheet: Image.Image = sprite(tiles[..., 0] if tiles.shape[-1] == 1 else tiles, columns)
    sheet.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
