"""A search for patches by an executor: images are looked at in other processes, and what is found is put together here.

It is put together in the order of the images, as if they had been looked at here: so the index is the same, near duplicates
included, however many workers there are and whichever of them dies.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from impasto.cluster.executor import Cluster, TaskKilled, give_up
from impasto.cluster.worker import compute_with
from impasto.errors import SettingsError, SignalError
from impasto.explore.batches import Looked, in_batches
from impasto.explore.reading import read_images
from impasto.explore.responses import Responses
from impasto.explore.sources import Source
from impasto.explore.table import Found, Table
from impasto.explore.trained import trained_network
from impasto.files import first_line, is_file
from impasto.networks.network import Network

# so many images are looked at by a task
_IMAGES = 16


@dataclass(frozen=True)
class Bar:
    """What an image must reach: stands for the table where that is not.

    Attributes:
        units: the numbers of the units of each layer.
        lowest: for each row the activation below which no patch counts, as it was when the task was made; by now it may be
            higher, so that some are sent in vain.
    """

    units: Mapping[str, NDArray[np.int_]]
    lowest: NDArray[np.float32]

    def rows(self, layers: tuple[str, ...]) -> NDArray[np.int_]:
        """Which rows the units of these layers have, in the order of the layers."""
        ends = dict(zip(self.units, np.cumsum([len(units) for units in self.units.values()]).tolist(), strict=True))
        return np.concatenate([np.arange(ends[layer] - len(self.units[layer]), ends[layer]) for layer in layers])

    def may_change(self, image: int, rows: NDArray[np.int_], peaks: NDArray[np.float32]) -> NDArray[np.bool_]:
        """In which rows an image may put a patch, if these are its highest activations."""
        return peaks >= self.lowest[rows]


@dataclass(frozen=True)
class Elsewhere:
    """An executor, and the network by which it looks at images.

    Attributes:
        executor: does it.
        network: what :func:`impasto.explore.trained.trained_network` takes.
        threads: with which each task computes.
    """

    executor: Executor
    network: Mapping[str, Any]
    threads: int

    def look(
        self, table: Table, images: Sequence[tuple[str, Source]], size: int | str, kind: str | None, count: int
    ) -> Iterator[Looked]:
        """What may be among the best patches in each image, in their order.

        Raises:
            SignalError: the executor has died.
            ClusterError: the cluster is lost.
        """
        cluster = self.executor if isinstance(self.executor, Cluster) else None
        waiting: deque[tuple[Future[Any], Sequence[tuple[str, Source]]]] = deque()
        ahead = 2 * (cluster.ahead if cluster else os.cpu_count() or 1)
        each = max(1, min(_IMAGES, len(images) // (2 * ahead)))
        parts = [[(name, _findable(one)) for name, one in images[i : i + each]] for i in range(0, len(images), each)]

        def submit(part: Sequence[tuple[str, Source]]) -> Future[Any]:
            bar = Bar(table.units, table.lowest())
            return self.executor.submit(look_elsewhere, part, bar, size, kind, count, self.network, self.threads)

        try:
            for part in parts:
                waiting.append((submit(part), part))
                if len(waiting) > ahead:
                    yield from _looked(*waiting.popleft(), submit)
            while waiting:
                yield from _looked(*waiting.popleft(), submit)
        except BrokenExecutor as error:
            raise SignalError(f"a worker died, and with it its executor ({first_line(error)})") from None
        finally:
            give_up([future for future, _ in waiting], self.executor)


def elsewhere_of(executor: Executor, network: str | Network, **how: Any) -> Elsewhere:
    """An executor with a network by name.

    Raises:
        SettingsError: the network is not given by its name.
    """
    if not isinstance(network, str):
        raise SettingsError("a network that is given itself cannot be sent to an executor; its name was expected")
    if how.get("weights") and is_file(how["weights"]):
        how["weights"] = str(Path(how["weights"]).absolute())
    threads = executor.threads if isinstance(executor, Cluster) else torch.get_num_threads()
    return Elsewhere(executor, {"network": network, **how}, threads)


def look_elsewhere(
    images: Sequence[tuple[str, Source]],
    bar: Bar,
    size: int | str,
    kind: str | None,
    count: int,
    network: Mapping[str, Any],
    threads: int,
    tell: Callable[[Any], object] | None = None,
    cancel: Event | None = None,
) -> list[Looked]:
    """In a worker: what may be among the best patches in each image; of fewer images once it is cancelled.

    Raises:
        SettingsError: this is no worker of a cluster, and torch has another number of threads here.
    """
    compute_with(threads, told=tell is not None)
    known, _ = trained_network(**network)
    responses = Responses(known, bar, count)
    sources = dict(images)
    with closing(read_images(list(sources), sources, size, kind, known.device.type, cancel)) as items:
        return [_light(looked) for looked in in_batches(responses, items, together=responses.together)]


def _looked(
    future: Future[Any], part: Sequence[tuple[str, Source]], submit: Callable[[Sequence[tuple[str, Source]]], Future[Any]]
) -> Iterator[Looked]:
    """What a task has found; if it has killed its workers, its images one by one, without the one that did."""
    try:
        yield from future.result()
    except TaskKilled as error:
        if len(part) == 1:
            yield Looked(str(error))
            return
        for image in part:
            yield from _looked(submit([image]), [image], submit)


def _findable(source: Source) -> Source:
    """The same with a path that leads there from any folder."""
    return Path(source).absolute() if isinstance(source, str | Path) else source


def _light(looked: Looked) -> Looked:
    """The same in fewer bytes, as it is sent."""
    found = looked.found
    if isinstance(found, str):
        return looked
    rows: Any = found.rows.astype(np.int32)
    bins: Any = found.bins.astype(np.uint8)
    return looked._replace(found=Found(rows, found.activations, found.places, bins, found.grids))
