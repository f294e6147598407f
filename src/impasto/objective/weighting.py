"""Layers with their weights as people give them, and the units in which costs are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, cast, get_args

from impasto.errors import SettingsError, nearest
from impasto.validation import Layers

Weighting = Literal["relative", "absolute", "summed"]
"""Costs as squared relative errors, which balances layers and networks; or in absolute numbers, of which the content cost is
a mean over positions and channels, or summed over them, as in the paper."""

LayersGiven = str | Sequence[str] | Mapping[str, float] | Layers
"""Layers as people give them, checked by :func:`impasto.validation.layers`."""


def check_weighting(given: str) -> Weighting:
    """The weighting whose name was given.

    Raises:
        SettingsError: there is none.
    """
    return cast(Weighting, check_choice("weighting", given, get_args(Weighting)))


def check_choice(name: str, given: str, choices: Sequence[str]) -> str:
    """What was given, if it is one of the choices.

    Raises:
        SettingsError: it is not; the message has the nearest choice.
    """
    if given not in choices:
        raise SettingsError(
            f"{name} {given!r} is unknown: did you mean {nearest(str(given), choices)!r}? ({', '.join(choices)})"
        )
    return given


def layers_text(layers: Layers) -> str:
    """Layers as on the command line, e.g. ``relu1_1=0.25,relu3_1=0.75``; without weights if these are equal."""
    equal = all(weight == 1 / len(layers) for _, weight in layers)
    return ",".join(name if equal else f"{name}={number_text(weight)}" for name, weight in layers)


def number_text(number: float) -> str:
    """The shortest way to write a number that is read as the same one, e.g. ``0.25``, ``10``, ``6.103515625e-05``."""
    rounded = f"{number:g}"
    return rounded if float(rounded) == number else repr(number)
