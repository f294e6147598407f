"""What each way to treat colours does to one's own pictures, before anything is painted.

Before and after the descent the colours are the library's; in place of the descent the content is laid of small patches of
the style, which takes a tenth of a second. That is no painting, but its colours are about those of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from impasto.media.image.colour import COLOURS, matched, matched_luminance
from impasto.media.image.read import over_white, read_image
from impasto.media.image.view import fit_image
from impasto.media.signal import Signal, Values
from impasto.studio.components.preview import preview_signal
from impasto.studio.components.result_view import data_uri
from impasto.studio.uploads import Upload

LONGEST = 128
"""Pixels on the longer side of a preview."""

_PATCH, _STEP = 7, 3  # pixels
_MOST = 2000  # patches of all styles


def colour_previews(content: Upload, styles: Sequence[Upload]) -> dict[str, str]:
    """The content in these styles, as a sketch and a data URI, for each value of the setting ``colour``.

    Raises:
        SignalError: a file cannot be read.
    """
    seen = thumbnail(content.path)
    pictures = [(thumbnail(style.path), style.weight) for style in styles]
    found: dict[str, str] = {}
    for name, colour in COLOURS.items():
        laid = lay([(colour.style(style, seen), weight) for style, weight in pictures], colour.content(seen))
        found[name] = data_uri(preview_signal(Signal(colour.result(laid, seen))))
    return found


@lru_cache(maxsize=32)
def thumbnail(path: Path) -> Values:
    """The picture in a file, (3, height, width) in 0..1, with at most :data:`LONGEST` pixels on its longer side.

    Raises:
        SignalError: it cannot be read.
    """
    return fit_image(over_white(read_image(path, LONGEST)), LONGEST).values


def lay(styles: Sequence[tuple[Values, float]], content: Values) -> Values:
    """The content laid of the patches of the styles that are nearest to it, once its colours are theirs.

    Args:
        styles: each S, (1 or 3, height, width) in 0..1, and its weight.
        content: C, with as many channels.
    """
    total = sum(weight for _, weight in styles)
    patches = np.concatenate([_patches_of(style, _MOST * weight / total) for style, weight in styles])
    wanted = _coloured_like(content, patches)
    margin = ((0, 0), (_PATCH, _PATCH), (_PATCH, _PATCH))
    windows = _windows(np.pad(wanted, margin, "edge"))[::_STEP, ::_STEP]
    rows, columns = windows.shape[:2]
    known, sought = patches.reshape(len(patches), -1), windows.reshape(rows * columns, -1)
    nearest = ((known**2).sum(1) - 2 * sought @ known.T).argmin(1).reshape(rows, columns)
    fading = np.outer(*2 * [np.hanning(_PATCH + 2)[1:-1]]).astype(np.float32)  # so that no edges of patches are seen
    laid = np.zeros_like(np.pad(wanted, margin))
    covered = np.full_like(laid[:1], 1e-6)
    for row, column in np.ndindex(rows, columns):
        here = np.s_[:, row * _STEP : row * _STEP + _PATCH, column * _STEP : column * _STEP + _PATCH]
        laid[here] += fading * patches[nearest[row, column]]
        covered[here] += fading
    inside = np.s_[:, _PATCH:-_PATCH, _PATCH:-_PATCH]
    return (laid[inside] / covered[inside]).astype(np.float32)


def _coloured_like(content: Values, patches: Values) -> Values:
    there = patches.swapaxes(0, 1).reshape(len(content), 1, -1)
    if len(content) == 3:
        return matched(content, there)
    return matched_luminance(np.repeat(content, 3, 0), np.repeat(there, 3, 0))


def _windows(picture: Values) -> Values:
    """All patches of a picture, (rows, columns, channels, height, width)."""
    return sliding_window_view(picture, (_PATCH, _PATCH), (1, 2)).transpose(1, 2, 0, 3, 4)


def _patches_of(style: Values, count: float) -> Values:
    margin = [(0, 0), *((0, max(0, _PATCH - n)) for n in style.shape[1:])]
    patches = _windows(np.pad(style, margin, "edge")).reshape(-1, len(style), _PATCH, _PATCH)
    return patches[:: max(1, round(len(patches) / max(1.0, count)))]
