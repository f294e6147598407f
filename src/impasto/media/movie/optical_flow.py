"""Optical flow: where the content of each pixel of a frame was in the frame before."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.files import optional_package
from impasto.media.signal import Signal, Values

# if the flows forth and back differ by more, something was hidden before: Sundaram, Brox and Keutzer, "Dense Point
# Trajectories by GPU-accelerated Large Displacement Optical Flow" (2010), equation 5
_SLACK, _OF_LENGTH = 0.5, 0.01
_SMALLEST = 16  # sides of frames, in pixels


class Motion(NamedTuple):
    """The motion from one frame to the next.

    Attributes:
        origin: for each pixel of the later frame its place (x, y) in the earlier one, (height, width, 2), in pixels.
        visible: whether that place shows the same thing, (height, width); False if it was hidden or outside of the frame.
    """

    origin: NDArray[np.float32]
    visible: NDArray[np.bool_]

    def moved(self, values: Values) -> Values:
        """Values (channels, height, width) of the earlier frame, moved to their places in the later one."""
        return _sampled(values, self.origin)


def motion(before: Values, after: Values) -> Motion:
    """The motion between two frames (3, height, width) with values in 0..1.

    By dense inverse search (Kroeger et al. 2016, arXiv:1603.03590) in both directions, as implemented in OpenCV.

    Raises:
        SignalError: OpenCV is not installed.
    """
    height, width = before.shape[1:]
    back, forth = _flow(after, before), _flow(before, after)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    origin = np.stack([columns, rows], -1) + back
    there = _sampled(np.ascontiguousarray(forth.transpose(2, 0, 1)), origin).transpose(1, 2, 0)
    lengths = (back**2).sum(-1) + (there**2).sum(-1)
    consistent = ((back + there) ** 2).sum(-1) <= _OF_LENGTH * lengths + _SLACK
    inside = ((origin >= 0) & (origin <= (width - 1, height - 1))).all(-1)
    return Motion(origin, consistent & inside)


def flicker(content: Signal, result: Signal) -> float:
    """How much more the result changes from frame to frame than the content does, along the content's motion.

    The mean absolute difference between each frame and the frame before, moved, where both show the same thing; less that of
    the content; in levels of 0..255, and at least 0. Both movies have the same shape (3, time, height, width).

    Raises:
        SignalError: OpenCV is not installed.
    """
    beyond = []
    for i in range(1, result.shape[0]):
        path = motion(content.values[:, i - 1], content.values[:, i])
        own, found = (
            np.abs(movie.values[:, i] - path.moved(movie.values[:, i - 1]))[:, path.visible] for movie in (content, result)
        )
        if found.size:
            beyond.append(float(found.mean() - own.mean()))
    return 255 * max(0.0, float(np.mean(beyond))) if beyond else 0.0


def _flow(start: Values, end: Values) -> NDArray[np.float32]:
    cv2: Any = optional_package("cv2", "the motion of a movie", "movies")
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    grey = [cv2.cvtColor(np.ascontiguousarray(_levels(frame)), cv2.COLOR_RGB2GRAY) for frame in (start, end)]
    height, width = grey[0].shape
    # frames must not be smaller than its patches
    below, beside = max(0, _SMALLEST - height), max(0, _SMALLEST - width)
    grey = [cv2.copyMakeBorder(frame, 0, below, 0, beside, cv2.BORDER_REPLICATE) for frame in grey]
    return np.nan_to_num(search.calc(*grey, None)[:height, :width])


def _levels(frame: Values) -> NDArray[np.uint8]:
    return (255 * frame.clip(0, 1)).round().astype(np.uint8).transpose(1, 2, 0)


def _sampled(values: Values, places: NDArray[np.float32]) -> Values:
    """Values (at most 4 channels, height, width) at finite places (x, y); mirrored beyond the border."""
    cv2: Any = optional_package("cv2", "the motion of a movie", "movies")
    rows = np.ascontiguousarray(values.transpose(1, 2, 0))
    # OpenCV 5.0 loops for ever if it is to mirror a single row or column
    border = cv2.BORDER_REFLECT_101 if min(rows.shape[:2]) > 1 else cv2.BORDER_REPLICATE
    found = cv2.remap(rows, places, None, cv2.INTER_CUBIC, borderMode=border)
    return np.ascontiguousarray(found.reshape(rows.shape).transpose(2, 0, 1))
