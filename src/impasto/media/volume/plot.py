"""Volumes and movies drawn for people: content, style and result side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from impasto.media.signal import Signal, roles
from impasto.media.volume.files import spacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# the anatomical sections, by the axis of right, front and top that they are across
_SECTIONS = ("sagittal", "coronal", "axial")
_FRAMES = 5


def plot_volume(content: Signal, styles: Sequence[Signal], result: Signal) -> Figure:
    """Three orthogonal sections through the middle of content, styles and result, upright where the file tells how."""
    columns = roles(content, styles) | {"result": result}
    figure, grid = _grid(3, len(columns), (2.8 * len(columns), 8.6))
    for column, (title, signal) in zip(grid.T, columns.items(), strict=True):
        if signal.kind == "image":
            _show(column[0], np.moveaxis(signal.values, 0, -1), title)
            for axes in column[1:]:
                axes.set_visible(False)
            continue
        for i, (axes, (name, section, aspect)) in enumerate(zip(column, sections(signal), strict=True)):
            _show(axes, section, title if i == 0 else "", aspect)
            if signal is content:
                axes.set_ylabel(name)
    return figure


def plot_movie(content: Signal, styles: Sequence[Signal], result: Signal) -> Figure:
    """Frames of the result below those of the content, and the styles in front."""
    chosen = np.unique(np.linspace(0, result.shape[0] - 1, _FRAMES).round().astype(int))
    _, height, width = result.shape
    in_front = ceil(len(styles) / 2)
    figure, grid = _grid(2, len(chosen) + in_front, (2.2 * (len(chosen) + in_front), 4.4 * height / width + 0.6))
    for axes, style in zip_longest(grid[:, :in_front].T.flat, styles):
        if style is None:
            axes.set_visible(False)
        else:
            _show(axes, np.moveaxis(style.values if style.kind == "image" else style.values[:, 0], 0, -1), "style")
    for column, i in enumerate(chosen, start=in_front):
        for row, (name, movie) in enumerate((("content", content), ("result", result))):
            _show(grid[row, column], np.moveaxis(movie.values[:, i], 0, -1), f"{name}, frame {i + 1}")
    return figure


def sections(volume: Signal) -> list[tuple[str, NDArray[Any], float]]:
    """Name, picture (height, width[, 3]) and height of a pixel over its width, of the sections through the middle."""
    values, steps = volume.values, spacing(volume)
    names = ["across axis 1", "across axis 2", "across axis 3"]
    upright = "affine" in volume.header
    if upright:
        # axes in the order right, front, top, each growing that way
        directions = volume.header["affine"][:3, :3] / np.array(steps)
        order = _closest_axes(directions)
        values = values.transpose(0, *(1 + axis for axis in order))
        backwards = [world for world, axis in enumerate(order) if directions[world, axis] < 0]
        values, steps = np.flip(values, tuple(1 + world for world in backwards)), tuple(steps[axis] for axis in order)
        names = list(_SECTIONS)
    rows = []
    for axis, name in enumerate(names):
        picture = np.take(values, values.shape[1 + axis] // 2, 1 + axis)
        down, across = (steps[other] for other in range(3) if other != axis)
        if upright:  # what lies on top is drawn at the top
            picture, down, across = np.flip(picture.swapaxes(1, 2), 1), across, down
        rows.append((name, np.moveaxis(picture, 0, -1), down / across))
    return rows


def _closest_axes(directions: NDArray[Any]) -> list[int]:
    """For right, front and top the axis of the volume that runs along it."""
    left, order = set(range(3)), [0, 0, 0]
    for world in np.argsort(-np.abs(directions).max(axis=1)):
        order[world] = max(left, key=lambda axis: abs(directions[world, axis]))
        left.remove(order[world])
    return order


def _grid(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, NDArray[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def _show(axes: Axes, picture: NDArray[Any], title: str, aspect: float = 1) -> None:
    grey = picture.shape[-1] == 1
    axes.imshow(picture[..., 0] if grey else picture, cmap="gray", vmin=0, vmax=1, aspect=aspect, interpolation="nearest")
    axes.set_title(title, fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_frame_on(False)
