"""What a run will take: measured on this computer, not guessed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import prod
from threading import Event, Lock

import numpy as np

from impasto.descent.descend import Evaluation, intervals, pace
from impasto.descent.memory import fit, gibibytes
from impasto.errors import ImpastoError
from impasto.media.image.read import scaled_shape
from impasto.media.registry import medium_of
from impasto.media.signal import Signal
from impasto.networks.tiling.plan import Task
from impasto.studio.components.result_view import span
from impasto.studio.uploads import Upload
from impasto.transfer.dry_run import dry_run
from impasto.transfer.inputs import take_in
from impasto.transfer.painter import transfer_style
from impasto.transfer.resolve import resolve
from impasto.transfer.scales import evaluations_at, plan_scales
from impasto.transfer.settings import TransferSettings

_PATIENCE = 20  # seconds that a visitor waits for the first measurement
_PROBE = 160  # pixels; smaller pictures do not tell the speed of large ones
_LOOKS = 8  # evaluations of the first measurement
_PROBED = "image"  # the kind of signal that is measured before anything is painted


def _signature(kind: str, settings: TransferSettings, styles: int) -> Hashable:
    """What makes an evaluation fast or slow, beside the size of a picture."""
    names = (
        "network",
        "method",
        "style_cost",
        "optimizer",
        "content_layers",
        "style_layers",
        "device",
        "precision",
        "memory",
    )
    grid = () if medium_of(kind).is_picture else (settings.size, settings.working_rate)
    masks = (settings.protect is not None, settings.content_mask is not None)
    return (kind, styles, settings.draw, settings.stroke, *masks, *(getattr(settings, name) for name in names), *grid)


def foreseen_size(upload: Upload, settings: TransferSettings) -> tuple[int, ...]:
    """The height and width at which a picture will be painted; empty for other signals, and for what will be refused."""
    medium = medium_of(upload.kind)
    if not medium.is_picture:
        return ()
    try:
        _, known = resolve(settings, medium, max(upload.shape))
    except ImpastoError:
        return ()
    height, width = upload.shape
    return scaled_shape((height, width), known.size or max(upload.shape))


class Speed:
    """How many seconds an evaluation takes for each position of a signal.

    It is known by the kind, and by the kind with the settings that change it, from the newest run or from a few evaluations
    with the files that are to be painted.
    """

    def __init__(self) -> None:
        self._known = Event()
        self._measuring = Lock()
        self._seconds: dict[Hashable, float] = {}

    def measure(self, cancel: Event | None = None) -> None:
        """Measure it for pictures, by a tiny painting, which also does what takes long only the first time."""
        random = np.random.default_rng(0).random((_PROBE, _PROBE, 3))
        with self._measuring:
            painting = transfer_style(random, random, TransferSettings(size=_PROBE, iterations=_LOOKS), cancel=cancel)
        # the shortest, as the others were slowed down by the studio itself, which is just being opened
        self._keep(_PROBED, min(intervals(painting.history)), painting.signal.shape)

    def learn(
        self,
        evaluations: Sequence[Evaluation],
        shape: Sequence[int],
        kind: str = _PROBED,
        settings: TransferSettings | None = None,
        styles: int = 1,
    ) -> None:
        """Take it from the evaluations of a run, in their order; ``shape`` is that of the last scale."""
        seconds = pace(evaluations)
        if seconds is not None:
            self._keep(kind, seconds, shape)
            if settings is not None:
                self._keep(_signature(kind, settings, styles), seconds, shape)

    def _keep(self, key: Hashable, seconds: float, shape: Sequence[int]) -> None:
        self._seconds[key] = seconds / prod(shape)
        self._known.set()

    def _each(self, upload: Upload, styles: Sequence[Upload], settings: TransferSettings, work: float) -> float:
        """Seconds of an evaluation for each position, measured now if that was not done yet; 0 if it is not known.

        ``work`` is how many evaluations of one position there will be.
        """
        key = _signature(upload.kind, settings, len(styles))
        if styles and key not in self._seconds:
            with self._measuring:  # two measurements at once would both be wrong
                if key not in self._seconds:
                    inputs = take_in(upload.path, [(style.path, style.weight) for style in styles], settings)
                    self._seconds[key] = dry_run(inputs).seconds / work
        found = self._seconds.get(key) or self._seconds.get(upload.kind)
        if found or not medium_of(upload.kind).is_picture:
            return found or 0.0
        return self._seconds.get(_PROBED, 0.0) if self._known.wait(_PATIENCE) else 0.0

    def tell(self, upload: Upload, settings: TransferSettings, styles: Sequence[Upload] = ()) -> str:
        """Time and memory of painting a signal, in a few words; of what is no picture the time alone.

        With the styles it is measured once for all runs that are alike, which takes some seconds. Without them it is as in
        runs of the same kind; while the first measurement is under way it is waited for, but not for long.

        Raises:
            ImpastoError: it cannot be painted like this.
        """
        medium = medium_of(upload.kind)
        _, known = resolve(settings, medium, max(upload.shape))
        content = Signal(np.broadcast_to(np.float32(0), (1, *upload.shape)), upload.kind)  # only its shape is looked at
        scales = plan_scales(medium, known, content)
        evaluations = evaluations_at(scales[-1], scales, len(upload.shape))
        if not medium.is_picture:
            work = prod(upload.shape) * evaluations
            seconds = self._each(upload, styles, settings, work) * work
            return upload.extent + (f" · about {span(seconds)}" if seconds else "")
        height, width = upload.shape
        scaled = scaled_shape((height, width), known.size or max(upload.shape))
        task = Task(known.table, scaled, 3, 1, known.objective.targets, scaled)
        words = gibibytes(fit(task, known.limits).memory)
        work = prod(scaled) * evaluations
        if seconds := self._each(upload, styles, settings, work) * work:
            words = f"about {span(seconds)} · {words}"
        return f"{scaled[1]} × {scaled[0]} · {words}"
