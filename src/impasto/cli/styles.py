"""STYLE[:WEIGHT] on the command line."""

from __future__ import annotations

from pathlib import Path

from impasto.errors import SettingsError


def parse_style(text: str) -> tuple[Path, float]:
    """The file and its weight, 1 if none is given; a file whose name has a colon is taken for what it is.

    Raises:
        SettingsError: what follows the name of a file is not a number.
    """
    name, _, weight = text.rpartition(":")
    if not name or Path(text).exists():
        return Path(text), 1.0
    try:
        return Path(name), float(weight)
    except ValueError:
        if Path(name).is_file():
            raise SettingsError(f"{text}: {weight!r} is not a weight; a number, as in {name}:0.5, was expected") from None
        return Path(text), 1.0
