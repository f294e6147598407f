"""Around a search for patches: what was found is kept now and then, and progress is shown as a bar."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from impasto.explore.index import PatchIndex
    from impasto.explore.patches import PatchProgress

CHECKPOINT_SECONDS = 60
# the index of a million images takes seconds to write: that shall be no more of the time than this
_SHARE = 0.02
_LONGEST = 1800.0


def keep_index(index: PatchIndex, state: Path) -> None:
    """Save what was found as a search to be gone on with."""
    state.parent.mkdir(exist_ok=True)
    replace(index, complete=False).save(state)


def keeper(state: Path) -> Callable[[PatchProgress], None]:
    """Save the index now and then, so that not even a power cut loses a night."""
    last, pause = time.monotonic(), float(CHECKPOINT_SECONDS)

    def keep(progress: PatchProgress) -> None:
        nonlocal last, pause
        began = time.monotonic()
        if began - last > pause:
            keep_index(progress.index, state)
            last = time.monotonic()
            pause = max(CHECKPOINT_SECONDS, min((last - began) / _SHARE, _LONGEST))

    return keep


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on stderr, if people read it: how many of how many, and a remark; rich honours NO_COLOR."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total, remark: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")

        def update(done: int, total: int, remark: str) -> None:
            bar.update(task, completed=done, total=total, description=remark)

        yield update
