"""What a run will take: measured on this computer, not guessed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import prod
from threading import Lock

import numpy as np
import psutil

from impasto.signals.image import scaled_shape
from impasto.studio.stage import span
from impasto.transfer.descent import Evaluation
from impasto.transfer.estimate import memory_needed
from impasto.transfer.kinds.kind import table_of
from impasto.transfer.settings import TransferSettings
from impasto.transfer.style_transfer import transfer_style

_PROBE = 160  # pixels; smaller pictures do not tell the speed of large ones


class Speed:
    """Seconds that one evaluation takes for each pixel, as the newest run has shown."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seconds_per_pixel: float | None = None

    def measure(self) -> None:
        """Evaluate J a few times, which also wakes up what is slow at its first use."""
        random = np.random.default_rng(0).random((_PROBE, _PROBE, 3))
        times: list[float] = []
        transfer_style(
            random, random, TransferSettings(size=_PROBE, iterations=4), on_progress=lambda _: times.append(time.monotonic())
        )
        self.learn(min(np.diff(times)), (_PROBE, _PROBE))

    def learn(self, seconds: float, shape: Sequence[int]) -> None:
        """An evaluation took so long at this size."""
        with self._lock:
            self._seconds_per_pixel = seconds / prod(shape)

    def of(self, history: Sequence[Evaluation], shape: Sequence[int]) -> None:
        """Learn from the evaluations of a run."""
        if len(history) > 1:
            self.learn((history[-1].seconds - history[0].seconds) / (len(history) - 1), shape)

    def tell(self, shape: tuple[int, int], settings: TransferSettings) -> str:
        """Time and memory of painting a picture of (height, width), in a few words."""
        known = settings.for_kind("image")
        assert known.iterations is not None
        target = max(shape) if known.size == "full" else int(known.size or 0)
        scaled = scaled_shape(shape, target)
        memory = memory_needed(table_of(known), scaled)
        words = f"{memory / 2**30:.1f} GB"
        if memory > psutil.virtual_memory().available:
            return f"{words} of memory: more than is free"
        if self._seconds_per_pixel is not None:
            words = f"about {span(self._seconds_per_pixel * prod(scaled) * known.iterations)} · {words}"
        return f"{scaled[1]} × {scaled[0]} · {words}"
