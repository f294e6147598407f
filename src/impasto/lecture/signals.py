"""The parts of a lecture that are no pictures: a series, and a volume that is seen slice by slice."""

from __future__ import annotations

from typing import Any

import numpy as np

from impasto.lecture.pictures import data_uri, sprite, uri_of
from impasto.media.signal import Signal, Values

_MOST_SAMPLES = 1000
_COLUMNS = 8


def series_part(content: Signal, style: Signal, result: Signal, **about: Any) -> dict[str, Any]:
    """The first lead of three series, in time; ``about`` (``names``, ``unit``, ``beta``) is told as it is."""
    return {
        **about,
        "signals": {
            name: {"rate": rate, "values": values}
            for name, (rate, values) in {
                "content": _lead(content), "style": _lead(style), "result": _lead(result)
            }.items()
        },
    }  # fmt: skip


def volume_part(content: Signal, style: Values, result: Signal, **about: Any) -> dict[str, Any]:
    """Content and result as sheets of slices along each axis, and the picture (3, height, width) that was the style."""
    axes = []
    for axis in range(3):
        slices = {name: _slices(volume.values[0], axis) for name, volume in (("content", content), ("result", result))}
        count, height, width = slices["content"].shape
        sheets = {name: data_uri(sprite(tiles, _COLUMNS), 85) for name, tiles in slices.items()}
        axes.append({"count": count, "tile": [height, width], **sheets})
    return {**about, "axes": axes, "columns": _COLUMNS, "style": uri_of(style)}


def _lead(series: Signal) -> tuple[float, list[float]]:
    step = max(1, round(series.shape[0] / _MOST_SAMPLES))
    values = series.values[0]
    whole = values[: len(values) // step * step].reshape(-1, step).mean(1)
    return float(series.header["rate"]) / step, [float(f"{x:.4g}") for x in whole.tolist()]


def _slices(values: Values, axis: int) -> Any:
    upright = np.moveaxis(values, axis, 0).transpose(0, 2, 1)[:, ::-1]
    return (255 * upright.clip(0, 1)).round().astype(np.uint8)
