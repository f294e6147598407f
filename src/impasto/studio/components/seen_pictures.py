"""Pictures in memory as the network saw them: a page of units shows patches of nearly all of them, again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from impasto.explore.sources import Source, Sources, view
from impasto.media.registry import medium_of
from impasto.media.signal import Signal

_MOST_BYTES = 2**25


class SeenPictures(Mapping[str, Source]):
    """The same sources, of which pictures are kept with 8 bits a channel once they were read, the newest 32 MiB of them.

    Args:
        sources: where they are read.
        size: of their longest side, as of :func:`impasto.explore.sources.view`.
    """

    def __init__(self, sources: Sources, size: int | str) -> None:
        self._sources, self._size = sources, size
        self._kept: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> Source:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
        signal = view(self._sources[name], self._size)
        if medium_of(signal.kind).is_picture:
            self._keep(name, signal)
        return signal

    def _keep(self, name: str, picture: Signal) -> None:
        samples = np.moveaxis((255 * picture.values.clip(0, 1)).round().astype(np.uint8), 0, -1)
        samples = np.ascontiguousarray(samples[..., 0] if samples.shape[2] == 1 else samples)
        with self._lock:
            if name in self._kept:
                return
            self._kept[name] = samples
            self._bytes += samples.nbytes
            while self._bytes > _MOST_BYTES and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)
