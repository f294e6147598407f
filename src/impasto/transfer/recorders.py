"""Record the progress of a transfer: a trace of J, pictures of G, and a figure of the curves of J."""

from __future__ import annotations

import io
import json
import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.descent.descend import Evaluation, Progress
from impasto.errors import SignalError
from impasto.files import write_whole
from impasto.media.figures import plain_look
from impasto.media.image.write import write_image
from impasto.media.signal import Signal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger("impasto")

Watcher = Callable[[Progress], None]


def trace_to(path: Path, before: Sequence[Evaluation] = ()) -> Watcher:
    """A watcher that writes each evaluation to ``path`` at once, as a line of JSON; before the first those ``before``."""
    begun = False

    def watch(progress: Progress) -> None:
        nonlocal begun
        with path.open("a" if begun else "w", encoding="utf-8") as file:
            for evaluation in [progress.latest] if begun else [*before, progress.latest]:
                file.write(json.dumps(evaluation.as_dict()) + "\n")
        begun = True

    return watch


def frames_to(folder: Path, every: int) -> Watcher:
    """A watcher that writes G as ``folder/frame_00001.png``, ... at the first, each ``every``-th and the last evaluation."""

    def watch(progress: Progress) -> None:
        number = progress.latest.evaluation
        folder.mkdir(parents=True, exist_ok=True)
        if number == 1 or number % every == 0 or number == progress.iterations:
            picture = Signal(progress.generated[0].cpu().numpy())
            write_image(picture, folder / f"frame_{number:05d}.png")

    return watch


def optional(watcher: Watcher, what: str) -> Watcher:
    """The watcher, but if it fails to write it warns and stops, so that a full disk does not end the painting."""
    failed = False

    def watch(progress: Progress) -> None:
        nonlocal failed
        try:
            if not failed:
                watcher(progress)
        except (OSError, SignalError) as error:
            failed = True
            log.warning("%s ends here, the painting goes on: %s", what, error)

    return watch


def draw_costs(history: Sequence[Evaluation]) -> Figure:
    """J, what each term adds to it, and what each layer adds to a term, over the evaluations; a line before each scale."""
    from matplotlib.figure import Figure

    numbers = [evaluation.evaluation for evaluation in history]
    curves = {
        "J": [e.cost for e in history],
        **{name: [e.costs.get(name, math.nan) for e in history] for name in _names(e.costs for e in history)},
    }
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    costs, layers = figure.subplots(1, 2)
    for label, values in curves.items():
        costs.plot(numbers, values, label=label)
    for name in _names(e.by_layer for e in history):
        of_term = [e.by_layer.get(name, {}) for e in history]
        every = _names(of_term)
        for layer in every if len(every) > 1 else ():
            layers.plot(numbers, [costs_of.get(layer, math.nan) for costs_of in of_term], label=f"{name} {layer}")
    costs.set_title("J and its terms", loc="left")
    layers.set_title("What each layer adds to its term", loc="left")
    for axes in (costs, layers):
        for first in (b.evaluation for a, b in pairwise(history) if b.scale > a.scale):
            axes.axvline(first - 0.5, color="0.7", linewidth=1, zorder=0)
        axes.set_yscale("log", nonpositive="mask")
        axes.set_xlabel("evaluation")
        axes.grid(alpha=0.25)
        if axes.lines:
            axes.legend(frameon=False)
    return plain_look(figure)


def _names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The keys of all rows, each once."""
    return list(dict.fromkeys(name for row in rows for name in row))


def write_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as .png, .svg or .pdf, whole or not at all.

    Raises:
        SignalError: the file cannot be written.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format=Path(path).suffix.lower().lstrip("."), dpi=150)
    write_whole(path, buffer.getvalue())
