"""What a run will take: measured on this computer, not guessed."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from threading import Event

import numpy as np

from impasto.descent.descend import Evaluation, intervals, pace
from impasto.descent.memory import fit, gibibytes
from impasto.media.image.read import scaled_shape
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from impasto.networks.tiling.plan import Task
from impasto.studio.components.result_view import span
from impasto.studio.uploads import Upload
from impasto.transfer.painter import transfer_style
from impasto.transfer.resolve import resolve
from impasto.transfer.scales import evaluations_at, plan_scales
from impasto.transfer.settings import TransferSettings

_PATIENCE = 20  # seconds that a visitor waits for the first measurement
_PROBE = 160  # pixels; smaller pictures do not tell the speed of large ones
_LOOKS = 8  # evaluations of the first measurement
_PROBED = "image"  # the kind of signal that is measured before anything is painted


class Speed:
    """How many seconds an evaluation takes for each position of a signal: for every kind as measured in the newest run."""

    def __init__(self) -> None:
        self._known = Event()
        self._seconds: dict[str, float] = {}

    def measure(self, cancel: Event | None = None) -> None:
        """Measure it for pictures, by a tiny painting, which also does what takes long only the first time."""
        random = np.random.default_rng(0).random((_PROBE, _PROBE, 3))
        painting = transfer_style(random, random, TransferSettings(size=_PROBE, iterations=_LOOKS), cancel=cancel)
        # the shortest, as the others were slowed down by the studio itself, which is just being opened
        self._keep(_PROBED, min(intervals(painting.history)), painting.signal.shape)

    def learn(self, evaluations: Sequence[Evaluation], shape: Sequence[int], kind: str = _PROBED) -> None:
        """Take it from the evaluations of a run, in their order; ``shape`` is that of the last scale."""
        seconds = pace(evaluations)
        if seconds is not None:
            self._keep(kind, seconds, shape)

    def _keep(self, kind: str, seconds: float, shape: Sequence[int]) -> None:
        self._seconds[kind] = seconds / prod(shape)
        self._known.set()

    def tell(self, upload: Upload, settings: TransferSettings) -> str:
        """Time and memory of painting a signal, in a few words; of what is no picture the time alone, and only after a run
        of the same kind.

        While the first measurement is under way it is waited for, but not for long.

        Raises:
            SizeError: the memory is too small for it.
        """
        medium = medium_of(upload.kind)
        _, known = resolve(settings, medium, max(upload.shape))
        content = Signal(np.broadcast_to(np.float32(0), (1, *upload.shape)), upload.kind)  # only its shape is looked at
        scales = plan_scales(medium, known, content)
        evaluations = evaluations_at(scales[-1], scales, len(upload.shape))
        if not medium.is_picture:
            seconds = self._seconds.get(upload.kind, 0) * prod(upload.shape) * evaluations
            return upload.extent + (f" · about {span(seconds)}" if seconds else "")
        height, width = upload.shape
        scaled = scaled_shape((height, width), known.size or max(upload.shape))
        task = Task(known.table, scaled, 3, 1, known.objective.targets, scaled)
        words = gibibytes(fit(task, known.limits).memory)
        if self._known.wait(_PATIENCE) and (seconds := self._seconds.get(upload.kind) or self._seconds.get(_PROBED)):
            words = f"about {span(seconds * prod(scaled) * evaluations)} · {words}"
        return f"{scaled[1]} × {scaled[0]} · {words}"
