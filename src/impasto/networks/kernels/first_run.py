"""What a first run on a machine takes time for, and later ones do not: a line when it begins, and one with how long it took.

The lines go to a log of their own, ``impasto.first_run``, which is silent in a library and told by the command line.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator

log = logging.getLogger("impasto.first_run")


class Spent:
    """The time spent in its blocks. The first one tells what is being done."""

    def __init__(self, doing: str) -> None:
        self.doing, self.seconds, self._began = doing, 0.0, 0.0

    def __enter__(self) -> None:
        if not self._began:
            log.info("%s; this is done once on a machine", self.doing)
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._began


@contextlib.contextmanager
def spending(doing: str, done: str) -> Iterator[Spent]:
    """Within it time may be spent, and at its end it is told how much."""
    spent = Spent(doing)
    try:
        yield spent
    finally:
        if spent.seconds:
            log.info("%s in %.1f s", done, spent.seconds)
