"""The same picture painted in several ways, to be seen side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

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
