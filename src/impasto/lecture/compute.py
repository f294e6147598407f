"""A lecture is computed: part after part, so that what is there stays whatever becomes of the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import NamedTuple

from impasto.errors import SettingsError
from impasto.lecture.descents import (
    ALL,
    BOTH,
    CONTENT_LAYERS,
    ONE,
    PLAIN,
    RATIOS,
    Figures,
    balance_part,
    content_part,
    descent_part,
    layers_part,
)
from impasto.lecture.lecture import Lecture
from impasto.lecture.matrices import matrices_part
from impasto.lecture.pictures import uri_of
from impasto.lecture.scene import LAYERS, LectureStopped, Scene
from impasto.media.read_write import find_medium, read_signal
from impasto.media.registry import medium_of
from impasto.media.signal import Signal

SIZE = 128
"""Pixels of the longer side of every picture, unless one says otherwise."""


class _Part(NamedTuple):
    compute: Callable[[Scene, Figures], Figures]
    evaluations: int


def _pictures_part(scene: Scene, before: Figures) -> Figures:
    return {"content": uri_of(scene.content.values, 88), "style": uri_of(scene.style.values, 88)}


_PARTS: Mapping[str, _Part] = {
    "pictures": _Part(_pictures_part, 0),
    "content": _Part(content_part, ONE * len(CONTENT_LAYERS)),
    "layers": _Part(layers_part, ONE * len(LAYERS) + ALL + 1),
    "balance": _Part(balance_part, BOTH * len(RATIOS) + 1),
    "matrices": _Part(matrices_part, 0),
    "descent": _Part(descent_part, PLAIN),
}

PARTS = tuple(_PARTS)
"""What is computed with a content and a style, in this order."""


@dataclass(frozen=True)
class LectureProgress:
    """How far a lecture is.

    Attributes:
        lecture: the parts that are there.
        part: the name of the one at work; "" at the end.
        share: how much of all is done, 0..1.
        seconds_left: until the end; None before that can be told.
        draw: draws G as it is now, as a data URI; None where nothing is painted.
    """

    lecture: Lecture
    part: str
    share: float
    seconds_left: float | None = None
    draw: Callable[[], str] | None = None


def compute_lecture(
    content: Signal | str | Path,
    style: Signal | str | Path,
    *,
    names: tuple[str, str] = ("content", "style"),
    begun: Lecture | None = None,
    size: int = SIZE,
    on_progress: Callable[[LectureProgress], None] | None = None,
    cancel: Event | None = None,
    shortened: int = 0,
) -> Lecture:
    """The figures of a lecture, computed with two pictures; every descent starts from the same noise.

    Args:
        content: a picture.
        style: a picture.
        names: of content and style.
        begun: a lecture of these pictures, of which only what is missing is computed.
        size: pixels of the longer side.
        on_progress: called after each part and each evaluation.
        cancel: once it is set, from wherever, the lecture is returned with the parts that are whole.
        shortened: at most so many evaluations a descent, to try it; 0: as many as there should be.

    Raises:
        SettingsError: one of the two is no picture.
        ImpastoError: it cannot be read, or is too small.
    """
    lecture = begun or Lecture(*names)
    left = [name for name in PARTS if name not in lecture.parts]
    whole = sum(_PARTS[name].evaluations for name in PARTS)
    done = whole - sum(_PARTS[name].evaluations for name in left)
    began, first = time.monotonic(), done
    working = ""

    def tell(draw: Callable[[], str] | None = None) -> None:
        if on_progress is None:
            return
        seconds = (time.monotonic() - began) * (whole - done) / (done - first) if done > first else None
        on_progress(LectureProgress(lecture, working, min(done / whole, 1.0), seconds, draw))

    def watch(draw: Callable[[], str]) -> None:
        nonlocal done
        done += 1
        tell(draw)

    cancel = cancel or Event()
    scene = Scene.of(_picture(content), _picture(style), size, watch=watch, cancel=cancel, shortened=shortened)
    for name in left:
        working, target = name, done + _PARTS[name].evaluations
        tell()
        try:
            figures = _PARTS[name].compute(scene, dict(lecture.parts))
        except LectureStopped:
            return lecture
        lecture, done = lecture.with_part(name, figures), target
        if cancel.is_set() and name != left[-1]:
            return lecture
    working = ""
    tell()
    return lecture


def _picture(source: Signal | str | Path) -> Signal:
    medium = find_medium(source)
    if not medium.is_picture:
        given = medium_of(source.kind).noun if isinstance(source, Signal) else f"{source} is {medium.noun}"
        raise SettingsError(f"{given}; a lecture is given with pictures")
    return source if isinstance(source, Signal) else read_signal(source)
