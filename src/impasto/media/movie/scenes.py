"""The scenes of a movie: where it is cut, so that no stroke follows a motion that is none."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SettingsError
from impasto.files import optional_package
from impasto.media.movie.optical_flow import motion
from impasto.media.signal import Signal, Values

log = logging.getLogger("impasto")

Frames = tuple[int, int]
"""A scene: its first frame, and the one after its last."""
SCENE = "scene"
"""In the header of a movie: the scene of it that alone is painted, as :data:`Frames`."""

_SIDE = 64  # of the frames that are compared, in pixels
# at a cut the picture changes by this, in 0..1, and by so many times what it usually changes by around it
_CHANGE, _TIMES, _AROUND = 0.05, 3.0, 3
# and less than this share of it can be followed from one frame to the next
_FOLLOWED = 0.5
_TOLD = 8


def cuts_of(movie: Signal, given: str | Sequence[int]) -> tuple[int, ...]:
    """The frames with which a new scene begins, without the first; those that were found are told.

    Raises:
        SettingsError: the movie has no such frame.
    """
    count = movie.shape[0]
    if given == "none":
        return ()
    if not isinstance(given, str):
        if given[-1] >= count:
            raise SettingsError(f"cuts has frame {given[-1]}; the movie has {count}, from 0 to {count - 1}")
        return tuple(given)
    cuts = find_cuts(movie)
    if cuts:
        some = ", ".join(map(str, cuts[:_TOLD])) + ", ..." * (len(cuts) > _TOLD)
        told = "%d scenes are painted, each anew; they begin at the frames 0, %s (--cuts tells others, or none)"
        log.warning(told, len(cuts) + 1, some)
    return cuts


def scenes_of(cuts: Sequence[int], count: int) -> list[Frames]:
    """The first frame of each scene, and the one after its last."""
    return list(zip([0, *cuts], [*cuts, count], strict=True))


def find_cuts(movie: Signal) -> tuple[int, ...]:
    """The frames at which the picture changes suddenly, for longer than a flash, and not by motion."""
    frames = [_small(movie.values[:, i]) for i in range(movie.shape[0])]
    changes = np.array([0.0, *(_change(a, b) for a, b in pairwise(frames))])
    cuts: list[int] = []
    for i in np.flatnonzero(changes > _CHANGE).tolist():
        around = np.concatenate([changes[max(1, i - _AROUND) : i], changes[i + 1 : i + 1 + _AROUND]])
        if len(around) and changes[i] < _TIMES * np.median(around):
            continue
        # after a flash the picture is again what it was before
        across = [_change(frames[max(0, i - 2)], frames[i]), _change(frames[i - 1], frames[min(i + 1, len(frames) - 1)])]
        if min(across) > changes[i] / 2 and motion(frames[i - 1], frames[i]).visible.mean() < _FOLLOWED:
            cuts.append(i)
    return tuple(cuts)


def _small(frame: Values) -> NDArray[np.float32]:
    cv2: Any = optional_package("cv2", "the motion of a movie", "movies")
    scale = min(1.0, _SIDE / max(frame.shape[1:]))
    size = tuple(max(1, round(scale * n)) for n in reversed(frame.shape[1:]))
    rows = np.ascontiguousarray(frame.transpose(1, 2, 0))
    return np.ascontiguousarray(cv2.resize(rows, size, interpolation=cv2.INTER_AREA).transpose(2, 0, 1))


def _change(before: Values, after: Values) -> float:
    return float(np.abs(after - before).mean())
