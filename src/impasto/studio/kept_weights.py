"""The weights of the network stay for some minutes after a painting: the next one mostly needs them, and begins sooner."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor

from impasto.networks.sharing import weights_kept

_SECONDS = 300.0


class KeptWeights:
    """The weights that were used last, for ``seconds`` after their use."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: dict[Hashable, Mapping[str, Tensor]] = {}
        self._timer: threading.Timer | None = None

    @contextmanager
    def used(self) -> Iterator[None]:
        """What is painted within it finds the weights that were used last, and leaves its own."""
        self._wait(None)
        own: dict[Hashable, Mapping[str, Tensor]] = {}
        try:
            with weights_kept(own):
                yield
        finally:
            self._kept = own
            self._wait(self._seconds)

    def drop(self) -> None:
        """Keep them no longer."""
        self._wait(None)
        self._kept = {}

    def _wait(self, seconds: float | None) -> None:
        """Drop them after so many seconds and not before; never if None."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None if seconds is None else threading.Timer(seconds, self.drop)
            if self._timer is not None:
                self._timer.daemon = True
                self._timer.start()
