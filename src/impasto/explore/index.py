"""The index of patches: what excites each unit most, to be saved, loaded and merged.

One rule orders patches everywhere: the higher activation first, then the image whose name comes first, then the position
that comes first in scan order (the last axis fastest). Of a group of nearly equal images a unit keeps at most
``per_image`` patches. Because this order is total, the best of a union is the best of the bests: merging is exact, and it
does not matter in which order, or in how many parts, images are seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.errors import SettingsError, SignalError
from impasto.explore.growing import Growing
from impasto.explore.near_duplicates import regrouped
from impasto.files import write_whole
from impasto.networks.layers import VGG19, Field, Interval, field_of, up_to_deepest

LOWEST, BINS = -2, 33
"""Activations are counted in bins of half an octave: bin 0 has 0 and less, bin i those from 2^((i - 1 + LOWEST) / 2)."""


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


def _order(patch: Patch) -> tuple[float, str, tuple[int, ...]]:
    return -patch.activation, patch.image, patch.position


def histogram_of(peaks: NDArray[np.float32]) -> NDArray[np.int32]:
    """(units, BINS): one count for each unit's highest activation in an image."""
    return (bins_of(peaks)[:, None] == np.arange(BINS)).astype(np.int32)


def bins_of(peaks: NDArray[np.float32]) -> NDArray[np.int_]:
    """In which bin each activation is counted."""
    with np.errstate(divide="ignore"):
        octave = np.floor(2 * np.log2(np.maximum(peaks, 0)))
    return np.where(peaks > 0, octave.clip(LOWEST, LOWEST + BINS - 2) - LOWEST + 1, 0).astype(int)


@dataclass(frozen=True, eq=False)
class PatchIndex:
    """The best patches of each unit over a set of images.

    Attributes:
        network: what computed the activations.
        size: the longest side that the network saw, or "full".
        top: how many patches a unit keeps.
        per_image: how many of them may be of one image, or of one group of nearly equal images.
        layers: per layer and unit, the patches in their order.
        histograms: per layer (units, BINS), in the order of the units in ``layers``: how many images have their highest
            activation of the unit in each bin; see ``BINS``.
        images: the images that were seen, each with the group it belongs to.
        skipped: the images that could not be read, each with the reason.
        complete: False if the search was interrupted.
        fields: of each layer the receptive fields along each axis of space, without borders; None if it looks everywhere.
    """

    network: str
    size: int | str
    top: int
    per_image: int
    layers: Mapping[str, Mapping[int, Patches]]
    histograms: Mapping[str, NDArray[np.int32]]
    images: Mapping[str, str] = field(default_factory=dict[str, str])
    skipped: Mapping[str, str] = field(default_factory=dict[str, str])
    complete: bool = True
    fields: Mapping[str, tuple[Field, ...] | None] = field(default_factory=dict[str, tuple[Field, ...] | None])

    def fields_of(self, layer: str) -> tuple[Field, ...] | None:
        """The receptive fields of a layer; of an index that does not tell them those of VGG-19."""
        if layer in self.fields:
            return self.fields[layer]
        return (field_of(up_to_deepest(VGG19, [layer])),) * 3

    def including(self, other: PatchIndex) -> PatchIndex:
        """This index and what ``other`` holds for the same units, from other images."""
        images = _growing(self.images).extended(other.images)
        layers = dict(self.layers)
        for layer, units in other.layers.items():
            mine = self.layers[layer]
            layers[layer] = {**mine, **{unit: self._best((*mine[unit], *found), images) for unit, found in units.items()}}
        histograms = {**self.histograms, **{name: self.histograms[name] + h for name, h in other.histograms.items()}}
        skipped = _growing(self.skipped).extended(other.skipped)
        return replace(self, layers=layers, histograms=histograms, images=images, skipped=skipped)

    def without(self, name: str, reason: str) -> PatchIndex:
        """This index and an image that could not be read."""
        return replace(self, skipped=_growing(self.skipped).extended({name: reason}))

    def _best(self, patches: Iterable[Patch], groups: Mapping[str, str]) -> Patches:
        best: list[Patch] = []
        taken: dict[str, int] = {}
        for patch in sorted(patches, key=_order):
            group = groups[patch.image]
            before = taken.get(group, 0)
            if before < self.per_image:
                taken[group] = before + 1
                best.append(patch)
                if len(best) == self.top:
                    break
        return tuple(best)

    def merge(self, other: PatchIndex) -> PatchIndex:
        """The index of the union of two disjoint sets of images, as if they had been seen in one run.

        It is that exactly, but for one thing. Nearly equal images in both sets count as one group, as in one run; where by
        this a unit loses a patch, the one that would be next may have been dropped before.

        Raises:
            SettingsError: the indexes were made differently, or share an image by name.
        """
        shared = sorted(self.images.keys() & other.images.keys())
        if shared:
            raise SettingsError(f"both indexes hold {shared[0]}; only indexes of different images can be merged")
        if not (self.images and other.images):  # a million images take a minute to be compared
            return self.beside(other)
        groups = regrouped(first_images(first_images({}, self.images), other.images))
        return self.in_groups(groups).beside(other.in_groups(groups))

    def check_like(self, other: PatchIndex) -> None:
        """See that two indexes were made in the same way.

        Raises:
            SettingsError: they were not.
        """
        for name in ("network", "size", "top", "per_image"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                raise SettingsError(f"indexes of different {name} cannot be merged: {mine} and {theirs}")
        if self.units() != other.units():
            raise SettingsError("indexes of different layers or units cannot be merged")

    def in_groups(self, changed: Mapping[str, str]) -> PatchIndex:
        """The same index with other names of some groups."""
        if not changed:
            return self
        return replace(self, images=Growing({name: changed.get(group, group) for name, group in self.images.items()}))

    def beside(self, other: PatchIndex) -> PatchIndex:
        """This index and another one that was made in the same way, of other images, whose groups are known.

        Raises:
            SettingsError: it was made differently.
        """
        self.check_like(other)
        return replace(self.including(other), complete=self.complete and other.complete)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PatchIndex) and self.as_dict() == other.as_dict()

    def units(self) -> dict[str, tuple[int, ...]]:
        """The units of each layer."""
        return {layer: tuple(units) for layer, units in self.layers.items()}

    def select(self, units: Mapping[str, Iterable[int]]) -> PatchIndex:
        """The same index for fewer layers and units.

        Raises:
            SettingsError: it has no such layer or unit.
        """
        layers: dict[str, dict[int, Patches]] = {}
        histograms: dict[str, NDArray[np.int32]] = {}
        for layer, numbers in units.items():
            if layer not in self.layers:
                raise SettingsError(f"the index has no layer {layer}; it has {', '.join(self.layers)}")
            rows = {unit: row for row, unit in enumerate(self.layers[layer])}
            chosen = list(numbers)
            for unit in chosen:
                if unit not in rows:
                    raise SettingsError(f"the index has no unit {unit} of {layer}")
            layers[layer] = {unit: self.layers[layer][unit] for unit in chosen}
            histograms[layer] = self.histograms[layer][[rows[unit] for unit in chosen]]
        return replace(self, layers=layers, histograms=histograms)

    def save(self, path: str | Path) -> None:
        """Write the index as JSON, whole or not at all; docs/explore.md describes it.

        Raises:
            SignalError: the file cannot be written.
        """
        write_whole(path, json.dumps(self.as_dict(), ensure_ascii=False, separators=(",", ":")).encode())

    def as_dict(self) -> dict[str, Any]:
        """The index as JSON knows it; of two equal indexes it is the same."""
        return {
            "network": self.network,
            "size": self.size,
            "top": self.top,
            "per_image": self.per_image,
            "complete": self.complete,
            "layers": {
                layer: {"units": {str(unit): [_patch_as_dict(p) for p in patches] for unit, patches in units.items()}}
                for layer, units in self.layers.items()
            },
            "histograms": {layer: counts.tolist() for layer, counts in self.histograms.items()},
            "fields": {layer: fields and [list(f) for f in fields] for layer, fields in self._known_fields().items()},
            "images": dict(sorted(self.images.items())),
            "skipped": dict(sorted(self.skipped.items())),
        }

    def _known_fields(self) -> dict[str, tuple[Field, ...] | None]:
        return {layer: self.fields[layer] for layer in self.layers if layer in self.fields}

    @classmethod
    def load(cls, path: str | Path) -> PatchIndex:
        """Read an index that :meth:`save` wrote.

        Raises:
            SignalError: the file is missing, or no index.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            layers = {
                layer: {int(unit): tuple(map(_patch_from_dict, patches)) for unit, patches in content["units"].items()}
                for layer, content in data["layers"].items()
            }
            histograms = {layer: np.array(rows, np.int32) for layer, rows in data["histograms"].items()}
            if {name: (len(units), BINS) for name, units in layers.items()} != {n: h.shape for n, h in histograms.items()}:
                raise ValueError("its histograms do not fit its units")
            if not {p.image for units in layers.values() for ps in units.values() for p in ps} <= data["images"].keys():
                raise ValueError("a patch is of an image that it does not list")
            fields = {
                layer: rows if rows is None else tuple(Field(*map(int, row)) for row in rows)
                for layer, rows in data.get("fields", {}).items()
            }
            simple = {name: data[name] for name in ("network", "size", "top", "per_image", "images", "skipped", "complete")}
        except OSError as error:
            raise SignalError(f"{path}: {error.strerror or error}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SignalError(f"{path} is not an index of patches: {error}") from None
        return cls(layers=layers, histograms=histograms, fields=fields, **simple)


def first_images(firsts: dict[str, str], images: Mapping[str, str]) -> dict[str, str]:
    """Of each group the name of its first image, by the name of the group: those of ``firsts``, and of more images."""
    for name, group in images.items():
        if group not in firsts or name < firsts[group]:
            firsts[group] = name
    return firsts


def _growing(texts: Mapping[str, str]) -> Growing:
    return texts if isinstance(texts, Growing) else Growing(texts)


class ExploreInterrupted(KeyboardInterrupt):
    """A search for patches was interrupted; ``index`` holds what it found in the images it had seen."""

    def __init__(self, index: PatchIndex) -> None:
        super().__init__("interrupted")
        self.index = index


def _patch_as_dict(patch: Patch) -> dict[str, Any]:
    starts, stops = zip(*patch.field, strict=True)
    return {
        "image": patch.image,
        "activation": patch.activation,
        "position": list(patch.position),
        "field": [*starts, *stops],
    }


def _patch_from_dict(data: Mapping[str, Any]) -> Patch:
    position, edges = tuple(map(int, data["position"])), tuple(map(int, data["field"]))
    axes = len(position)
    return Patch(
        str(data["image"]), float(data["activation"]), position, tuple(zip(edges[:axes], edges[axes:], strict=True))
    )
