"""The unit browser: what excites each unit of the network, in some pictures; and where in a picture a unit is active."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from impasto.errors import SignalError
from impasto.explore.activations import activations_of
from impasto.explore.index import PatchIndex
from impasto.explore.patches import PatchProgress, top_patches, trained_network
from impasto.explore.settings import PATCHES
from impasto.explore.sources import Sources, view
from impasto.explore.synthesis import synthesise
from impasto.explore.tiles import draw_tiles, excited, tile_side
from impasto.media.signal import Signal
from impasto.studio.components.preview import preview_signal
from impasto.studio.components.result_view import data_uri
from impasto.studio.jobs import Job, JobStoppedError

_SEEN = 320  # pixels on the longer side of what the network sees here
_SMALL, _LARGE, _MAP = 72, 180, 480
_VISUALISED_SIZE, _VISUALISED_STEPS = 160, 128
_DIM = 0.12  # of a picture's light, where a unit is silent


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

    @property
    def network(self) -> str:
        """The name of the network whose units they are; an index also says which weights it had."""
        return self.index.network.partition(" ")[0]

    @property
    def note(self) -> str:
        """The title and, of a search that was stopped, how far it came."""
        return self.title if self.index.complete else f"{len(self.index.images)} of {self.title}"

    def layers(self) -> dict[str, int]:
        """The layers, and how many units each has."""
        return {layer: len(units) for layer, units in self.index.layers.items()}

    def units(self, layer: str, first: int, count: int) -> list[dict[str, Any]]:
        """Of some units of the layer, from the ``first``-th, the number and the best patch.

        Raises:
            SignalError: a picture is not there any more.
        """
        chosen = list(self.index.layers[layer])[first : first + count]
        patches = {unit: self.index.layers[layer][unit][:1] for unit in chosen}
        drawn = draw_tiles(replace(self.index, layers={layer: patches}), {layer: chosen}, _SMALL, sources=self.sources)
        return [
            {"unit": unit, "picture": _webp(drawn[layer, unit][0][0]) if drawn[layer, unit][0] else ""} for unit in chosen
        ]

    def patches(self, layer: str, unit: int) -> list[dict[str, str]]:
        """The patches that excite the unit most: each with its picture, and where it is from.

        Raises:
            SignalError: a picture is not there any more.
        """
        side = tile_side(self.index, layer, _LARGE)
        drawn = draw_tiles(self.index, {layer: [unit]}, side, sources=self.sources)[layer, unit][0]
        patches = excited(self.index.layers[layer][unit])
        return [
            {"picture": _webp(tile), "note": f"{Path(patch.image).stem} · {patch.activation:.3g}"}
            for tile, patch in zip(drawn, patches, strict=True)
        ]


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


def activation_maps(
    pictures: Mapping[str, Path], layer: str, unit: int, network_name: str = "vgg19"
) -> list[dict[str, str]]:
    """Where the unit is active in each picture: it is lit there, and dark where the unit is silent, on one scale for all.

    Raises:
        SignalError: a picture cannot be read.
    """
    network, _ = trained_network(network=network_name)
    seen: dict[str, tuple[Signal, torch.Tensor]] = {}
    with torch.inference_mode():
        for name, path in pictures.items():
            picture = view(path, _MAP)
            if min(picture.shape) >= network.smallest_size([layer]):
                a = activations_of(network, torch.from_numpy(picture.values), [layer])[layer][unit]
                grown = F.interpolate(a[None, None], picture.shape, mode="bicubic", align_corners=False)[0, 0]
                seen[name] = picture, grown.cpu()
    most = max((float(a.max()) for _, a in seen.values()), default=0.0)
    maps: list[dict[str, str]] = []
    for name, (picture, a) in seen.items():
        light = _DIM + (1 - _DIM) * (a / most if most else a).clamp(0, 1).pow(0.7).numpy()
        lit = Signal((picture.values * light).astype(np.float32))
        note = f"{name} · at most {float(a.max()):.3g}" if float(a.max()) > 0 else f"{name} · silent"
        maps.append({"name": name, "picture": data_uri(preview_signal(lit)), "note": note})
    return maps


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
    tile.save(buffer, "WEBP", quality=86, method=2)
    return data_uri(buffer.getvalue(), "webp")
