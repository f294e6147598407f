"""The progress of a transfer, as a bar or as lines in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from impasto.transfer.descent import Progress

log = logging.getLogger("impasto")


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None]]:
    """A bar on stderr; rich honours NO_COLOR."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("painting"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")
        yield lambda progress: bar.update(
            task,
            total=progress.iterations,
            completed=progress.latest.evaluation,
            description=f"J {progress.best.cost:.4g}{_scale(progress)}",
        )


def log_progress(progress: Progress) -> None:
    """One line in the log for an evaluation."""
    e = progress.latest
    log.info(
        "%d/%d J %.5g content %.4g style %.4g, %.1f s%s",
        e.evaluation, progress.iterations, e.cost, e.content_cost, e.style_cost, e.seconds, _scale(progress),
    )  # fmt: skip


def _scale(progress: Progress) -> str:
    return f", scale {progress.latest.scale} of {progress.scales}" if progress.scales > 1 else ""
