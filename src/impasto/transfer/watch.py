"""What one does with the progress of a transfer: keep a trace, keep pictures, draw the curves of J."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.signals.files import write_whole
from impasto.signals.image_output import write_image
from impasto.signals.signal import Signal
from impasto.transfer.descent import Evaluation, Progress

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Watcher = Callable[[Progress], None]


def trace_to(path: Path) -> Watcher:
    """Write every evaluation to ``path`` as one line of JSON, at once."""

    def watch(progress: Progress) -> None:
        mode = "w" if progress.latest.evaluation == 1 else "a"
        with path.open(mode, encoding="utf-8") as file:
            file.write(json.dumps(asdict(progress.latest)) + "\n")

    return watch


def frames_to(folder: Path, every: int) -> Watcher:
    """Write G to ``folder`` as ``frame_00001.png``, ..., at the first, at each ``every``-th and at the last evaluation."""

    def watch(progress: Progress) -> None:
        number = progress.latest.evaluation
        if number == 1:
            folder.mkdir(parents=True, exist_ok=True)
        if number == 1 or number % every == 0 or number == progress.iterations:
            picture = Signal(progress.generated[0].cpu().numpy())
            write_image(picture, folder / f"frame_{number:05d}.png")

    return watch


def draw_costs(history: Sequence[Evaluation]) -> Figure:
    """J, its content and style cost and the share of each style layer over the evaluations."""
    import matplotlib
    from matplotlib.figure import Figure

    numbers = [evaluation.evaluation for evaluation in history]
    curves = {
        "J": [e.cost for e in history],
        "content cost": [e.content_cost for e in history],
        "style cost": [e.style_cost for e in history],
    }
    with matplotlib.rc_context({"axes.spines.top": False, "axes.spines.right": False, "font.size": 9}):
        figure = Figure(figsize=(10, 4.2), layout="constrained")
        costs, layers = figure.subplots(1, 2)
        for label, values in curves.items():
            costs.plot(numbers, values, label=label)
        for name in history[0].style_cost_by_layer:
            layers.plot(numbers, [e.style_cost_by_layer[name] for e in history], label=name)
        costs.set_title("J = α · content cost + β · style cost", loc="left")
        layers.set_title("λ · style cost of each layer", loc="left")
        for axes in (costs, layers):
            axes.set_yscale("log", nonpositive="mask")
            axes.set_xlabel("evaluation")
            axes.grid(alpha=0.25)
            axes.legend(frameon=False)
    return figure


def write_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as .png, .svg or .pdf, whole or not at all.

    Raises:
        SignalError: the file cannot be written.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format=Path(path).suffix.lower().lstrip("."), dpi=150)
    write_whole(path, buffer.getvalue())
