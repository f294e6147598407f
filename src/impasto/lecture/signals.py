"""The parts of a lecture that are no pictures: a series, and a volume that is seen slice by slice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from impasto.descent.descend import Progress
from impasto.lecture.pictures import data_uri, sprite, uri_of
from impasto.lecture.scene import Scene
from impasto.media.image.read import over_white, resample_image, scaled_shape
from impasto.media.registry import medium_of
from impasto.media.signal import Signal, Values
from impasto.media.volume.plot import planes
from impasto.transfer.settings import TransferSettings

EVALUATIONS = {"series": 150, "volume": 60}
"""Of J, for a part of each kind."""
SERIES_BETA, VOLUME_BETA = 1000.0, 40.0
"""The style is stronger than usual, so that one sees it in a small drawing."""
SIDE = 32
"""Points along the longest side of a volume."""
_MOST_SAMPLES, _SECONDS, _FEWEST_SAMPLES = 1000, 10, 3000
_COLUMNS = 8
_STYLE, _LIVE = 256, 320  # pixels of the picture that was the style, and of G on the way


def own_series(scene: Scene, before: dict[str, Any]) -> dict[str, Any]:
    """The first lead of a series in the style of the first lead of another one."""
    scene = Scene(_first_lead(scene.content), _first_lead(scene.style), scene.watch, scene.cancel, scene.shortened)
    medium = medium_of("series")
    painting = scene.paint(TransferSettings(beta=SERIES_BETA, iterations=scene.count(EVALUATIONS["series"])), _live(scene))
    traces = medium.traces(scene.content) if medium.traces else ()
    about = {"names": ["the content", "the style"], "unit": traces[0].unit if traces else "", "beta": SERIES_BETA}
    return series_part(scene.content, scene.style, painting.signal, own=True, evaluations=len(painting.history), **about)


def own_volume(scene: Scene, before: dict[str, Any]) -> dict[str, Any]:
    """A volume in the style of a picture, or of another volume, by kernels of three dimensions."""
    iterations = scene.count(EVALUATIONS["volume"])
    settings = TransferSettings(size=SIDE, method="volume", iterations=iterations, beta=VOLUME_BETA)
    painting = scene.paint(settings, _live(scene))
    picture = scene.style.kind == "image"
    values = _small(scene.style) if picture else scene.style.values[:, scene.style.shape[0] // 2]
    about = {"title": "a volume", "beta": VOLUME_BETA, "evaluations": len(painting.history), "picture": picture}
    return volume_part(painting.signal.with_values(painting.content.values), values, painting.signal, **about)


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
        slices = {name: _slices(volume, axis) for name, volume in (("content", content), ("result", result))}
        count, height, width = slices["content"].shape
        sheets = {name: data_uri(sprite(tiles, _COLUMNS), 85) for name, tiles in slices.items()}
        axes.append({"count": count, "tile": [height, width], **sheets})
    return {**about, "axes": axes, "columns": _COLUMNS, "style": uri_of(style)}


def _live(scene: Scene) -> Any:
    """Tells of G as it is, drawn as its medium draws it."""
    preview = medium_of(scene.content.kind).preview

    def draw(painted: Callable[[], Signal]) -> str:
        return data_uri(preview(painted(), _LIVE)) if preview else ""

    def tell(progress: Progress) -> None:
        if progress.painted is not None:
            scene.watch(partial(draw, progress.painted))

    return tell


def _first_lead(series: Signal) -> Signal:
    """The first seconds of the first lead."""
    samples = max(_FEWEST_SAMPLES, round(_SECONDS * (series.header.get("rate") or 0)))
    header = {name: value[:1] if name in ("leads", "units") else value for name, value in series.header.items()}
    return Signal(series.values[:1, :samples], series.kind, header)


def _small(picture: Signal) -> Values:
    height, width = picture.shape
    return resample_image(over_white(picture), scaled_shape((height, width), min(_STYLE, max(height, width)))).values


def _lead(series: Signal) -> tuple[float, list[float]]:
    step = max(1, round(series.shape[0] / _MOST_SAMPLES))
    values = series.values[0]
    whole = values[: len(values) // step * step].reshape(-1, step).mean(1)
    return float(series.header.get("rate") or 1) / step, [float(f"{x:.4g}") for x in whole.tolist()]


def _slices(volume: Signal, axis: int) -> Any:
    if "affine" in volume.header:
        upright = planes(volume)[axis][1].mean(-1)
    else:
        upright = np.moveaxis(volume.values.mean(0), axis, 0).transpose(0, 2, 1)[:, ::-1]
    return (255 * upright.clip(0, 1)).round().astype(np.uint8)
