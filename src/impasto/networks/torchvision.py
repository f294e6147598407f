"""A network of torchvision, where that is installed: ``torchvision:resnet50`` is what it has under this name."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from impasto.errors import SettingsError, nearest
from impasto.files import first_line
from impasto.networks.from_file import wrap_submodules
from impasto.networks.network import Network

PREFIX = "torchvision:"


def network_from_torchvision(name: str, layers: Iterable[str]) -> Network:
    """The model of that name, with the prefix, as it was trained; ``layers`` are submodules of it.

    Torchvision fetches the weights it calls the default ones when they are used for the first time. Pictures are normalised
    as these want it.

    Raises:
        SettingsError: torchvision is not there or cannot be used with this torch, has no such model, or has no weights for
            it; or no layer is named.
        UnknownLayerError: the model has no such submodule; the message has the nearest one.
    """
    models, model = _models(name), name.removeprefix(PREFIX)
    known: list[str] = models.list_models()
    if model not in known:
        hint = f"did you mean {PREFIX}{nearest(model, known)}?" if known else "it has none"
        raise SettingsError(f"network {name!r}: torchvision has no such model: {hint}")
    try:
        weights = models.get_model_weights(model).DEFAULT
        made, seen = models.get_model(model, weights=weights), weights.transforms()
    except Exception as error:  # no connection, a damaged file, a model without weights
        raise SettingsError(f"network {name!r}: torchvision cannot load it: {first_line(error)}") from error
    if not hasattr(seen, "mean"):
        raise SettingsError(f"network {name!r}: it prepares its pictures itself; models that classify can be explored")
    return wrap_submodules(made, layers, name, name, mean=tuple(seen.mean), std=tuple(seen.std))


def _models(name: str) -> Any:
    try:
        return importlib.import_module("torchvision.models")
    except Exception as error:  # it is of another torch
        if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "torchvision":
            raise SettingsError(f"network {name!r}: torchvision is not installed (pip install torchvision)") from None
        raise SettingsError(f"network {name!r}: torchvision cannot be used with this torch: {first_line(error)}") from error
