"""The names of layers in settings: those of Keras and torchvision become those here, and what no network has is told."""

from __future__ import annotations

from impasto.errors import SettingsError
from impasto.networks.layers import aliases, unknown_layer
from impasto.networks.registry import BUILT_IN, constructor_of
from impasto.validation import Layers

_USUAL = "vgg19"


def known_layers(setting: str, network: str, layers: Layers) -> Layers:
    """The layers by their names here; ``network`` is "auto" where it hangs on the kind of the content.

    Raises:
        UnknownLayerError: the network, or with "auto" any network, has no such layer.
        SettingsError: a layer is given twice.
    """
    named_here = aliases(constructor_of(_USUAL if network == "auto" else network).table)
    found = tuple((named_here.get(name, name), weight) for name, weight in layers)
    names = [name for name, _ in found]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"{setting} has {name} twice")
    tables = [row.table for row in BUILT_IN.values()] if network == "auto" else [constructor_of(network).table]
    # until the kind is known a layer of any network will do; a network without a table checks layers when it is made
    known = [row.name for table in tables for row in table]
    for name in names:
        if known and name not in known:
            raise unknown_layer(name, [*known, *named_here])
    return found
