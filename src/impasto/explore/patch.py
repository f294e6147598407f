"""A patch: where in which image a unit is excited, and how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from impasto.networks.layers import Interval


class Patch(NamedTuple):
    """A patch that excites a unit.

    Attributes:
        image: the name of the image it is in.
        activation: of the unit, a float32 exactly.
        position: in the grid of the layer, per axis.
        field: the receptive field of that position in the image as the network saw it: (start, stop) per axis.
    """

    image: str
    activation: float
    position: tuple[int, ...]
    field: tuple[Interval, ...]


Patches = tuple[Patch, ...]


def in_order(patch: Patch) -> tuple[float, str, tuple[int, ...]]:
    """By what patches are ordered, see :mod:`impasto.explore.index`."""
    return -patch.activation, patch.image, patch.position


def patch_as_dict(patch: Patch) -> dict[str, Any]:
    """A patch as JSON has it."""
    starts, stops = zip(*patch.field, strict=True)
    return {
        "image": patch.image,
        "activation": patch.activation,
        "position": list(patch.position),
        "field": [*starts, *stops],
    }


def patch_from_dict(data: Mapping[str, Any]) -> Patch:
    """The patch that :func:`patch_as_dict` wrote down."""
    position, edges = tuple(map(int, data["position"])), tuple(map(int, data["field"]))
    axes = len(position)
    return Patch(
        str(data["image"]), float(data["activation"]), position, tuple(zip(edges[:axes], edges[axes:], strict=True))
    )
