"""The progress of a transfer, as a bar or as lines in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from impasto.descent.descend import Evaluation, Progress

log = logging.getLogger("impasto")


@contextmanager
def progress_bar() -> Iterator[Callable[[Progress], None]]:
    """A bar on stderr; rich honours NO_COLOR."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    from impasto.descent.descend import pace

    columns = (
        TextColumn("painting"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
    )
    evaluations: list[Evaluation] = []
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")

        def tell(progress: Progress) -> None:
            e = progress.latest
            evaluations.append(e)
            seconds = pace(evaluations)
            left = f", {timedelta(seconds=round(seconds * progress.left))} left" if seconds else ""
            about = f"J {progress.best.cost:.4g}{_scale(progress)}{left}"
            bar.update(task, total=progress.iterations, completed=e.evaluation, description=about)

        yield tell


def log_progress(progress: Progress) -> None:
    """One line in the log for an evaluation."""
    e = progress.latest
    parts = " + ".join(f"{name} {value:.4g}" for name, value in e.costs.items())
    at = (e.evaluation, progress.iterations)
    log.info("%d/%d J %.5g = %s, %.1f s%s", *at, e.cost, parts, e.seconds, _scale(progress))


def _scale(progress: Progress) -> str:
    return f", scale {progress.latest.scale} of {progress.scales}" if progress.scales > 1 else ""
