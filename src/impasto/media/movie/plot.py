"""Figures of movies: frames of the result below those of the content, and the styles on the left."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from impasto.media.figures import grid_of, show_picture
from impasto.media.signal import Signal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FRAMES = 5


def plot_movie(content: Signal, styles: Sequence[Signal], result: Signal) -> Figure:
    """Five frames of the result below those of the content, and the styles on the left."""
    chosen = np.unique(np.linspace(0, result.shape[0] - 1, _FRAMES).round().astype(int))
    _, height, width = result.shape
    in_front = ceil(len(styles) / 2)
    figure, grid = grid_of(2, len(chosen) + in_front, (2.2 * (len(chosen) + in_front), 4.4 * height / width + 0.6))
    for axes, style in zip_longest(grid[:, :in_front].T.flat, styles):
        if style is None:
            axes.set_visible(False)
        else:
            show_picture(axes, np.moveaxis(style.values if len(style.shape) == 2 else style.values[:, 0], 0, -1), "style")
    for column, i in enumerate(chosen, start=in_front):
        for row, (name, movie) in enumerate((("content", content), ("result", result))):
            show_picture(grid[row, column], np.moveaxis(movie.values[:, i], 0, -1), f"{name}, frame {i + 1}")
    return figure
