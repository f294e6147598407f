"""The figures of the Learn tab: what each part of J does alone, and all together, computed with one's own pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from impasto.descent.descend import Progress
from impasto.media.signal import Signal
from impasto.studio.components.preview import preview_signal
from impasto.studio.components.result_view import data_uri
from impasto.studio.jobs import Job, JobStoppedError
from impasto.transfer.painter import transfer_style
from impasto.transfer.settings import TransferSettings

_SECONDS_BETWEEN = 0.5  # two updates of a picture
_SIZE = 128
LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def _from_noise(iterations: int, **settings: Any) -> TransferSettings:
    return TransferSettings(size=_SIZE, init="random", iterations=iterations, **settings)


FIGURES: Mapping[str, TransferSettings] = {
    **{f"sees {layer}": _from_noise(35, beta=0.0, content_layers=layer) for layer in LAYERS},
    "content": _from_noise(40, beta=0.0),
    **{f"style {layer}": _from_noise(35, alpha=0.0, beta=1.0, style_layers=layer) for layer in LAYERS},
    "style": _from_noise(40, alpha=0.0, beta=1.0),
    "both": _from_noise(80),
}
"""What is painted, in the order of the page; every descent starts from the same noise."""

_WHOLE = sum(settings.iterations or 0 for settings in FIGURES.values())


@dataclass(frozen=True)
class LearnProgress:
    """How far the figures are.

    Attributes:
        figures: the pictures that are there, as data URIs; the one at work is the last.
        working: its name.
        share: how much of the whole is done, 0..1.
        seconds_left: until the end.
    """

    figures: Mapping[str, str] = field(default_factory=dict[str, str])
    working: str = ""
    share: float = 0.0
    seconds_left: float = 0.0


def compute_figures(content: Path, style: Path) -> Callable[[Job], None]:
    """The work of painting all figures; each is shown while it descends."""

    def work(job: Job) -> None:
        figures: dict[str, str] = {}
        began = last = time.monotonic()
        before = 0
        for name, settings in FIGURES.items():

            def watch(progress: Progress, name: str = name, before: int = before) -> None:
                nonlocal last
                now = time.monotonic()
                if name not in figures or now - last > _SECONDS_BETWEEN:
                    last, done = now, before + progress.latest.evaluation
                    figures[name] = data_uri(preview_signal(Signal(progress.best_generated[0].cpu().numpy())))
                    left = (now - began) * (_WHOLE - done) / done
                    job.show(LearnProgress(dict(figures), name, done / _WHOLE, left))
                job.look()

            painting = transfer_style(content, style, settings, on_progress=watch, cancel=job.cancel)
            if not painting.finished:
                raise JobStoppedError
            figures[name] = data_uri(preview_signal(painting.signal))
            before += settings.iterations or 0
        job.show(LearnProgress(figures, share=1.0))

    return work
