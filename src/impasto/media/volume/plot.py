"""Figures of volumes: sections through content, styles and result side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from impasto.media.figures import grid_of, show_picture
from impasto.media.signal import Signal, roles
from impasto.media.volume.files import spacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# the sections across the axes that point to the right, the front and the top of a patient
_SECTIONS = ("sagittal", "coronal", "axial")


def plot_volume(content: Signal, styles: Sequence[Signal], result: Signal) -> Figure:
    """Three orthogonal sections through the middle of content, styles and result, upright if the file tells how."""
    columns = roles(content, styles) | {"result": result}
    figure, grid = grid_of(3, len(columns), (2.8 * len(columns), 8.6))
    for column, (title, signal) in zip(grid.T, columns.items(), strict=True):
        if len(signal.shape) == 2:
            show_picture(column[0], np.moveaxis(signal.values, 0, -1), title)
            for axes in column[1:]:
                axes.set_visible(False)
            continue
        for i, (axes, (name, section, aspect)) in enumerate(zip(column, sections(signal), strict=True)):
            show_picture(axes, section, title if i == 0 else "", aspect)
            if signal is content:
                axes.set_ylabel(name)
    return figure


def sections(volume: Signal) -> list[tuple[str, NDArray[Any], float]]:
    """Name, picture (height, width, 1 or 3), and height of a pixel over its width, of three sections through the middle."""
    return [(name, stack[len(stack) // 2], aspect) for name, stack, aspect in planes(volume)]


def planes(volume: Signal) -> list[tuple[str, NDArray[Any], float]]:
    """Name, slices (count, height, width, channels), and height of a pixel over its width, across each axis."""
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
        stack = np.moveaxis(np.moveaxis(values, 0, -1), axis, 0)
        down, across = (steps[other] for other in range(3) if other != axis)
        if upright:  # the top of the patient is drawn at the top
            stack, down, across = np.flip(stack.swapaxes(1, 2), 1), across, down
        rows.append((name, stack, down / across))
    return rows


def _closest_axes(directions: NDArray[Any]) -> list[int]:
    """For right, front and top the axis of the volume that runs along it."""
    remaining, order = set(range(3)), [0, 0, 0]
    for world in np.argsort(-np.abs(directions).max(axis=1)):
        order[world] = max(remaining, key=lambda axis: abs(directions[world, axis]))
        remaining.remove(order[world])
    return order
