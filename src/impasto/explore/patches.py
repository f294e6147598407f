"""The patches that excite a unit most (Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014).

One pass over the images, one image at a time: what is kept is the best patches of each unit, whatever the number of images.
Each image is seen alone, so that no activation depends on its neighbours in a batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from threading import Event

import numpy as np
import torch
from numpy.typing import NDArray

from impasto.errors import SettingsError, SignalError, SizeError
from impasto.explore.activations import activations_of
from impasto.explore.index import BINS, ExploreInterrupted, Patch, PatchIndex, histogram_of
from impasto.explore.near_duplicates import Groups, signature
from impasto.explore.settings import PATCHES, Units, chosen_units, parse_size
from impasto.explore.sources import Source, Sources, common_kind, find_sources, read_ahead, view
from impasto.explore.trained import trained_network
from impasto.media.registry import medium_of, views
from impasto.media.signal import Signal
from impasto.networks.device import free_memory, memory_told
from impasto.networks.layers import Field, Interval
from impasto.networks.network import Network
from impasto.networks.registry import constructor_of
from impasto.validation import whole


@dataclass(frozen=True)
class PatchProgress:
    """How far a search is: the index of what was seen, and how many images of how many, in how long."""

    index: PatchIndex
    done: int
    total: int
    images_per_second: float
    seconds_left: float


def top_patches(
    images: Source | Iterable[Source] | Sources,
    layers: str | Iterable[str] | None = None,
    *,
    units: Units = PATCHES.units,
    top: int = PATCHES.top,
    per_image: int = PATCHES.per_image,
    size: int | str | None = None,
    network: str | Network = "vgg19",
    weights: str | None = None,
    preprocessing: str = "auto",
    device: str = "auto",
    resume: PatchIndex | None = None,
    on_progress: Callable[[PatchProgress], None] | None = None,
    cancel: Event | None = None,
) -> PatchIndex:
    """The patches that excite the units of some layers most, over all positions of all images.

    Args:
        images: files and folders, pictures (PIL images, arrays), signals, or a mapping of names to them; all of one kind.
        layers: names, or "relu1_1,relu2_1", or "all"; all in the same pass. By default relu3_1, of a network without it all.
        units: which units of each layer: "all", "0-15", "3,17", or their numbers.
        top: how many patches each unit keeps.
        per_image: how many of them may be of one image (or of one group of nearly equal images).
        size: how large the network sees an image, which is never enlarged: its longest side in pixels (by default 512) or
            voxels (64), of series (125) and sounds (8000) the samples a second; or "full".
        network: by name, "vgg19", "vgg16" or one of another package; or a network, e.g. of :func:`impasto.wrap`.
        weights: of a network by name, as of :func:`impasto.load_weights`, as is ``preprocessing``.
        device: "auto", "cpu", "cuda", "mps".
        resume: the index of an interrupted search, made in the same way; its images are not seen again.
        on_progress: called after each image.
        cancel: once it is set, from wherever, no other image is looked at; the index of those before is not ``complete``,
            and can be gone on with.

    An image that cannot be read, or is too small for every layer, is listed in ``skipped``; one that is too small for some
    layers takes part in the others.

    Raises:
        SettingsError: a layer or a unit does not exist, a number is out of its range, or ``resume`` was made differently.
        SignalError: there is no image, none can be read, or they are of several kinds.
        ExploreInterrupted: Ctrl-C (KeyboardInterrupt); it carries the index so far.
    """
    known = constructor_of(network) if isinstance(network, str) else None
    if known and known.table:  # what is wrong is told before weights are read
        chosen_units(layers, units, known)
    top, per_image = whole(1)("top", top), whole(1)("per-image", per_image)
    if size is not None:
        size = parse_size(size)
    sources = find_sources(images)
    kind = common_kind(sources)
    size = views()[kind].size if size is None else size
    network, name = trained_network(weights, device, kind, preprocessing, network)
    chosen = chosen_units(layers, units, network)
    index = empty_index(chosen, network=name, size=size, top=top, per_image=per_image)
    index = replace(index, fields={layer: _endless(network, layer) for layer in chosen})
    if resume is not None:
        others = sorted(set(resume.images) - set(sources))
        if others:
            raise SettingsError(f"the search to go on with has seen {others[0]}, which is not among these images")
        index = index.merge(replace(resume, complete=True))
    try:
        for progress in search(network, sources, index, kind):
            index = progress.index
            if on_progress is not None:
                on_progress(progress)
            if cancel is not None and cancel.is_set() and progress.done < progress.total:
                return replace(index, complete=False)
    except KeyboardInterrupt:
        raise ExploreInterrupted(replace(index, complete=False)) from None
    if not index.images:
        reason = next(iter(index.skipped.values()))
        raise SignalError(f"none of {len(sources)} images can be explored; the first: {reason}")
    return index


def empty_index(units: Mapping[str, tuple[int, ...]], **how: int | str) -> PatchIndex:
    """The index of no image at all, for these units of these layers."""
    layers = {name: dict.fromkeys(numbers, ()) for name, numbers in units.items()}
    histograms = {name: np.zeros((len(numbers), BINS), np.int32) for name, numbers in units.items()}
    return PatchIndex(layers=layers, histograms=histograms, **how)  # pyright: ignore[reportArgumentType]


def search(network: Network, sources: Sources, index: PatchIndex, kind: str | None = None) -> Iterator[PatchProgress]:
    """Add the sources that ``index`` has not seen to it, one for each item; those of another ``kind`` are skipped."""
    left = [name for name in sources if name not in index.images and name not in index.skipped]
    groups = Groups(index.images.values())
    size = index.size

    def read(name: str) -> tuple[Signal, str]:
        signal = view(sources[name], size)
        if kind not in (None, signal.kind):
            raise SignalError(f"{name} is {medium_of(signal.kind).noun} among {medium_of(kind).plural(2)}")
        return signal, signature(signal)

    began = time.perf_counter()
    for done, (name, result) in enumerate(read_ahead(left, read), start=1):
        reason = str(result) if isinstance(result, Exception) else None
        if not isinstance(result, Exception):
            signal, own_signature = result
            reason = _obstacle(network, signal.shape, list(index.layers))
            if reason is None:
                try:
                    with memory_told(network.device, "give a smaller size"):
                        index = index.including(_patches_of(network, signal, name, index, groups.find(own_signature)))
                except SizeError as error:
                    reason = str(error)
        if reason is not None:
            index = index.without(name, reason)
        speed = done / (time.perf_counter() - began)
        seen = len(sources) - len(left) + done
        yield PatchProgress(index, seen, len(sources), speed, (len(left) - done) / speed)


def _obstacle(network: Network, shape: tuple[int, ...], layers: list[str]) -> str | None:
    """Why an image of this shape cannot be seen, if it cannot."""
    space = shape[-network.spatial_dims :]
    extent = " x ".join(str(n) for n in reversed(space))
    smallest = min((network.smallest_size([layer]), layer) for layer in layers)
    if min(space) < smallest[0]:
        return f"{extent} is too small for {smallest[1]}, which needs {smallest[0]} on each side"
    fitting = [layer for layer in layers if network.smallest_size([layer]) <= min(space)]
    seen = (prod(shape[: -network.spatial_dims]), 3, *space)
    needed, free = network.memory(seen, fitting, gradient=False), free_memory(network.device)
    if needed > free:
        return f"{extent} needs {needed / 2**30:.1f} GiB of memory and {free / 2**30:.1f} are free; give a smaller size"
    return None


def _patches_of(network: Network, signal: Signal, name: str, index: PatchIndex, group: str) -> PatchIndex:
    """The index of one image, for those units whose best patches it can change."""
    dims = network.spatial_dims
    lines, space = signal.shape[:-dims], signal.shape[-dims:]
    fitting = [layer for layer in index.layers if network.smallest_size([layer]) <= min(space)]
    with torch.inference_mode():
        activations = activations_of(network, torch.from_numpy(signal.values), fitting)
    layers: dict[str, dict[int, tuple[Patch, ...]]] = {}
    histograms: dict[str, NDArray[np.int32]] = {}
    for layer in fitting:
        units = index.layers[layer]
        a = activations.pop(layer)
        grid = tuple(a.shape[1:])
        a = a.flatten(1)
        numbers = np.fromiter(units, int)
        peaks = a.amax(1).cpu().numpy()[numbers]
        lowest = [patches[-1].activation if len(patches) == index.top else -np.inf for patches in units.values()]
        changed = numbers[peaks >= np.array(lowest, np.float32)]
        rows = a[torch.from_numpy(changed).to(a.device)].cpu().numpy()
        fields = [[(i, i + 1) for i in range(n)] for n in lines]
        fields += [_fields(network, layer, axis, extent) for axis, extent in enumerate(space)]
        found = layers[layer] = {}
        for unit, row, where in zip(changed.tolist(), rows, _highest(rows, min(index.per_image, index.top)), strict=True):
            positions = zip(*(axis.tolist() for axis in np.unravel_index(where, grid)), strict=True)
            found[unit] = tuple(
                Patch(name, activation, position, tuple(axis[i] for axis, i in zip(fields, position, strict=True)))
                for activation, position in zip(row[where].tolist(), positions, strict=True)
            )
        histograms[layer] = histogram_of(peaks)
    return replace(index, layers=layers, histograms=histograms, images={name: group}, skipped={})


def _highest(rows: NDArray[np.float32], count: int) -> Iterable[NDArray[np.int_]]:
    """For each row where its highest values are, in their order, of equal ones those that come first."""
    if count == 1:
        return rows.argmax(1)[:, None]
    return (_highest_of(row, min(count, row.size)) for row in rows)


def _highest_of(row: NDArray[np.float32], count: int) -> NDArray[np.int_]:
    where = np.flatnonzero(row >= np.partition(row, -count)[-count])
    return where[np.argsort(-row[where], kind="stable")][:count]


@lru_cache(256)
def _fields(network: Network, layer: str, axis: int, extent: int) -> list[Interval]:
    """The receptive field of each position of the layer along an axis of the image."""
    smallest = network.smallest_size([layer])
    space = [extent if i == axis else smallest for i in range(network.spatial_dims)]
    return [network.receptive_field(layer, i, extent, axis) for i in range(network.grid(layer, space)[axis])]


def _endless(network: Network, layer: str) -> tuple[Field, ...] | None:
    fields = [network.field(layer, axis) for axis in range(network.spatial_dims)]
    known = tuple(field for field in fields if field is not None)
    return known if len(known) == len(fields) else None
