"""The patches that excite a unit most (Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014).

One pass over the images: what is kept is the best patches of each unit, whatever the number of images. No activation
depends on which other images are seen (:class:`impasto.explore.responses.Responses`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from threading import Event

import numpy as np

from impasto.errors import SettingsError, SignalError
from impasto.explore.batches import in_batches
from impasto.explore.elsewhere import Elsewhere, elsewhere_of
from impasto.explore.index import BINS, ExploreInterrupted, PatchIndex
from impasto.explore.reading import read_images
from impasto.explore.responses import Responses
from impasto.explore.settings import PATCHES, Units, chosen_units, parse_size
from impasto.explore.sources import Source, Sources, common_kind, find_sources
from impasto.explore.table import Table
from impasto.explore.trained import trained_network
from impasto.media.registry import views
from impasto.networks.layers import Field
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
    towards: str | None = None,
    resume: PatchIndex | None = None,
    on_progress: Callable[[PatchProgress], None] | None = None,
    cancel: Event | None = None,
    executor: Executor | None = None,
) -> PatchIndex:
    """The patches that excite the units of some layers most, over all positions of all images.

    Args:
        images: files, folders, pictures (PIL images, arrays, tensors), signals, or a mapping of names to them; of one kind.
        layers: names, or "relu1_1,relu2_1", or "all"; all in the same pass. By default relu3_1, of a network without it all.
        units: which units of each layer: "all", "0-15", "3,17", or their numbers.
        top: how many patches each unit keeps, at least 1.
        per_image: how many of them, at least 1, may be of one image (or of one group of nearly equal images).
        size: how large the network sees an image, which is never enlarged: its longest side in pixels (by default 512) or
            voxels (64), of series (125) and sounds (8000) the samples a second; or "full".
        network: by name, "vgg19", "vgg16" or one of another package; or a network, e.g. of :func:`impasto.wrap`.
        weights: of a network by name, as of :func:`impasto.load_weights`, as is ``preprocessing``.
        device: "auto", "cpu", "cuda", "mps".
        towards: a unit further on, or a weighted sum of units, as of :func:`impasto.synthesise`: patches are then those that
            matter most for it, by activation times gradient.
        resume: the index of an interrupted search, made in the same way; its images are not seen again.
        on_progress: called after each image.
        cancel: once it is set, from wherever, no other image is looked at; the index of those before is not ``complete``,
            and can be gone on with.
        executor: looks at several images at once: an :class:`impasto.Cluster`, or any other, which gives the same index. The
            network must be one by name.

    An image that cannot be read, or is too small for every layer, is listed in ``skipped``; one that is too small for some
    layers takes part in the others.

    Raises:
        SettingsError: a layer or a unit does not exist, a number is out of its range, or ``resume`` was made differently.
        SignalError: there is no image, none can be read, or they are of several kinds.
        ClusterError: the cluster is lost.
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
    elsewhere = None
    if executor is not None:
        how = {"weights": weights, "device": device, "kind": kind, "preprocessing": preprocessing, "towards": towards}
        elsewhere = elsewhere_of(executor, network, **how)
    network, name = trained_network(weights, device, kind, preprocessing, network, towards)
    chosen = chosen_units(layers, units, network)
    index = empty_index(chosen, network=name, size=size, top=top, per_image=per_image)
    index = replace(index, fields={layer: _endless(network, layer) for layer in chosen})
    if resume is not None:
        others = sorted(set(resume.images) - set(sources))
        if others:
            raise SettingsError(f"the search to go on with has seen {others[0]}, which is not among these images")
        index = index.merge(replace(resume, complete=True))
    try:
        for progress in search(network, sources, index, kind, elsewhere):
            index = progress.index
            if on_progress is not None:
                on_progress(progress)
            if cancel is not None and cancel.is_set() and progress.done < progress.total:
                return replace(_plain(index), complete=False)
    except KeyboardInterrupt:
        raise ExploreInterrupted(replace(_plain(index), complete=False)) from None
    if not index.images:
        reason = next(iter(index.skipped.values()))
        raise SignalError(f"none of {len(sources)} images can be explored; the first: {reason}")
    return _plain(index)


def empty_index(units: Mapping[str, tuple[int, ...]], **how: int | str) -> PatchIndex:
    """The index of no image at all, for these units of these layers."""
    layers = {name: dict.fromkeys(numbers, ()) for name, numbers in units.items()}
    histograms = {name: np.zeros((len(numbers), BINS), np.int32) for name, numbers in units.items()}
    return PatchIndex(layers=layers, histograms=histograms, **how)  # pyright: ignore[reportArgumentType]


def search(
    network: Network, sources: Sources, index: PatchIndex, kind: str | None = None, elsewhere: Elsewhere | None = None
) -> Iterator[PatchProgress]:
    """Add the sources that ``index`` has not seen to it, one for each item; those of another ``kind`` are skipped."""
    left = [name for name in sources if name not in index.images and name not in index.skipped]
    table = Table(network, left, index)
    count = min(index.per_image, index.top)
    with ExitStack() as ended:
        if elsewhere is None:
            responses = Responses(network, table, count)
            items = ended.enter_context(closing(read_images(left, sources, index.size, kind, network.device.type)))
            looked = in_batches(responses, items, together=responses.together)
        else:
            looked = elsewhere.look(table, [(name, sources[name]) for name in left], index.size, kind, count)
        began = time.perf_counter()
        for done, (found, signature, shape) in enumerate(looked, start=1):
            if isinstance(found, str):
                table.skip(done - 1, found)
            else:
                table.add(done - 1, signature, shape, found)
            speed = done / (time.perf_counter() - began)
            before = len(sources) - len(left)
            yield PatchProgress(table.index, before + done, len(sources), speed, (len(left) - done) / speed)


def _plain(index: PatchIndex) -> PatchIndex:
    """The same index with patches in place of the arrays of the search, which it would keep."""
    return index.select(index.units())


def _endless(network: Network, layer: str) -> tuple[Field, ...] | None:
    fields = [network.field(layer, axis) for axis in range(network.spatial_dims)]
    known = tuple(field for field in fields if field is not None)
    return known if len(known) == len(fields) else None
