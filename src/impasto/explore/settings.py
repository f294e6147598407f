"""What can be chosen about an exploration: every default is written here, and every choice checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from impasto.errors import SettingsError
from impasto.networks.layers import aliases, unknown_layer
from impasto.networks.registry import BUILT_IN
from impasto.validation import whole_or

PREPROCESSINGS = ("auto", "caffe", "torchvision")
PREPROCESSING_HELP = "The input that a weights FILE expects; auto recognises the known networks."
Units = str | Iterable[int]
"""Units of a layer: "all", "0-15", "3,17,40-47", or their numbers."""


class Layered(Protocol):
    """What has layers: a network, or a row of :mod:`impasto.networks.registry` with a table."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Their names, in the order of the network."""
        ...

    def channels(self, layer: str) -> int:
        """How many units a layer has."""
        ...


VGG19 = BUILT_IN["vgg19"]


@dataclass(frozen=True)
class PatchDefaults:
    """How patches are searched for."""

    layers: str = "relu3_1"
    units: str = "all"
    top: int = 9
    per_image: int = 1


@dataclass(frozen=True)
class SynthesisDefaults:
    """How the picture that excites a unit is made.

    ``step`` is Adam's in whitened coefficients; ``jitter`` the largest shift in pixels before each step; ``diversity`` the
    weight of the likeness between pictures, in units of the objective; ``spectrum`` one of
    :data:`SPECTRA`.
    """

    size: int = 192
    iterations: int = 256
    step: float = 0.05
    jitter: int = 8
    diversity: float = 0.5
    spectrum: str = "natural"
    seed: int = 0


SPECTRA = ("natural", "free")
"""How much of each frequency a picture that is made has: as much as photographs have, or what excites the unit most."""
Unit = tuple[str, int]
"""A unit: its layer and its number there."""
Objective = Mapping[Unit, float]
"""A weighted sum of units."""

PATCHES = PatchDefaults()
SYNTHESIS = SynthesisDefaults()


def default_layers(network: Layered = VGG19) -> tuple[str, ...]:
    """What is explored unless one says so: :attr:`PatchDefaults.layers` if the network has them, else all."""
    usual = tuple(PATCHES.layers.split(","))
    return usual if set(usual) <= set(network.layers) else all_layers(network)


def all_layers(network: Layered = VGG19) -> tuple[str, ...]:
    """Those after a ReLU; all of a network that does not tell which they are."""
    table = getattr(network, "table", ())
    return tuple(row.name for row in table if row.operation == "relu") or network.layers


def parse_layers(given: str | Iterable[str] | None, network: Layered = VGG19) -> tuple[str, ...]:
    """The named layers in the order of the network, each once; "all" are :func:`all_layers`, None :func:`default_layers`.

    Raises:
        UnknownLayerError: the network has no such layer.
        SettingsError: no layer is named.
    """
    if given is None:
        return default_layers(network)
    names = [name.strip() for name in given.split(",")] if isinstance(given, str) else list(given)
    known = aliases(getattr(network, "table", ()))
    names = [known.get(name, name) for name in names if name]
    if names == ["all"]:
        return all_layers(network)
    if not names:
        raise SettingsError(f"no layer is named; name at least one, e.g. {default_layers(network)[0]}, or all")
    for name in names:
        if name not in network.layers:
            raise unknown_layer(name, network.layers)
    return tuple(name for name in network.layers if name in names)


def parse_units(given: Units, layer: str, network: Layered = VGG19) -> tuple[int, ...]:
    """The numbers of units of ``layer``, ascending, each once.

    Raises:
        SettingsError: this is no selection of units, or the layer has fewer.
    """
    count = network.channels(layer)
    if given == "all":
        return tuple(range(count))
    try:
        if isinstance(given, str):
            ranges = [part.strip().partition("-") for part in given.split(",")]
            pairs = [(int(first), int(last if dash else first)) for first, dash, last in ranges]
        else:
            pairs = [(int(unit), int(unit)) for unit in given]
    except (TypeError, ValueError):
        raise SettingsError(f"units {given!r}: a selection like 17, 0-15, 3,17,40-47 or all was expected") from None
    if not pairs or any(first > last for first, last in pairs):
        raise SettingsError(f"units {given!r} select nothing; a selection like 17, 0-15 or all was expected")
    for unit in (unit for pair in pairs for unit in pair):
        if not 0 <= unit < count:
            raise SettingsError(f"{layer} has no unit {unit}; it has {count}, from 0 to {count - 1}")
    return tuple(sorted({unit for first, last in pairs for unit in range(first, last + 1)}))


def chosen_units(layers: str | Iterable[str] | None, units: Units, network: Layered = VGG19) -> dict[str, tuple[int, ...]]:
    """The units of each layer; raises as :func:`parse_layers` and :func:`parse_units`."""
    return {name: parse_units(units, name, network) for name in parse_layers(layers, network)}


def parse_size(given: int | str) -> int | str:
    """How large the network sees a signal (see :attr:`impasto.media.medium.View.size`), or "full".

    Raises:
        SettingsError: it is neither.
    """
    return whole_or("full", 1)("size", given)


def parse_objective(given: str | Objective, network: Layered = VGG19) -> dict[Unit, float]:
    """A sum of units: "relu4_1:17", or with weights "relu4_1:17=1,relu4_1:30=-0.5".

    Raises:
        UnknownLayerError, SettingsError: a layer or a unit does not exist, or a weight is no finite number.
    """
    if not isinstance(given, str):
        pairs = [(layer, str(unit), weight) for (layer, unit), weight in given.items()]
    else:
        parts = [part.strip().partition("=") for part in given.split(",")]
        pairs = [(*name.partition(":")[::2], weight if equals else 1.0) for name, equals, weight in parts]
    objective: dict[Unit, float] = {}
    for layer, unit, weight in pairs:
        (name,) = parse_layers([layer], network)
        try:
            number, factor = int(unit), float(weight)
        except ValueError:
            raise SettingsError(f"{given!r}: LAYER:UNIT or LAYER:UNIT=WEIGHT was expected, e.g. relu4_1:17=0.5") from None
        parse_units([number], name, network)
        if not math.isfinite(factor) or (name, number) in objective:
            raise SettingsError(f"{given!r}: each unit once, with a finite weight, was expected")
        objective[name, number] = factor
    return objective
