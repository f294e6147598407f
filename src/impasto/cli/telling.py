"""What the library tells on its way: a line on stderr each, and none twice."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger("impasto")
_first_run = logging.getLogger("impasto.first_run")


@contextmanager
def told_on_stderr() -> Iterator[None]:
    """Within it warnings of the library are lines on stderr; what is told of a file each time it is read, once."""
    handler, levels = logging.StreamHandler(sys.stderr), (log.level, _first_run.level)
    handler.setFormatter(logging.Formatter("impasto: %(message)s"))
    handler.addFilter(_new_ones())
    log.addHandler(handler)
    set_level(verbose=False, quiet=False)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(levels[0])
        _first_run.setLevel(levels[1])


def set_level(*, verbose: bool, quiet: bool) -> None:
    """How much is told: each evaluation, nothing but errors, or what people should know, also of a first run."""
    log.setLevel(logging.INFO if verbose else logging.ERROR if quiet else logging.WARNING)
    _first_run.setLevel(logging.ERROR if quiet else logging.INFO)


def _new_ones() -> Callable[[logging.LogRecord], bool]:
    seen: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        new = record.levelno < logging.WARNING or text not in seen
        seen.add(text)
        return new

    return is_new
