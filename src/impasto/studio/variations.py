"""The same picture painted in several ways, to be seen side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from impasto.media.registry import medium_of
from impasto.transfer.settings import TransferSettings

Variation = Callable[[TransferSettings], Sequence[TransferSettings]]
_STRENGTHS = (0.3, 0.45, 0.6, 0.75)
_STROKES = (0.5, 0.8, 1.25, 2.0)
_MANY = 4


def _strengths(settings: TransferSettings) -> list[TransferSettings]:
    usual: dict[str, Any] = {"alpha": 1.0, "beta": None, "init_noise": 0.0}  # which a strength stands for
    return [replace(settings, **usual, strength=strength) for strength in _STRENGTHS]


def _strokes(settings: TransferSettings) -> list[TransferSettings]:
    return [replace(settings, stroke=stroke) for stroke in _STROKES]


def _seeds(settings: TransferSettings) -> list[TransferSettings]:
    if settings.init != "random" and not settings.init_noise:  # else nothing would hang on the seed
        settings = replace(settings, init="random")
    return [replace(settings, seed=settings.seed + number) for number in range(_MANY)]


VARIATIONS: Mapping[str, Variation] = {"strengths": _strengths, "strokes": _strokes, "seeds": _seeds}
"""By what they are of."""


def means_something(variation: str, kind: str) -> bool:
    """Whether signals of this kind have what varies: not all of them have brush strokes."""
    return variation != "strokes" or "stroke" in medium_of(kind).settings


def differing(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of those that are not the same in all."""
    return [name for name in settings[0] if len({str(one.get(name)) for one in settings}) > 1]
