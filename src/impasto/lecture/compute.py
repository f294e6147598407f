"""A lecture is computed: part after part, so that what is there stays whatever becomes of the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

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
from impasto.lecture.signals import EVALUATIONS, own_series, own_volume
from impasto.media.read_write import find_medium, read_signal
from impasto.media.signal import Signal

_TAKEN = "pictures, and one part of it with series or volumes"
SIZE = 128
"""Pixels of the longer side of every picture, unless one says otherwise."""


class _Part(NamedTuple):
    compute: Callable[[Scene, Figures], Figures]
    evaluations: int


def _pictures_part(scene: Scene, before: Figures) -> Figures:
    return {"content": uri_of(scene.content.values, 88), "style": uri_of(scene.style.values, 88)}


_OF_PICTURES: Mapping[str, _Part] = {
    "pictures": _Part(_pictures_part, 0),
    "content": _Part(content_part, ONE * len(CONTENT_LAYERS)),
    "layers": _Part(layers_part, ONE * len(LAYERS) + ALL + 1),
    "balance": _Part(balance_part, BOTH * len(RATIOS) + 1),
    "matrices": _Part(matrices_part, 0),
    "descent": _Part(descent_part, PLAIN),
}

_PARTS: Mapping[str, Mapping[str, _Part]] = {
    "image": _OF_PICTURES,
    "series": {"series": _Part(own_series, EVALUATIONS["series"])},
    "volume": {"volume": _Part(own_volume, EVALUATIONS["volume"])},
}

PARTS = tuple(_OF_PICTURES)
"""What is computed with two pictures, in this order."""

KINDS = tuple(_PARTS)
"""The kinds of content with which some of a lecture is computed."""
SIGNALS = KINDS[1:]
"""Those that are no pictures."""


def parts_of(kind: str) -> tuple[str, ...]:
    """What is computed with a content of this kind."""
    return tuple(_PARTS[kind])


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
    """The figures of a lecture, computed with two pictures; every descent of these starts from the same noise.

    With two series, or a volume and a picture or another volume, it is the one figure of the part that has such signals.

    Args:
        content: a picture, a series or a volume.
        style: what it can be painted in the style of.
        names: of content and style.
        begun: a lecture of these, of which only what is missing is computed.
        size: pixels of the longer side of pictures.
        on_progress: called after each part and each evaluation.
        cancel: once it is set, from wherever, the lecture is returned with the parts that are whole.
        shortened: at most so many evaluations a descent, to try it; 0: as many as there should be.

    Raises:
        SettingsError: a lecture is not given with such signals.
        ImpastoError: it cannot be read, or is too small.
    """
    kind = find_medium(content).name
    if kind not in _PARTS:
        raise SettingsError(f"the content is {find_medium(content).noun}; a lecture is given with {_TAKEN}")
    lecture, parts = begun or Lecture(*names), _PARTS[kind]
    left = [name for name in parts if name not in lecture.parts]
    whole = sum(part.evaluations for part in parts.values())
    done = whole - sum(parts[name].evaluations for name in left)
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
    how: dict[str, Any] = {"watch": watch, "cancel": cancel, "shortened": shortened}
    if kind == "image":
        scene = Scene.of(_picture(content), _picture(style), size, **how)
    else:
        scene = Scene(_signal(content), _signal(style), **how)
    for name in left:
        working, target = name, done + parts[name].evaluations
        tell()
        try:
            figures = parts[name].compute(scene, dict(lecture.parts))
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
        raise SettingsError(f"the style is {medium.noun} and the content a picture; both must be pictures")
    return _signal(source)


def _signal(source: Signal | str | Path) -> Signal:
    return source if isinstance(source, Signal) else read_signal(source)
