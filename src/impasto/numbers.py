"""Numbers as people give them: each check takes the name of one and what was given, and returns it or says what is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from impasto.errors import SettingsError

# the largest whole number that a file of tensors can hold
_LARGEST = 2**63 - 1


def number(low: float, high: float = math.inf, *, open_below: bool = False) -> Callable[[str, Any], float]:
    """A finite number of at least ``low``, or above it, and up to ``high``."""

    def check(name: str, given: Any) -> float:
        try:
            value = float(given)
        except (TypeError, ValueError, OverflowError):
            raise SettingsError(f"{name} {given!r} is not a number") from None
        if not math.isfinite(value) or not low <= value <= high or (open_below and value == low):
            limit = (
                f"{'above' if open_below else 'of at least'} {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
            )
            raise SettingsError(f"{name} is {given}; a number {limit} was expected")
        return value

    return check


def whole(low: int, high: int = _LARGEST) -> Callable[[str, Any], int]:
    """A whole number from ``low`` to ``high``."""

    def check(name: str, given: Any) -> int:
        try:
            value = int(given)
        except (TypeError, ValueError, OverflowError):
            value = None
        if value is None or (isinstance(given, float) and given != value):
            raise SettingsError(f"{name} {given!r} is not a whole number")
        if not low <= value <= high:
            limit = f"from {low} to {high}" if high < _LARGEST else f"of at least {low}" if value < low else f"up to {high}"
            raise SettingsError(f"{name} is {given}; a whole number {limit} was expected")
        return value

    return check


def whole_or(word: str, low: int, high: int = _LARGEST) -> Callable[[str, Any], int | str]:
    """A whole number from ``low`` to ``high``, or the word."""
    return lambda name, given: given if given == word else whole(low, high)(name, given)
