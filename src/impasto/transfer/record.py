"""How a painting was made, as its file keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from impasto.transfer.settings import TransferSettings
from impasto.transfer.styles import Source, Style, name_of, names_of, shares


def about_of(content: Source, style: Style | Sequence[Style], settings: TransferSettings) -> dict[str, str]:
    """The names of content and styles, with their shares, and of the network."""
    weights = Path(settings.weights).name if settings.network == "vgg19" else "random filters"
    return {
        "content": name_of(content),
        "style": names_of(shares(style)),
        "network": f"{settings.network} ({weights})",
    }


def record_of(about: Mapping[str, str], settings: TransferSettings, cost: float) -> dict[str, Any]:
    """What is written into the file of a painting, as JSON has it.

    ``TransferSettings(**record["settings"])`` are its settings.
    """
    return {"impasto": version("impasto"), **about, "cost": cost, "settings": settings.as_dict()}
