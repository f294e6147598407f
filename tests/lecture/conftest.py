"""A lecture that is small and hardly begun, computed once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from skimage import data

from impasto import Signal
from impasto.flow_painting import flow_painting
from impasto.lecture.compute import LectureProgress, compute_lecture
from impasto.lecture.lecture import Lecture
from impasto.media.image.read import read_image

SIZE = 64


class Given(NamedTuple):
    """A lecture, what it was computed with, and what was told on the way."""

    lecture: Lecture
    content: Signal
    style: Signal
    told: list[LectureProgress]


@pytest.fixture(scope="session")
def compute() -> Callable[..., Lecture]:
    """Computes a lecture with the pictures of :class:`Given`, two evaluations a descent."""

    def compute(**how: Any) -> Lecture:
        content, style = pair()
        return compute_lecture(content, style, names=("cat.jpg", "evening"), size=SIZE, shortened=2, **how)

    return compute


@pytest.fixture(scope="session")
def given(compute: Callable[..., Lecture]) -> Given:
    told: list[LectureProgress] = []
    return Given(compute(on_progress=told.append), *pair(), told)


def pair() -> tuple[Signal, Signal]:
    return read_image(data.chelsea()), read_image(flow_painting(96))
