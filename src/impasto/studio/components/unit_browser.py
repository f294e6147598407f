"""The unit browser: what excites each unit of the network, in some pictures."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, log2
from pathlib import Path
from typing import Any

from PIL import Image

from impasto.errors import SignalError
from impasto.explore.index import LOWEST, PatchIndex
from impasto.explore.patches import PatchProgress, top_patches
from impasto.explore.settings import PATCHES
from impasto.explore.sheet import mosaic
from impasto.explore.sources import Sources
from impasto.explore.synthesis import synthesise
from impasto.explore.tiles import draw_tiles, excited, see, tile_side
from impasto.media.registry import views
from impasto.studio.components.preview import preview_signal
from impasto.studio.components.result_view import data_uri
from impasto.studio.components.seen_pictures import SeenPictures
from impasto.studio.jobs import Job, JobStoppedError

_SEEN = 320  # pixels on the longer side of what the network sees here
_SMALL, _LARGE, _SOURCE = 48, 180, 960
_VISUALISED_SIZE, _VISUALISED_STEPS = 160, 128
_ENOUGH, _MANY = 9, 30  # photographs: as many as a unit has patches, and as many as deep units begin to be told apart by

ORDERS = {"number": "by number", "strong": "most excited first", "choosy": "most choosy first"}
"""In which order the units of a layer can be seen."""


@dataclass(frozen=True)
class UnitBrowser:
    """What excites each unit of a network in some pictures.

    Attributes:
        index: which they are.
        sources: the pictures by the names that the index has for them.
        title: what they are, e.g. "9 ready pictures".
    """

    index: PatchIndex
    sources: Sources
    title: str
    _seen: SeenPictures = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_seen", SeenPictures(self.sources, self.index.size))

    @property
    def network(self) -> str:
        """The name of the network whose units they are; an index also says which weights it had."""
        return self.index.network.partition(" ")[0]

    @property
    def note(self) -> str:
        """The title, of a search that was stopped how far it came, and whether there is too little to learn from."""
        seen = len(self.index.images)
        told = self.title if self.index.complete else f"{seen} of {self.title}"
        if seen < _ENOUGH:
            return f"{told}: too few to tell what a unit looks for, as each shows nine patches. Drop twenty or more."
        if seen < _MANY:
            return f"{told}: enough for edges and colours; deep layers have little to choose from. Drop some dozens more."
        return told

    def layers(self) -> dict[str, int]:
        """The layers, and how many units each has."""
        return {layer: len(units) for layer, units in self.index.layers.items()}

    def about(self, layer: str) -> str:
        """What the layer is, in a sentence: how many units, and how much of a picture each of them sees."""
        fields, units = self.index.fields_of(layer), len(self.index.layers[layer])
        if fields is None:
            return f"{layer} has {units} units, each of which looks at the whole picture."
        size = " × ".join(str(field.size) for field in fields[-2:])
        return f"{layer} has {units} units. At every place each sees a field of {size} pixels, and answers with one number."

    def ordered(self, layer: str, order: str = "number", find: str = "") -> list[int]:
        """The units of a layer in one of :data:`ORDERS`: those with a patch of a picture that has ``find`` in its name."""
        units, text = self.index.layers[layer], find.casefold()
        found = [unit for unit in units if not text or any(text in p.image.casefold() for p in excited(units[unit]))]
        if order == "strong":
            return sorted(found, key=lambda unit: -max((patch.activation for patch in units[unit]), default=0.0))
        if order == "choosy":
            above = dict(zip(units, self._above_usual(layer), strict=True))
            return sorted(found, key=lambda unit: -above[unit])
        return found

    def _above_usual(self, layer: str) -> list[float]:
        """Of each unit how many octaves its best patch is above what a picture usually reaches, the median."""
        counts = self.index.histograms[layer]
        median = (counts.cumsum(1) >= counts.sum(1, keepdims=True) / 2).argmax(1)
        usual = (median - 1 + LOWEST) / 2
        best = [max((patch.activation for patch in patches), default=0.0) for patches in self.index.layers[layer].values()]
        return [log2(a) - float(u) if a > 0 else -inf for a, u in zip(best, usual, strict=True)]

    def units(self, layer: str, chosen: Sequence[int]) -> list[dict[str, Any]]:
        """Of some units of the layer the number, the best patches as one picture, and how much the best excites it.

        Raises:
            SignalError: a picture is not there any more.
        """
        patches = {unit: self.index.layers[layer][unit] for unit in chosen}
        drawn = draw_tiles(replace(self.index, layers={layer: patches}), {layer: chosen}, _SMALL, sources=self._seen)
        shown: list[dict[str, Any]] = []
        for unit in chosen:
            (tiles,) = drawn[layer, unit]
            block = _webp(mosaic(tiles, PATCHES.top, _SMALL)) if tiles else ""
            shown.append({"unit": unit, "picture": block, "best": strength(patches[unit][0].activation) if tiles else ""})
        return shown

    def patches(self, layer: str, unit: int) -> list[dict[str, str]]:
        """The patches that excite the unit most: each with its picture, and where it is from.

        Raises:
            SignalError: a picture is not there any more.
        """
        side = tile_side(self.index, layer, _LARGE)
        drawn = draw_tiles(self.index, {layer: [unit]}, side, sources=self._seen)[layer, unit][0]
        patches = excited(self.index.layers[layer][unit])
        return [
            {"picture": _webp(tile), "note": f"{Path(patch.image).stem} · activation {strength(patch.activation)}"}
            for tile, patch in zip(drawn, patches, strict=True)
        ]

    def source(self, layer: str, unit: int, rank: int) -> dict[str, Any]:
        """Where a patch is from: its picture, and the field as left, top, width and height in percent of it.

        Raises:
            SignalError: the picture is not there any more, or there is no such patch.
        """
        patches = excited(self.index.layers[layer].get(unit, ()))
        if not 0 <= rank < len(patches):
            raise SignalError(f"unit {unit} of {layer} has no patch {rank + 1}; it has {len(patches)}")
        patch = patches[rank]
        signal, buffer = see(patch.image, self.index, self._seen), io.BytesIO()
        views()[signal.kind].overview(signal, _SOURCE).convert("RGB").save(buffer, "JPEG", quality=88)
        (y, x), (height, width) = patch.field[-2:], signal.shape[-2:]
        return {
            "picture": data_uri(buffer.getvalue()),
            "field": [100 * x[0] / width, 100 * y[0] / height, 100 * (x[1] - x[0]) / width, 100 * (y[1] - y[0]) / height],
            "name": Path(patch.image).name,
            "rank": rank,
            "count": len(patches),
            "note": f"Patch {rank + 1} of {len(patches)} of {layer}, unit {unit}: activation {strength(patch.activation)}. "
            "The outlined square is the unit’s field: no pixel outside of it can change this number.",
        }


def browse_index(index: PatchIndex, folder: Path) -> UnitBrowser:
    """The browser of an index on this computer, whose pictures are named from here or from its folder."""
    sources = {name: Path(name) if Path(name).exists() else folder / name for name in index.images}
    return UnitBrowser(index, sources, f"{len(index.images)} pictures of the index")


def browse_uploaded_index(index: PatchIndex, uploads: Mapping[str, Path]) -> UnitBrowser:
    """The browser of an index from outside: what it names is looked for among the uploads, and nowhere else.

    Raises:
        SignalError: a picture of it was not uploaded.
    """
    sources = {name: uploads.get(Path(name).name) for name in index.images}
    missing = [Path(name).name for name, path in sources.items() if path is None]
    if missing:
        raise SignalError(f"{len(missing)} pictures of the index were not dropped with it, e.g. {missing[0]}")
    return UnitBrowser(
        index, {name: path for name, path in sources.items() if path}, f"{len(index.images)} pictures of the index"
    )


def search(
    sources: Sources, title: str, keep: Callable[[UnitBrowser], None], network: str = "vgg19"
) -> Callable[[Job], None]:
    """The work of looking for the patches of all units in these pictures; if it is stopped, in those seen until then."""

    def work(job: Job) -> None:
        def watch(progress: PatchProgress) -> None:
            job.show(progress.done / progress.total)
            job.look()

        # of fewer than nine pictures each may give several patches, so that every unit has nine
        per_image = max(PATCHES.per_image, -(-PATCHES.top // len(sources)))
        how = {"per_image": per_image, "size": _SEEN, "network": network}
        index = top_patches(sources, "all", **how, on_progress=watch, cancel=job.cancel)
        if not index.images:
            raise JobStoppedError
        keep(UnitBrowser(index, sources, title))

    return work


def visualise_feature(layer: str, unit: int, keep: Callable[[str], None], network: str = "vgg19") -> Callable[[Job], None]:
    """The work of making the picture that a unit wants to see."""

    def work(job: Job) -> None:
        def watch(step: int, activation: float) -> None:
            job.show(step / _VISUALISED_STEPS)
            job.look()

        how = {"size": _VISUALISED_SIZE, "iterations": _VISUALISED_STEPS, "network": network}
        made = synthesise({(layer, unit): 1.0}, **how, on_progress=watch, cancel=job.cancel)
        job.check()  # others would take a picture that is half made for what the unit wants to see
        keep(data_uri(preview_signal(made[0])))

    return work


def sources_of(pictures: Sequence[tuple[str, Path]]) -> dict[str, Path]:
    """Pictures by their names, of which equal ones are numbered."""
    found: dict[str, Path] = {}
    for name, path in pictures:
        given, number = name, 2
        while name in found:
            name, number = f"{Path(given).stem} {number}{Path(given).suffix}", number + 1
        found[name] = path
    return found


def _webp(tile: Image.Image) -> str:
    buffer = io.BytesIO()
    tile.save(buffer, "WEBP", quality=84, method=0)
    return data_uri(buffer.getvalue(), "webp")


def strength(activation: float) -> str:
    """An activation in few digits."""
    return f"{activation:.0f}" if activation >= 100 else f"{activation:.3g}"
