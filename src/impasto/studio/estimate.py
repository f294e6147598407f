"""What a run will take: measured on this computer, not guessed."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from threading import Event

import numpy as np

from impasto.signals.image import scaled_shape
from impasto.studio.guard import Upload
from impasto.studio.stage import span
from impasto.transfer.descent import Evaluation
from impasto.transfer.estimate import fit, gibibytes
from impasto.transfer.kinds.kind import table_of
from impasto.transfer.plan import Task
from impasto.transfer.settings import TransferSettings
from impasto.transfer.style_transfer import transfer_style

_PATIENCE = 20  # seconds
_PROBE = 160  # pixels; smaller pictures do not tell the speed of large ones


class Speed:
    """Seconds that one evaluation takes for each value of a kind of signal, as the newest run has shown."""

    def __init__(self) -> None:
        self._known = Event()
        self._seconds: dict[str, float] = {}

    def measure(self) -> None:
        """Evaluate J a few times, which also wakes up what is slow at its first use."""
        random = np.random.default_rng(0).random((_PROBE, _PROBE, 3))
        painting = transfer_style(random, random, TransferSettings(size=_PROBE, iterations=4))
        self.learn(painting.history, painting.signal.shape)

    def learn(self, evaluations: Sequence[Evaluation], shape: Sequence[int], kind: str = "image") -> None:
        """See how long these evaluations, one after the other, took at this size."""
        if len(evaluations) > 1:
            seconds = (evaluations[-1].seconds - evaluations[0].seconds) / (len(evaluations) - 1)
            self._seconds[kind] = seconds / prod(shape)
            self._known.set()

    def tell(self, upload: Upload, settings: TransferSettings) -> str:
        """Time and memory of painting a signal, in a few words; of what is no picture, the time of one like the last.

        While the first measurement is under way it is waited for, but not for long.

        Raises:
            SizeError: the memory is too small for it.
        """
        known = settings.for_kind(upload.kind)
        assert known.iterations is not None
        if upload.kind != "image":
            seconds = self._seconds.get(upload.kind, 0) * prod(upload.shape) * known.iterations
            return upload.extent + (f" · about {span(seconds)}" if seconds else "")
        height, width = upload.shape
        target = max(upload.shape) if known.size == "full" else int(known.size or 0)
        scaled = scaled_shape((height, width), target)
        task = Task(table_of(known), scaled, 3, 1, tuple(known.content_weights), scaled)
        words = gibibytes(fit(task, known).memory)
        if self._known.wait(_PATIENCE) and "image" in self._seconds:
            words = f"about {span(self._seconds['image'] * prod(scaled) * known.iterations)} · {words}"
        return f"{scaled[1]} × {scaled[0]} · {words}"
