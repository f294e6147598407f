"""What the library tells on its way: a line on stderr each, and none twice."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger("impasto")


@contextmanager
def told_on_stderr() -> Iterator[None]:
    """Within it warnings of the library are lines on stderr; what is told of a file each time it is read, once."""
    handler, level = logging.StreamHandler(sys.stderr), log.level
    handler.setFormatter(logging.Formatter("impasto: %(message)s"))
    handler.addFilter(_new_ones())
    log.addHandler(handler)
    set_level(verbose=False, quiet=False)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def set_level(*, verbose: bool, quiet: bool) -> None:
    """How much is told: each evaluation, nothing but errors, or what people should know."""
    log.setLevel(logging.INFO if verbose else logging.ERROR if quiet else logging.WARNING)


def _new_ones() -> Callable[[logging.LogRecord], bool]:
    seen: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        new = record.levelno < logging.WARNING or text not in seen
        seen.add(text)
        return new

    return is_new
