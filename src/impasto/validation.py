"""Checks of what people give. A check takes the name of a setting and what was given; it returns the value, or raises.

``number(0, 1)`` and the like make a check for a range; ``memory``, ``text`` and ``layers`` are checks themselves. Each
raises a SettingsError of one line, which says the name, what was given and what was expected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from impasto.errors import SettingsError

Item = TypeVar("Item")

# the largest whole number in int64: settings are stored beside tensors
_LARGEST = 2**63 - 1

YES_NO = ("no", "yes")
"""The words for False and True."""


def number(low: float, high: float = math.inf, *, open_below: bool = False) -> Callable[[str, Any], float]:
    """The check for a finite number from ``low`` to ``high``; ``low`` itself is refused if ``open_below``."""

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
    """The check for a whole number from ``low`` to ``high``."""

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
    """The check for a whole number from ``low`` to ``high``, or for ``word``."""
    return lambda name, given: given if given == word else whole(low, high)(name, given)


Layers = tuple[tuple[str, float], ...]
"""Layers with their weights (lambda^[l] for the style), in the order given."""


_BYTES = {"": 1, "b": 1} | {
    prefix + unit: base**power
    for power, prefix in enumerate("kmgt", start=1)
    for unit, base in (("", 2**10), ("ib", 2**10), ("b", 1000))
}


def memory(name: str, given: Any) -> int:
    """Memory in bytes, more than 0: a number, or one with a unit, such as 2GiB or 500 MB."""
    amount, unit = re.fullmatch(r"(.*?)([a-z]*)", str(given).strip().lower(), re.DOTALL).groups()  # pyright: ignore
    try:
        found = float(amount) * _BYTES[unit]
    except (ValueError, KeyError):
        raise SettingsError(f"{name} {given!r} is not an amount of memory, e.g. 2GiB or 500MB") from None
    return whole(1)(name, found if not math.isfinite(found) else int(found))


class Part(NamedTuple):
    """One of several parts of a list: ``number``, from 1 on, of ``total``."""

    number: int
    total: int

    def of(self, items: Sequence[Item]) -> list[Item]:
        """Every ``total``-th item, from the ``number``-th on: all parts together have each item once."""
        return list(items[self.number - 1 :: self.total])


def part(name: str, given: Any) -> Part:
    """A part: "2/8", or the pair (2, 8), is the second of eight."""
    numbers = given.split("/") if isinstance(given, str) else given
    try:
        number, total = numbers
    except (TypeError, ValueError):
        raise SettingsError(f"{name} {given!r} is not a part; e.g. 2/8, the second of eight, was expected") from None
    total = whole(1)(f"{name} {given}: the number of parts", total)
    return Part(whole(1, total)(f"{name} {given}: the part", number), total)


def cuts(name: str, given: Any) -> str | tuple[int, ...]:
    """Where scenes begin: "auto", "none", or the numbers of the frames with which scenes begin, ascending."""
    if given in ("auto", "none"):
        return given
    numbers = given.split(",") if isinstance(given, str) else [given] if isinstance(given, int) else given
    try:
        found = tuple(whole(1)(name, number) for number in numbers)
    except TypeError:
        found = ()
    if not found or list(found) != sorted(set(found)):
        raise SettingsError(f"{name} {given!r}: auto, none, or ascending numbers of frames such as 48,120 were expected")
    return found


def flag(name: str, given: Any) -> bool:
    """The check for yes or no."""
    if given not in (True, False, *YES_NO):
        raise SettingsError(f"{name} is {given!r}; yes or no was expected")
    return given in (True, YES_NO[True])


def anything(name: str, given: Any) -> Any:
    """No check: for settings that are checked elsewhere."""
    return given


def text(name: str, given: Any) -> str:
    """Anything whose text is not empty, as text."""
    if not str(given):
        raise SettingsError(f"{name} is empty: give it something, or leave it out")
    return str(given)


def texts(name: str, given: Any) -> tuple[str, ...]:
    """One or several texts."""
    return (str(given),) if isinstance(given, str | Path) else tuple(str(one) for one in given)


def layers(name: str, given: str | Mapping[str, float] | Iterable[str | tuple[str, float]]) -> Layers:
    """Layers with weights in any of the forms that :class:`impasto.TransferSettings` takes."""
    try:
        rows = given.items() if isinstance(given, Mapping) else given.split(",") if isinstance(given, str) else given
        named = [row.partition("=")[::2] if isinstance(row, str) else (row[0], row[1]) for row in rows]
    except (TypeError, LookupError):
        raise SettingsError(f"{name} {given!r} are no layers; e.g. 'relu1_1=0.5,relu3_1=0.5' was expected") from None
    if not named:
        raise SettingsError(f"{name} is empty; name at least one layer, e.g. relu3_1")
    pairs: list[tuple[str, float]] = []
    for layer, weight in named:
        layer = str(layer).strip()
        if layer in dict(pairs):
            raise SettingsError(f"{name} has {layer} twice")
        pairs.append((layer, number(0)(f"{name} {layer}", weight) if weight != "" else 1 / len(named)))
    return tuple(pairs)


def named_files(settings: Any) -> dict[str, Path]:
    """The existing files that settings name, by the setting; where it has several, by ``NAME 0``, ``NAME 1`` and so on."""
    found: dict[str, Path] = {}
    for setting in fields(settings):
        if "FILE" in setting.metadata["metavar"]:
            given = getattr(settings, setting.name) or ()
            rows = (
                [(setting.name, given)]
                if isinstance(given, str)
                else [(f"{setting.name} {i}", x) for i, x in enumerate(given)]
            )
            found |= {name: Path(one) for name, one in rows}
    return {name: path for name, path in found.items() if path.is_file()}
