"""The record of how a painting was made, which is written into its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from impasto.descent.optimizers import OPTIMIZERS
from impasto.media.resolved import ResolvedSettings
from impasto.media.styles import Source, Style, name_of, names_of, shares
from impasto.transfer.resolve import objective_of
from impasto.transfer.settings import TransferSettings


def about_of(
    content: Source, style: Style | Sequence[Style], given: TransferSettings, settings: ResolvedSettings
) -> dict[str, str]:
    """The names of content and styles, with their shares, and of the network; J and the optimizer if they are the user's."""
    network, names = settings.network, {"content": name_of(content), "style": names_of(shares(style))}
    if network.given is not None:
        names["network"] = network.name
    else:
        takes = network.row.takes if network.row else ()
        weights = Path(given.weights).name if "weights" in takes else "random filters"
        names["network"] = f"{network.name} ({weights})"
    if repr(settings.objective) != repr(objective_of(given)):
        names["objective"] = repr(settings.objective)
    if type(settings.optimizer) is not OPTIMIZERS[given.optimizer]:
        names["optimizer"] = repr(settings.optimizer)
    return names


def record_of(about: Mapping[str, str], settings: TransferSettings, cost: float) -> dict[str, Any]:
    """The record in the file of a painting, as JSON; ``TransferSettings(**record["settings"])`` makes its settings again."""
    return {"impasto": version("impasto"), **about, "cost": cost, "settings": settings.as_dict()}
